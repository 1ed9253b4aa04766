import { LINE_BYTES_MAX } from "./batch.ts";
import { FileError, type Files, type OpenFile } from "./files.ts";
import { readExactly } from "./segment.ts";

const NEWLINE = 0x0a;

/** A part of a journal: its bytes without the header stand in the journal from `base` on. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly base: number;
  readonly headerBytes: number;
  /** Of its batches: what is on disk. */
  readonly bytes: number;
}

/** A journal that is being written. */
export interface Segments {
  readonly segments: readonly Segment[];
}

/** Reads a journal that is being written, as far as it is on disk, by whole lines. */
export class LineReader {
  readonly #files: Pick<Files, "open">;
  readonly #journal: Segments;
  #open: { readonly number: number; readonly file: OpenFile } | undefined;

  constructor(files: Pick<Files, "open">, journal: Segments) {
    this.#files = files;
    this.#journal = journal;
  }

  /**
   * The lines from `at`, where one begins: about `bytesMax` bytes, more if the first is longer, none
   * at the end; undefined if a snapshot has taken their place. Rejects with FileError.
   */
  async read(at: number, bytesMax: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const segment = this.#segmentAt(at);
      if (segment === undefined) return undefined;
      const file = await this.#fileOf(segment);
      return await readLinesOf(file, segment.headerBytes + at - segment.base, {
        end: segment.headerBytes + segment.bytes,
        bytesMax,
      });
    } catch (error) {
      // It may have gone while it was opened.
      if (error instanceof FileError && this.#segmentAt(at) === undefined) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#open?.file.close();
    this.#open = undefined;
  }

  #segmentAt(at: number): Segment | undefined {
    return this.#journal.segments.findLast(({ base }) => base <= at);
  }

  async #fileOf({ number, path }: Segment): Promise<OpenFile> {
    if (this.#open?.number !== number) {
      this.close();
      this.#open = { number, file: await this.#files.open(path, "read") };
    }
    return this.#open.file;
  }
}

/** The whole lines of a file from `at` on, before `end`: see {@linkcode LineReader.read}. */
export async function readLinesOf(
  file: Pick<OpenFile, "read">,
  at: number,
  { end, bytesMax }: { readonly end: number; readonly bytesMax: number },
): Promise<Uint8Array<ArrayBuffer>> {
  for (let wanted = bytesMax;; wanted *= 2) {
    const found = await readExactly(file, at, Math.min(wanted, end - at));
    const length = found.lastIndexOf(NEWLINE) + 1;
    if (length > 0 || found.length === 0) return found.subarray(0, length);
    if (found.length > LINE_BYTES_MAX || found.length < wanted) {
      throw new Error(`Cannot read the journal at byte ${at}: found no end of the line`);
    }
  }
}
