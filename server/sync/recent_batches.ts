import type { OperationName } from "../commit.ts";
import type { WrittenBatch } from "../journal/journal.ts";

/** Lines of the journal, and where they stand in it. */
export interface LineChunk {
  /** Where in the journal `bytes` begins. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Whose operations the lines are. */
  readonly names: readonly OperationName[];
  /** Where in `bytes` each line ends. */
  readonly ends: readonly number[];
  /** Of all these lines, those meant: from the first on, up to before the last. */
  readonly from: number;
  readonly to: number;
}

/** What is kept in memory for streams that are nearly up to date, in bytes, but for the last batch. */
export const RECENT_BYTES_MAX = 2 * 1024 * 1024;

/** The end of the journal: what nearly every stream sends next, and no stream has to read again. */
export class RecentBatches {
  readonly #chunks: LineChunk[] = [];
  #bytes = 0;

  /** A batch that is durable now; undefined if it can only be read from the file. */
  add(names: readonly OperationName[], written: WrittenBatch | undefined): void {
    if (written === undefined) {
      this.#chunks.length = 0;
      this.#bytes = 0;
      return;
    }
    const { at, bytes, ends } = written;
    // The journal writes its next batch into the same bytes.
    this.#chunks.push({ at, bytes: bytes.slice(), names, ends, from: 0, to: names.length });
    this.#bytes += bytes.length;
    while (this.#bytes > RECENT_BYTES_MAX && this.#chunks.length > 1) {
      this.#bytes -= this.#chunks.shift()?.bytes.length ?? 0;
    }
  }

  /** The lines from `at` on, about `bytesMax` bytes and at least one; none if they are not kept. */
  from(at: number, bytesMax: number): LineChunk[] {
    const first = this.#chunks.findLastIndex((chunk) => chunk.at <= at);
    const found: LineChunk[] = [];
    let left = bytesMax;
    for (const chunk of first < 0 ? [] : this.#chunks.slice(first)) {
      const start = Math.max(0, at - chunk.at);
      const from = start === 0 ? 0 : indexAfter(chunk.ends, start);
      const to = Math.max(
        from + (found.length === 0 ? 1 : 0),
        indexAfter(chunk.ends, start + left),
      );
      if (to > from) found.push({ ...chunk, from, to });
      if (to < chunk.names.length) break;
      left -= chunk.bytes.length - start;
    }
    return found;
  }
}

/** How many of `ends`, which rise, are at most `limit`. */
function indexAfter(ends: readonly number[], limit: number): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ends[middle] ?? Infinity) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
