/**
 * A bounded queue in which those who wait take turns by where they come from: one who sends much waits
 * behind himself. When it is full, the last of whoever has most in it makes room for others.
 */
export class FairQueue<T> {
  readonly #countMax: number;
  /** Those whose turn comes first are first; none is empty. */
  readonly #bySource = new Map<string, T[]>();
  #count = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** Gives who has to go for it: itself, somebody else, or nobody. */
  push(source: string, item: T): T | undefined {
    const own = this.#bySource.get(source)?.length ?? 0;
    let evicted: T | undefined;
    if (this.#count >= this.#countMax) {
      const fullest = this.#fullest();
      // With only one more, the two would only change places.
      if (fullest.length <= own + 1) return item;
      evicted = fullest.pop();
      this.#count--;
    }
    const waiting = this.#bySource.get(source);
    if (waiting === undefined) this.#bySource.set(source, [item]);
    else waiting.push(item);
    this.#count++;
    return evicted;
  }

  shift(): T | undefined {
    for (const [source, items] of this.#bySource) {
      const first = items.shift();
      this.#bySource.delete(source);
      if (items.length > 0) this.#bySource.set(source, items);
      if (first === undefined) continue;
      this.#count--;
      return first;
    }
    return undefined;
  }

  #fullest(): T[] {
    let fullest: T[] = [];
    for (const items of this.#bySource.values()) {
      if (items.length > fullest.length) fullest = items;
    }
    return fullest;
  }
}
