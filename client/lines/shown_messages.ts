/**
 * Messages that keep their numbers; the oldest lose theirs. More than can be sent and not be answered:
 * the event of one may come later than that.
 */
const NUMBERS_MAX = 20_000;

/** The numbers by which a person refers to messages on the screen. */
export class ShownMessages {
  #last = 0;
  readonly #idByNumber = new Map<number, string>();
  readonly #numberById = new Map<string, number>();

  /** Gives a number to a message that has no id yet. */
  number(): number {
    return ++this.#last;
  }

  /** Gives the message a number, or the one it has. */
  numberOf(id: string): number {
    const known = this.#numberById.get(id);
    if (known !== undefined) return known;
    const number = this.number();
    this.name(number, id);
    return number;
  }

  /** Says which message a number is of. */
  name(number: number, id: string): void {
    this.#idByNumber.set(number, id);
    this.#numberById.set(id, number);
    for (const [oldest, oldestId] of this.#idByNumber) {
      if (this.#idByNumber.size <= NUMBERS_MAX) return;
      this.#idByNumber.delete(oldest);
      this.#numberById.delete(oldestId);
    }
  }

  has(id: string): boolean {
    return this.#numberById.has(id);
  }

  /** The numbers of those of `ids` that are on the screen. */
  numbersOf(ids: readonly string[]): number[] {
    return ids.flatMap((id) => this.#numberById.get(id) ?? []);
  }

  idOf(number: number): string | undefined {
    return this.#idByNumber.get(number);
  }
}
