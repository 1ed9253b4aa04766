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
  /** By the origin's number: not all operations up to here can be read one by one. */
  readonly #floor: number[] = [];
  #marks: Mark[] = [];
  #lastMarkAt = 0;
  #start: Mark = { at: 0, seqs: new Float64Array() };
  /** A merged state has just ended. */
  #hasCoverage = false;
  #losses = 0;

  /** The next entry of the journal, or of the snapshot before it. */
  note(entry: Entry): void {
    if (!isStateRecord(entry)) {
      this.#seqs[this.#origins.numberOf(entry.origin)] = entry.seq;
    } else if (entry.kind === "coverage") {
      for (const [origin, seq] of entry.vector) this.#noteCovered(origin, seq);
      this.#hasCoverage = true;
      this.#losses++;
    }
  }

  /** A batch ends at `at`, with what was noted so far. */
  endBatch(at: number): void {
    if (this.#hasCoverage || at - this.#lastMarkAt >= MARK_EVERY_BYTES) this.mark(at);
  }

  /** `at` is a place where somebody may have to begin. */
  mark(at: number): void {
    const mark = { at, seqs: Float64Array.from(this.#seqs, (seq) => seq ?? 0) };
    this.#marks.push(mark);
    this.#lastMarkAt = at;
    if (this.#hasCoverage) this.#start = mark;
    this.#hasCoverage = false;
  }

  /** What is before `at`, which is marked, cannot be read any more. */
  forgetBefore(at: number): void {
    this.#marks = this.#marks.filter((mark) => mark.at >= at);
    const first = this.#marks[0];
    if (first === undefined) return;
    for (const [number, seq] of first.seqs.entries()) {
      this.#floor[number] = Math.max(seq, this.#floor[number] ?? 0);
    }
    if (this.#start.at < at) this.#start = first;
    this.#losses++;
  }

  /** How often less than before could be read one by one. */
  get losses(): number {
    return this.#losses;
  }

  /** What is before this, snapshot included, is a whole state. */
  get start(): number {
    return this.#start.at;
  }

  /** What that state stands for. */
  get startVector(): VersionVector {
    return this.#vectorOf(this.#start.seqs);
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
    if (this.#floor.some((seq, number) => seq > (limits[number] ?? Infinity))) return undefined;
    return this.#marks.findLast(({ seqs }) =>
      seqs.every((seq, number) => seq <= (limits[number] ?? Infinity))
    )?.at;
  }

  /** What jumps is not there as operations. */
  #noteCovered(origin: string, seq: number): void {
    const number = this.#origins.numberOf(origin);
    if (seq <= (this.#seqs[number] ?? 0)) return;
    this.#seqs[number] = seq;
    this.#floor[number] = seq;
  }

  #vectorOf(seqs: ArrayLike<number>): VersionVector {
    const vector = new VersionVector();
    for (const [number, name] of this.#origins.names.entries()) {
      vector.advance(name, seqs[number] ?? 0);
    }
    return vector;
  }
}
