import { VECTOR_TEXT_MAX, VersionVector } from "./version_vector.ts";

/** After what was told of an origin: up to where all that it did to messages is settled. */
const SETTLED = /(?<=[0-9])\/(0|[1-9][0-9]{0,15})(?=,|$)/g;
const UNSETTLED_ENTRY = /(?:^|,)([^:,]+):[^/,]+\/([0-9]+)/g;

/**
 * What a client has that was subscribed up to here: an opaque text to it, good on every node.
 *
 * A message it has been told of may be unknown to the node that it is on now, which may yet know that it
 * was read or deleted, and cannot tell: so what a client was told is not all that it may take for
 * settled. While it is less, messages are told from the one bound on, never twice, and what became of
 * messages is told from the other on, if need be again.
 */
export class Cursor {
  /** Of the messages that these operations sent, its client was told. */
  readonly told: VersionVector;
  /** What these did to any message that its client was told of, it was told, too. No more than `told`. */
  readonly settled: VersionVector;

  /** Without `settled`, all that was told is. */
  constructor(told: VersionVector, settled: VersionVector = told) {
    this.told = told;
    this.settled = settled;
  }

  get isSettled(): boolean {
    return this.settled.includes(this.told);
  }

  /** `origin:told,origin:told/settled`: a version vector, where nothing is unsettled. */
  toString(): string {
    if (this.settled === this.told) return this.told.toString();
    let text = "";
    for (const [origin, told] of this.told.entries()) {
      const settled = this.settled.seqOf(origin);
      const bound = settled < told ? `/${settled}` : "";
      text += `${text === "" ? "" : ","}${origin}:${told}${bound}`;
    }
    return text;
  }

  /** What {@linkcode toString} made; undefined if `text` is nothing of the kind. */
  static parse(text: string): Cursor | undefined {
    if (text.length > VECTOR_TEXT_MAX) return undefined;
    const told = VersionVector.parse(text.replaceAll(SETTLED, ""));
    if (told === undefined) return undefined;
    if (!text.includes("/")) return new Cursor(told);
    const settled = told.copy();
    for (const [, origin = "", bound] of text.matchAll(UNSETTLED_ENTRY)) {
      const seq = Number(bound);
      if (!(seq < told.seqOf(origin))) return undefined;
      settled.advance(origin, seq);
    }
    return new Cursor(told, settled);
  }
}
