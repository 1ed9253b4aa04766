import type { Operation } from "../core/operation.ts";
import type { WrittenBatch } from "../journal/journal.ts";
import type { NamedLine } from "../journal/lines.ts";

/** Lines of the journal, and where they stand in it. */
export interface LineChunk {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly lines: readonly NamedLine[];
}

/** What is kept in memory for streams that are nearly up to date, in bytes, but for the last batch. */
export const RECENT_BYTES_MAX = 2 * 1024 * 1024;

/** The end of the journal: what nearly every stream sends next, and no stream has to read again. */
export class RecentBatches {
  #chunks: LineChunk[] = [];
  #bytes = 0;

  /** A batch that is durable now; undefined if it can only be read from the file. */
  add(operations: readonly Operation[], written: WrittenBatch | undefined): void {
    if (written === undefined) {
      this.#chunks = [];
      this.#bytes = 0;
      return;
    }
    const { at, bytes, ends } = written;
    const lines = operations.map(({ origin, seq }, index) => ({
      origin,
      seq,
      start: ends[index - 1] ?? 0,
      end: ends[index] ?? 0,
    }));
    // The journal writes its next batch into the same bytes.
    this.#chunks.push({ at, bytes: bytes.slice(), lines });
    this.#bytes += bytes.length;
    while (this.#bytes > RECENT_BYTES_MAX && this.#chunks.length > 1) {
      this.#bytes -= this.#chunks.shift()?.bytes.length ?? 0;
    }
  }

  /** The batches from `at` on, as far as they are of `bytesMax` bytes; none if they are not kept. */
  from(at: number, bytesMax: number): readonly LineChunk[] {
    const first = this.#chunks.findLastIndex((chunk) => chunk.at === at);
    if (first < 0) return [];
    let last = first;
    for (let bytes = 0; last < this.#chunks.length; last++) {
      bytes += this.#chunks[last]?.bytes.length ?? 0;
      if (bytes > bytesMax) break;
    }
    return this.#chunks.slice(first, last);
  }
}
