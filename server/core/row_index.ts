/** Rows are numbered in order of arrival and never move. */
export type Row = number;

const TABLE_BITS = 8;
const TABLES = 1 << TABLE_BITS;
/** Such an array is small enough for V8 to have no buffer of its own. */
const SLOTS_MIN = 16;

/**
 * Finds rows by a hash of 32 bits, in 8 to 16 bytes each: open addressing with linear probing, at
 * most half full. The hash's highest bits choose one of 256 tables, which grow one by one: as a
 * single table, millions of rows would all be placed anew at once.
 */
export class RowIndex {
  readonly #hashOf: (row: Row) => number;
  /** Row + 1, or 0 where free. */
  readonly #tables = Array.from({ length: TABLES }, () => new Uint32Array(SLOTS_MIN));
  readonly #counts = new Uint32Array(TABLES);

  /** `hashOf` must say of a row what it was added with. */
  constructor(hashOf: (row: Row) => number) {
    this.#hashOf = hashOf;
  }

  /** The row with this hash that `isIt` says yes to. */
  find(hash: number, isIt: (row: Row) => boolean): Row | undefined {
    const table = this.#tables[tableOf(hash)] as Uint32Array;
    const mask = table.length - 1;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const row = (table[slot] as number) - 1;
      if (row < 0) return undefined;
      if (isIt(row)) return row;
    }
  }

  /** The row must not be there yet. */
  add(hash: number, row: Row): void {
    const number = tableOf(hash);
    const count = (this.#counts[number] as number) + 1;
    this.#counts[number] = count;
    const table = this.#tables[number] as Uint32Array;
    if (count * 2 <= table.length) place(table, hash, row);
    else place(this.#grow(number), hash, row);
  }

  #grow(number: number): Uint32Array {
    const table = this.#tables[number] as Uint32Array;
    const grown = new Uint32Array(table.length * 2);
    for (const entry of table) {
      if (entry !== 0) place(grown, this.#hashOf(entry - 1), entry - 1);
    }
    this.#tables[number] = grown;
    return grown;
  }
}

function tableOf(hash: number): number {
  return hash >>> (32 - TABLE_BITS);
}

function place(table: Uint32Array, hash: number, row: Row): void {
  const mask = table.length - 1;
  let slot = hash & mask;
  while (table[slot] !== 0) slot = (slot + 1) & mask;
  table[slot] = row + 1;
}
