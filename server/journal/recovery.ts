import type { Entry } from "../core/state_record.ts";
import { BATCH_BYTES_MAX, LINE_BYTES_MAX, markerFits, sealFault } from "./batch.ts";
import { type OpenFile, StorageError } from "./files.ts";
import { RecordError } from "./fields.ts";
import { MessageLines } from "./message_line.ts";
import { decodeLine, type Line } from "./record.ts";
import { readExactly, readHeader, type SegmentHeader } from "./segment.ts";
import { judgeTail } from "./tail.ts";

export interface RecoveryOptions {
  readonly file: OpenFile;
  readonly path: string;
  /** What the file has to begin with; what is undefined is not known. */
  readonly header: Partial<SegmentHeader>;
  /** This many bytes are known to have been on disk: no crash explains damage before them. */
  readonly syncedBytes: number;
  /** Whether a crash can have cut it: only what was written to last. */
  readonly isLast: boolean;
  /** Is given what is in whole batches, in order. Says what is wrong with it if it cannot come next. */
  apply(entry: Entry): string | undefined;
  /** The first line takes so many bytes. */
  onHeader?(bytes: number): void;
  /** All of a batch that ends at offset `end` was applied. */
  onBatch?(end: number): void;
}

export interface Recovery {
  /** Entries applied. */
  readonly entries: number;
  readonly headerBytes: number;
  /** Where the last whole batch ends, with the newline that it may lack. */
  readonly wholeBytes: number;
  /** What of the file is to be mended: see {@linkcode judgeTail}. */
  readonly tail: "whole" | "lacks_newline" | "torn";
  /** For a torn tail: how one knows. */
  readonly why: string;
}

/** What is in the journal is not what was written. The file is untouched. */
export class RecoveryError extends StorageError {
  override readonly name = "RecoveryError";
  readonly path: string;
  readonly line: number;
  /** The offset in the file, in bytes. */
  readonly at: number;

  constructor(path: string, line: number, at: number, message: string) {
    super(message);
    this.path = path;
    this.line = line;
    this.at = at;
  }
}

const CHUNK_BYTES = 2 ** 18;
const NEWLINE = 0x0a;

/**
 * Reads and checks a journal from its first byte to its last, a chunk at a time, and applies it.
 * Changes nothing on disk. Throws {@linkcode RecoveryError} unless all of the file is whole, or a
 * crash explains what is not.
 */
export async function recoverJournal(options: RecoveryOptions): Promise<Recovery> {
  const { bytes } = await options.file.stat();
  const replay = new Replay(options, bytes);
  await replay.run();
  return await replay.finish();
}

class Replay {
  readonly #options: RecoveryOptions;
  readonly #fileBytes: number;
  /** What is in the batch that is being read: applied when its marker has been seen. */
  #batch: Entry[] = [];
  #batchStart = 0;
  /** Lines before the batch, and in it so far. */
  #lines = 0;
  #entries = 0;
  #headerBytes = 0;
  /** What made reading stop before the end: at most what {@linkcode judgeTail} says again. */
  #fault: { at: number; found: string } | undefined;

  constructor(options: RecoveryOptions, fileBytes: number) {
    this.#options = options;
    this.#fileBytes = fileBytes;
  }

  async run(): Promise<void> {
    const { file } = this.#options;
    await this.#readHeader();
    let buffer = new Uint8Array(Math.min(CHUNK_BYTES, this.#fileBytes + 1));
    let filled = 0;
    let at = this.#batchStart;
    for (;;) {
      if (filled === buffer.length) buffer = enlarge(buffer);
      const read = await file.read(buffer.subarray(filled), at + filled);
      if (read === 0) return;
      filled += read;
      const used = this.#readLines(buffer.subarray(0, filled), at, filled - read);
      if (this.#fault !== undefined) return;
      if (filled - used > LINE_BYTES_MAX) {
        this.#fault = { at: at + used, found: "no end of the line" };
        return;
      }
      buffer.copyWithin(0, used, filled);
      filled -= used;
      at += used;
    }
  }

  async finish(): Promise<Recovery> {
    if (this.#batchStart === this.#fileBytes) return this.#recovery("whole");
    const tailBytes = this.#fileBytes - this.#batchStart;
    if (tailBytes > BATCH_BYTES_MAX) {
      const fault = this.#fault ?? { at: this.#batchStart, found: "a batch without end" };
      throw this.#damage(fault.at, fault.found);
    }
    this.#lines -= this.#batch.length;
    this.#batch = [];
    const tail = await readExactly(this.#options.file, this.#batchStart, tailBytes);
    const verdict = judgeTail(tail, this.#batchStart);
    if (verdict.kind === "damaged") {
      this.#lines += count(tail.subarray(0, verdict.at - this.#batchStart), NEWLINE);
      throw this.#damage(verdict.at, verdict.found);
    }
    if (verdict.kind === "torn") return this.#recovery("torn", verdict.why);
    this.#takeLines(tail, this.#batchStart);
    return this.#recovery("lacks_newline");
  }

  #recovery(tail: Recovery["tail"], why = ""): Recovery {
    if (tail !== "whole" && !this.#options.isLast) {
      throw this.#damage(this.#batchStart, "an incomplete batch in a file that was complete");
    }
    const lost = this.#options.syncedBytes - this.#batchStart;
    if (lost > 0) {
      const found = tail === "torn" ? "an incomplete batch" : "the end of the file";
      throw this.#damage(this.#batchStart, `${found} where ${lost} more bytes were synced once`);
    }
    const [entries, headerBytes] = [this.#entries, this.#headerBytes];
    return { entries, headerBytes, wholeBytes: this.#batchStart, tail, why };
  }

  async #readHeader(): Promise<void> {
    const { file, header: { kind, segment, after } } = this.#options;
    const found = await readHeader(file);
    if (found === undefined || found.header.kind !== kind || found.header.segment !== segment) {
      throw this.#damage(0, `another first line than that of a ${kind} of this version`);
    }
    if (after !== undefined && found.header.after !== after) {
      const before = `the segment before it had ${found.header.after} bytes`;
      throw this.#damage(0, `that ${before}, where there are ${after}`);
    }
    this.#headerBytes = found.bytes;
    this.#batchStart = found.bytes;
    this.#options.onHeader?.(found.bytes);
    this.#lines = 1;
  }

  /** Reads the lines that end in `bytes`, which begin at offset `at`; returns their length. */
  #readLines(bytes: Uint8Array, at: number, searched: number): number {
    const messages = new MessageLines(bytes);
    let start = 0;
    let end = messages.endOfLine(searched);
    for (; end < bytes.length; end = messages.endOfLine(start)) {
      const found = sealFault(bytes, start, end);
      if (found !== undefined) {
        this.#fault = { at: at + start, found };
        break;
      }
      const line = messages.read(start, end) ??
        this.#decode(bytes.subarray(start, end), at + start);
      this.#takeLine(line, at + start, end - start);
      start = end + 1;
    }
    return start;
  }

  /** Takes in the lines of a batch of which all but the last newline is there. */
  #takeLines(batch: Uint8Array, at: number): void {
    for (let start = 0; start < batch.length;) {
      const newline = batch.indexOf(NEWLINE, start);
      const end = newline < 0 ? batch.length : newline;
      const line = this.#decode(batch.subarray(start, end), at + start);
      this.#takeLine(line, at + start, end - start);
      start = end + 1;
    }
  }

  #takeLine({ entry, batch }: Line, at: number, bytes: number): void {
    this.#batch.push(entry);
    this.#lines++;
    if (batch === undefined) return;
    const [records, before] = [this.#batch.length, at - this.#batchStart];
    if (!markerFits(batch, records, before)) {
      this.#lines--;
      const says = `${batch.records} lines and ${batch.bytes} bytes before it`;
      throw this.#damage(at, `a batch marker of ${says}, after ${records - 1} and ${before}`);
    }
    for (const [index, one] of this.#batch.entries()) {
      const fault = this.#options.apply(one);
      if (fault === undefined) continue;
      this.#lines += index - records;
      throw this.#damage(this.#batchStart, fault);
    }
    this.#entries += records;
    this.#batch = [];
    this.#batchStart = at + bytes + 1;
    this.#options.onBatch?.(this.#batchStart);
  }

  /** A line whose checksum is right holds what was written: what is wrong with it is no crash. */
  #decode(bytes: Uint8Array, at: number): Line {
    try {
      return decodeLine(bytes);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      throw this.#damage(at, `a record that cannot be understood (${error.message})`);
    }
  }

  #damage(at: number, found: string): RecoveryError {
    const { path } = this.#options;
    const line = this.#lines + 1;
    const whole = Math.min(this.#batchStart, this.#fileBytes);
    const node = path.replace(/[^/\\]*$/, "node.json");
    let message = `Cannot read journal ${path}: found ${found} at line ${line}, byte ${at}. ` +
      "No crash explains that, so nothing was changed. Get what is damaged from another node with " +
      "chat log verify --repair, or restore a backup.";
    if (this.#options.isLast && whole > 0) {
      message += " Only if this machine lost power in its last write and you accept losing the " +
        `${this.#fileBytes - whole} bytes from byte ${whole} on: ` +
        `truncate -s ${whole} ${shellWord(path)} && rm ${shellWord(node)}`;
    }
    return new RecoveryError(path, line, at, message);
  }
}

function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function enlarge(buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * buffer.length);
  larger.set(buffer);
  return larger;
}

function count(bytes: Uint8Array, wanted: number): number {
  return bytes.reduce((sum, byte) => byte === wanted ? sum + 1 : sum, 0);
}
