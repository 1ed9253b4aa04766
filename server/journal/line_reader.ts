import { LINE_BYTES_MAX } from "./batch.ts";
import type { OpenFile } from "./files.ts";
import { readExactly } from "./recovery.ts";

const NEWLINE = 0x0a;

/** Reads a journal that is being written, as far as it is on disk, by whole lines. */
export class LineReader {
  readonly #file: OpenFile;
  readonly #journal: { readonly bytes: number };

  /** Takes over `file`, for itself alone. */
  constructor(file: OpenFile, journal: { readonly bytes: number }) {
    this.#file = file;
    this.#journal = journal;
  }

  /**
   * The lines from `at`, where one begins: about `bytesMax` bytes, more if the first is longer, none
   * at the end. Rejects with FileError.
   */
  async read(at: number, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
    const end = this.#journal.bytes;
    for (let wanted = bytesMax;; wanted *= 2) {
      const found = await readExactly(this.#file, at, Math.min(wanted, end - at));
      const length = found.lastIndexOf(NEWLINE) + 1;
      if (length > 0 || found.length === 0) return found.subarray(0, length);
      if (found.length > LINE_BYTES_MAX || found.length < wanted) {
        throw new Error(`Cannot read the journal at byte ${at}: found no end of the line`);
      }
    }
  }

  close(): void {
    this.#file.close();
  }
}
