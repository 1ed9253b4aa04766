import { MemberHash } from "./digest.ts";

/** Gives origins small numbers, for columns to hold. */
export class OriginTable {
  readonly #names: string[] = [];
  readonly #hashes: number[] = [];
  readonly #numbers = new Map<string, number>();
  #last = -1;

  /** In order of their numbers. */
  get names(): readonly string[] {
    return this.#names;
  }

  numberOf(name: string): number {
    // Operations of one origin mostly come one after the other.
    if (this.#names[this.#last] !== name) this.#last = this.#find(name);
    return this.#last;
  }

  nameOf(number: number): string {
    return this.#names[number] as string;
  }

  /** Hash of the name, for digests that must not depend on numbers. */
  hashOf(number: number): number {
    return this.#hashes[number] as number;
  }

  #find(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.push(name) - 1;
      this.#hashes.push(new MemberHash().start().text(name).low);
      this.#numbers.set(name, number);
    }
    return number;
  }
}
