import type { Provenance } from "./operation.ts";

/** Longest text {@linkcode VersionVector.parse} looks at unless said otherwise, in characters. */
export const VECTOR_TEXT_MAX = 64 * 1024;

const ENTRY = /^([A-Za-z0-9_-]{1,32}\.[0-9a-z]{1,32}):([1-9][0-9]{0,15})$/;

/**
 * Per origin, how many of its operations are known. Origins number theirs 1, 2, 3… without gaps, so
 * one number says which.
 */
export class VersionVector {
  readonly #seqs = new Map<string, number>();

  /** The last sequence number known of `origin`; 0 if none. */
  seqOf(origin: string): number {
    return this.#seqs.get(origin) ?? 0;
  }

  covers(operation: Pick<Provenance, "origin" | "seq">): boolean {
    return operation.seq <= this.seqOf(operation.origin);
  }

  /** From now on `seq` is the last that is known; 0 says that none is. */
  advance(origin: string, seq: number): void {
    if (seq > 0) this.#seqs.set(origin, seq);
    else this.#seqs.delete(origin);
  }

  /** From now on it covers what `other` does, too. */
  include(other: VersionVector): void {
    for (const [origin, seq] of other.#seqs) {
      if (seq > this.seqOf(origin)) this.advance(origin, seq);
    }
  }

  /** From now on it covers nothing that `other` does not. */
  limit(other: VersionVector): void {
    for (const [origin, seq] of this.#seqs) {
      const limit = other.seqOf(origin);
      if (limit < seq) this.advance(origin, limit);
    }
  }

  entries(): ReadonlyMap<string, number> {
    return this.#seqs;
  }

  /** Whether it covers all that `other` does. */
  includes(other: VersionVector): boolean {
    for (const [origin, seq] of other.#seqs) if (seq > this.seqOf(origin)) return false;
    return true;
  }

  /** How many operations `other` covers and this does not. */
  lag(other: VersionVector): number {
    let lag = 0;
    for (const [origin, seq] of other.#seqs) lag += Math.max(0, seq - this.seqOf(origin));
    return lag;
  }

  copy(): VersionVector {
    const copy = new VersionVector();
    for (const [origin, seq] of this.#seqs) copy.advance(origin, seq);
    return copy;
  }

  /** With these numbers. */
  static of(seqs: ReadonlyMap<string, number>): VersionVector {
    const vector = new VersionVector();
    for (const [origin, seq] of seqs) vector.advance(origin, seq);
    return vector;
  }

  /** `origin:seq,origin:seq`, which is also what an event's cursor looks like. */
  toString(): string {
    let text = "";
    for (const [origin, seq] of this.#seqs) text += `${text === "" ? "" : ","}${origin}:${seq}`;
    return text;
  }

  /** What {@linkcode toString} made; undefined if `text` is nothing of the kind. */
  static parse(text: string, textMax = VECTOR_TEXT_MAX): VersionVector | undefined {
    const vector = new VersionVector();
    if (text === "") return vector;
    if (text.length > textMax) return undefined;
    for (const entry of text.split(",")) {
      const match = ENTRY.exec(entry);
      const seq = Number(match?.[2]);
      if (match?.[1] === undefined || !Number.isSafeInteger(seq)) return undefined;
      vector.advance(match[1], seq);
    }
    return vector;
  }
}
