const CAPACITY_MIN = 4;

/**
 * A growing list of uint32 with nothing for the garbage collector to visit: 4 bytes each, and at most
 * a quarter more for those to come. A state has as many lists as conversations and accounts.
 */
export class Uint32List {
  #items = new Uint32Array(CAPACITY_MIN);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The item at `index`, which must be within the list. */
  at(index: number): number {
    return this.#items[index] as number;
  }

  push(item: number): void {
    this.insert(this.#length, item);
  }

  insert(index: number, item: number): void {
    if (this.#length === this.#items.length) {
      const grown = new Uint32Array(this.#length + Math.max(CAPACITY_MIN, this.#length >>> 2));
      grown.set(this.#items);
      this.#items = grown;
    }
    if (index < this.#length) this.#items.copyWithin(index + 1, index, this.#length);
    this.#items[index] = item;
    this.#length++;
  }

  removeAt(index: number): void {
    this.#items.copyWithin(index, index + 1, this.#length);
    this.#length--;
  }

  /** Keeps those that `keep` says yes to, in order. */
  filter(keep: (item: number) => boolean): void {
    let kept = 0;
    for (let index = 0; index < this.#length; index++) {
      const item = this.at(index);
      if (keep(item)) this.#items[kept++] = item;
    }
    this.#length = kept;
    this.#items = this.#items.slice(0, Math.max(CAPACITY_MIN, kept));
  }
}
