import type { Provenance } from "../core/operation.ts";
import { OriginTable } from "../core/origin_table.ts";
import type { VersionVector } from "../core/version_vector.ts";

/** A place is remembered about every so many bytes: so much is read in vain at most. */
const MARK_EVERY_BYTES = 2 ** 20;

/** A place between two batches, and how much of each origin stands before it. */
interface Mark {
  readonly at: number;
  /** By the origin's number. */
  readonly seqs: Float64Array;
}

/** Finds where in a journal to begin to read for somebody who knows a part of it. */
export class JournalIndex {
  readonly #origins = new OriginTable();
  readonly #seqs: number[] = [];
  readonly #marks: Mark[] = [];
  #lastMarkAt = 0;

  /** `at` is where the first batch begins. */
  begin(at: number): void {
    this.#mark(at);
  }

  /** The next operation of the journal. */
  note({ origin, seq }: Pick<Provenance, "origin" | "seq">): void {
    this.#seqs[this.#origins.numberOf(origin)] = seq;
  }

  /** A batch ends at `at`, with what was noted so far. */
  endBatch(at: number): void {
    if (at - this.#lastMarkAt >= MARK_EVERY_BYTES) this.#mark(at);
  }

  /**
   * A place before which stands nothing that `known` does not cover, of the origins that are wanted:
   * the last such place that is remembered.
   */
  placeOf(known: VersionVector, isWanted: (origin: string) => boolean): number {
    const limits = this.#origins.names.map((name) => isWanted(name) ? known.seqOf(name) : Infinity);
    const last = this.#marks.findLast(({ seqs }) =>
      seqs.every((seq, number) => seq <= (limits[number] ?? Infinity))
    );
    return last?.at ?? 0;
  }

  #mark(at: number): void {
    this.#marks.push({ at, seqs: Float64Array.from(this.#seqs) });
    this.#lastMarkAt = at;
  }
}
