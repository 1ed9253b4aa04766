const PAGE_BITS = 14;
const PAGE_ITEMS = 1 << PAGE_BITS;

/** An append-only list of uint32 that never moves what it holds, so that no push takes long. */
export class Uint32Log {
  readonly #pages: Uint32Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The item at `index`, which must be within the list. */
  at(index: number): number {
    return this.#pages[index >>> PAGE_BITS]?.[index % PAGE_ITEMS] as number;
  }

  push(item: number): void {
    const index = this.#length++;
    if (index % PAGE_ITEMS === 0) this.#pages.push(new Uint32Array(PAGE_ITEMS));
    (this.#pages[index >>> PAGE_BITS] as Uint32Array)[index % PAGE_ITEMS] = item;
  }
}
