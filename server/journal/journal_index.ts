import { OriginTable } from "../core/origin_table.ts";
import { type Entry, isStateRecord } from "../core/state_record.ts";
import { VersionVector } from "../core/version_vector.ts";

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
  #marks: Mark[] = [];
  #lastMarkAt = 0;
  /** A merged state has just ended: its operations cannot be read from what is before. */
  #hasCoverage = false;

  /** The next entry of the journal, or of the snapshot before it. */
  note(entry: Entry): void {
    if (!isStateRecord(entry)) {
      this.#seqs[this.#origins.numberOf(entry.origin)] = entry.seq;
    } else if (entry.kind === "coverage") {
      for (const [origin, seq] of entry.vector) {
        const number = this.#origins.numberOf(origin);
        this.#seqs[number] = Math.max(seq, this.#seqs[number] ?? 0);
      }
      this.#hasCoverage = true;
    }
  }

  /** A batch ends at `at`, with what was noted so far. */
  endBatch(at: number): void {
    if (this.#hasCoverage || at - this.#lastMarkAt >= MARK_EVERY_BYTES) this.mark(at);
  }

  /** `at` is a place where somebody may have to begin. */
  mark(at: number): void {
    if (this.#hasCoverage) this.#marks = [];
    this.#hasCoverage = false;
    this.#marks.push({ at, seqs: Float64Array.from(this.#seqs, (seq) => seq ?? 0) });
    this.#lastMarkAt = at;
  }

  /** What is before `at` cannot be read any more. */
  forgetBefore(at: number): void {
    this.#marks = this.#marks.filter((mark) => mark.at >= at);
  }

  /** From here on, all operations are in the journal as such. */
  get start(): number {
    return this.#marks[0]?.at ?? 0;
  }

  /** What stands before {@linkcode start}. */
  get startVector(): VersionVector {
    return this.#vectorOf(this.#marks[0]?.seqs ?? []);
  }

  /** How much of each origin was noted. */
  vector(): VersionVector {
    return this.#vectorOf(this.#seqs);
  }

  /**
   * A place before which stands nothing that `known` does not cover, of the origins that are wanted:
   * the last such place that is remembered. Undefined if the journal has not all of what it lacks.
   */
  placeOf(known: VersionVector, isWanted: (origin: string) => boolean): number | undefined {
    const limits = this.#origins.names.map((name) => isWanted(name) ? known.seqOf(name) : Infinity);
    return this.#marks.findLast(({ seqs }) =>
      seqs.every((seq, number) => seq <= (limits[number] ?? Infinity))
    )?.at;
  }

  #vectorOf(seqs: ArrayLike<number>): VersionVector {
    const vector = new VersionVector();
    for (const [number, name] of this.#origins.names.entries()) {
      vector.advance(name, seqs[number] ?? 0);
    }
    return vector;
  }
}
