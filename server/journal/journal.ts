import type { Operation } from "../core/operation.ts";
import { BatchEncoder } from "./batch.ts";
import { FileError, type OpenFile, shortWrite, StorageError } from "./files.ts";
import type { JournalIndex } from "./journal_index.ts";

/** The journal could not be written. Nothing of that batch, or after it, may be acknowledged. */
export class JournalError extends StorageError {
  override readonly name = "JournalError";
}

/** A batch as it stands in the journal. */
export interface WrittenBatch {
  /** Where it begins. */
  readonly at: number;
  /** Its lines, each with its newline. Valid until the next batch is written. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where in `bytes` each operation's line ends. */
  readonly ends: readonly number[];
}

/**
 * A node's append-only file of operations. It is written a batch at a time: a batch is on disk as
 * a whole before the next one is begun, so a crash can leave only the last one incomplete.
 *
 * Any failure is final. After a failed sync nobody knows what the disk holds, and asking it again
 * would only be told what the page cache holds.
 */
export class Journal {
  readonly #file: OpenFile;
  readonly #path: string;
  readonly #encoder = new BatchEncoder();
  readonly #index: JournalIndex;
  #bytes: number;
  #failure: unknown;
  #open: Promise<WrittenBatch | undefined> | undefined;
  #closed = false;

  /** Takes over `file`, of which `bytes` are there and on disk, ending with a whole batch. */
  constructor(file: OpenFile, path: string, bytes: number, index: JournalIndex) {
    this.#file = file;
    this.#path = path;
    this.#index = index;
    this.#bytes = bytes;
  }

  /** Length of the file: what is on disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves once all of `operations` are on disk; rejects with {@linkcode JournalError}, and then
   * every later call does too. The caller waits for one batch before it writes the next. What is too
   * much for one batch is written as several: then they can only be read from the file.
   */
  writeBatch(operations: readonly Operation[]): Promise<WrittenBatch | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#open !== undefined) {
      return Promise.reject(
        new Error(`Cannot write to journal ${this.#path}: the batch before is not on disk yet`),
      );
    }
    this.#open = this.#write(operations).finally(() => this.#open = undefined);
    return this.#open;
  }

  /** Waits for the open batch, if there is one, and closes the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const wasOpen = this.#open;
    this.#failure ??= new JournalError(`Cannot write journal ${this.#path}: it is closed`);
    // Whoever wrote the batch is told how it ended.
    await wasOpen?.catch(() => {});
    this.#file.close();
  }

  async #write(operations: readonly Operation[]): Promise<WrittenBatch | undefined> {
    try {
      let batch: WrittenBatch | undefined;
      // All but a huge batch are one round.
      for (let next = 0; next < operations.length;) {
        const isWhole = next === 0;
        next = this.#encoder.encode(operations, next);
        const { written: bytes, ends } = this.#encoder;
        batch = isWhole && next === operations.length
          ? { at: this.#bytes, bytes, ends }
          : undefined;
        await this.#append(bytes);
      }
      for (const operation of operations) this.#index.note(operation);
      this.#index.endBatch(this.#bytes);
      return batch;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async #append(batch: Uint8Array): Promise<void> {
    try {
      const written = await this.#file.write(batch);
      if (written !== batch.length) throw shortWrite(this.#path, written, batch.length);
      await this.#file.sync();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw await this.#fail(error);
    }
    this.#bytes += batch.length;
  }

  /**
   * Cuts the batch back even after a failed sync: this process's successor could read it from the
   * page cache, whole, though the disk does not have it and will never be given it again.
   */
  async #fail(cause: FileError): Promise<JournalError> {
    const remedy = cause.code === "ENOSPC" || cause.code === "EDQUOT"
      ? "free space"
      : "check the disk";
    let message = `Cannot write journal ${this.#path}: ${cause.reason}. ` +
      `Nothing of the last batch was acknowledged; ${remedy} and start again.`;
    try {
      await this.#file.truncate(this.#bytes);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      message += ` The batch could not be cut back (${error.reason}): the next start does that.`;
    }
    return new JournalError(message, { cause });
  }
}
