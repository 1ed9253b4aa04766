import type { Entry } from "../core/state_record.ts";
import type { VersionVector } from "../core/version_vector.ts";
import { BatchEncoder } from "./batch.ts";
import { FileError, type OpenFile, shortWrite, StorageError } from "./files.ts";
import type { JournalIndex } from "./journal_index.ts";
import type { Segment, Segments } from "./line_reader.ts";

/** The journal could not be written. Nothing of that batch, or after it, may be acknowledged. */
export class JournalError extends StorageError {
  override readonly name = "JournalError";
}

/** A segment of this size is followed by another one: to remove a file takes the longer, the larger it is. */
export const SEGMENT_BYTES_FULL = 64 * 1024 * 1024;

/** A batch as it stands in the journal. */
export interface WrittenBatch {
  /** Where it begins. */
  readonly at: number;
  /** Its lines, each with its newline. Valid until the next batch is written. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where in `bytes` each entry's line ends. */
  readonly ends: readonly number[];
}

export interface JournalParts {
  /** In order; the last one is written to. */
  readonly segments: readonly Segment[];
  /** The last segment's, which ends with a whole batch that is on disk. */
  readonly file: OpenFile;
  readonly index: JournalIndex;
  /** Entries that are there, and in the snapshot before. */
  readonly entries: number;
  /** Makes an empty segment, durably, with all that has to be known of it. */
  makeSegment(segment: number, after: number): Promise<NewSegment>;
}

export interface NewSegment {
  readonly path: string;
  readonly file: OpenFile;
  readonly headerBytes: number;
}

/** A new segment, and what stands before it. */
export interface Rotation {
  readonly segment: number;
  readonly vector: VersionVector;
  /** In the snapshot and all segments before. */
  readonly entries: number;
}

/**
 * A node's append-only log of operations, in segments. It is written a batch at a time: a batch is on
 * disk as a whole before the next one is begun, so a crash can leave only the last one incomplete.
 * Places in it are counted in bytes over all segments, without their headers.
 *
 * Any failure is final. After a failed sync nobody knows what the disk holds, and asking it again
 * would only be told what the page cache holds.
 */
export class Journal implements Segments {
  readonly #parts: JournalParts;
  readonly #encoder = new BatchEncoder();
  #segments: readonly Segment[];
  #file: OpenFile;
  #entries: number;
  #failure: unknown;
  #open: Promise<WrittenBatch | undefined> | undefined;
  #rotating: Promise<Rotation> | undefined;
  #closed = false;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#segments = parts.segments;
    this.#file = parts.file;
    this.#entries = parts.entries;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Where the next batch will be. */
  get end(): number {
    return this.#last.base + this.#last.bytes;
  }

  /** Length of its files. */
  get fileBytes(): number {
    return this.#segments.reduce((sum, { headerBytes, bytes }) => sum + headerBytes + bytes, 0);
  }

  /** Entries that are there, and in the snapshot before. */
  get entries(): number {
    return this.#entries;
  }

  get current(): Segment {
    return this.#last;
  }

  /**
   * Resolves once all of `entries` are on disk; rejects with {@linkcode JournalError}, and then
   * every later call does too. The caller waits for one batch before it writes the next. What is too
   * much for one batch is written as several: then they can only be read from the file.
   */
  writeBatch(entries: readonly Entry[]): Promise<WrittenBatch | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#open !== undefined) {
      return Promise.reject(
        new Error(`Cannot write to journal ${this.#path}: the batch before is not on disk yet`),
      );
    }
    const writing = this.#rotating === undefined
      ? this.#write(entries)
      : this.#rotating.then(() => this.#write(entries));
    this.#open = writing.finally(() => this.#open = undefined);
    return this.#open;
  }

  /**
   * Begins a new segment after the open batch: all that stands before it can be replaced by a snapshot.
   * A failure is as final as that of a batch.
   */
  rotate(): Promise<Rotation> {
    this.#rotating ??= this.#rotate().finally(() => this.#rotating = undefined);
    return this.#rotating;
  }

  /** A snapshot with so many entries has taken the place of all segments before this one. */
  replacedBefore(segment: number, entries: number): void {
    this.#segments = this.#segments.filter(({ number }) => number >= segment);
    this.#parts.index.forgetBefore(this.#segments[0]?.base ?? 0);
    this.#entries = entries;
  }

  /** Waits for the open batch, if there is one, and closes the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const [wasOpen, wasRotating] = [this.#open, this.#rotating];
    this.#failure ??= new JournalError(`Cannot write journal ${this.#path}: it is closed`);
    // Whoever wrote the batch, or wanted the segment, is told how it ended.
    await wasRotating?.catch(() => {});
    await wasOpen?.catch(() => {});
    this.#file.close();
  }

  get #last(): Segment {
    return this.#segments.at(-1) as Segment;
  }

  get #path(): string {
    return this.#last.path;
  }

  async #rotate(): Promise<Rotation> {
    // Whoever wrote it is told how it ended.
    await this.#open?.catch(() => {});
    if (this.#failure !== undefined) throw this.#failure;
    const { number, base, headerBytes, bytes } = this.#last;
    const { index, makeSegment } = this.#parts;
    try {
      const made = await makeSegment(number + 1, headerBytes + bytes);
      this.#file.close();
      this.#file = made.file;
      const segment = {
        number: number + 1,
        path: made.path,
        base: base + bytes,
        headerBytes: made.headerBytes,
        bytes: 0,
      };
      this.#segments = [...this.#segments, segment];
    } catch (error) {
      this.#failure = error instanceof FileError
        ? new JournalError(`Cannot begin a new segment of the journal: ${error.message}`)
        : error;
      throw this.#failure;
    }
    index.mark(this.end);
    return { segment: number + 1, vector: index.vector(), entries: this.#entries };
  }

  async #write(entries: readonly Entry[]): Promise<WrittenBatch | undefined> {
    try {
      let batch: WrittenBatch | undefined;
      // All but a huge batch are one round.
      for (let next = 0; next < entries.length;) {
        const from = next;
        const isWhole = from === 0;
        next = this.#encoder.encode(entries, next);
        const { written: bytes, ends } = this.#encoder;
        batch = isWhole && next === entries.length ? { at: this.end, bytes, ends } : undefined;
        await this.#append(bytes);
        // Before anybody can read it.
        const written = batch === undefined ? entries.slice(from, next) : entries;
        for (const entry of written) this.#parts.index.note(entry);
        this.#parts.index.endBatch(this.end);
      }
      this.#entries += entries.length;
      // If that fails, the next batch does.
      if (this.#last.bytes >= SEGMENT_BYTES_FULL) this.rotate().catch(() => {});
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
    const last = this.#last;
    this.#segments = [...this.#segments.slice(0, -1), {
      ...last,
      bytes: last.bytes + batch.length,
    }];
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
      await this.#file.truncate(this.#last.headerBytes + this.#last.bytes);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      message += ` The batch could not be cut back (${error.reason}): the next start does that.`;
    }
    return new JournalError(message, { cause });
  }
}
