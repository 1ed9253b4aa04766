import type { Entry } from "../core/state_record.ts";
import { BATCH_BYTES_MAX, LINE_BYTES_MAX, markerFits, sealFault } from "./batch.ts";
import { RecordError } from "./fields.ts";
import type { OpenFile } from "./files.ts";
import { MessageLines } from "./message_line.ts";
import { type BatchMarker, decodeLine, type Line } from "./record.ts";
import { decodeHeader, readExactly, type SegmentHeader } from "./segment.ts";
import { judgeTail } from "./tail.ts";

/** What is wrong in a file of a data directory, and where. */
export interface FaultInFile {
  /** From 1. */
  readonly line: number;
  /** The offset in the file, in bytes. */
  readonly at: number;
  readonly found: string;
}

/** What is on a line that is right in itself. */
export interface ScannedEntry {
  readonly entry: Entry;
  readonly line: number;
  readonly at: number;
  /** Whether something between this entry and the one before is damaged or missing. */
  readonly isAfterFault: boolean;
}

export interface ScanOptions {
  readonly file: Pick<OpenFile, "read">;
  /** So much of the file is looked at. */
  readonly bytes: number;
  /** What the file has to begin with; what is undefined is not known. */
  readonly header: Partial<SegmentHeader>;
  /** Whether the end may be what a crash leaves of a batch, or what of one is written so far. */
  readonly mayBeTorn: boolean;
  onFault(fault: FaultInFile): void;
  /** Is given each entry of a batch when the end of that was seen, so none of a torn tail. */
  onEntry(scanned: ScannedEntry): void;
  /** All bytes as they are read, in order. Valid until it returns. */
  onRead?(bytes: Uint8Array): void;
  /** Up to `wholeBytes` there are only whole batches so far, all of whose entries were given. */
  onProgress(wholeBytes: number): Promise<void>;
}

export interface Scan {
  /** With the header. */
  readonly lines: number;
  readonly bytesRead: number;
  /** Where the last whole batch ends. */
  readonly wholeBytes: number;
  /** What comes after it, if that is no fault. */
  readonly tail: ScannedTail | undefined;
  /** Whether the end of the file is damaged or missing. */
  readonly isAfterFault: boolean;
}

export interface ScannedTail {
  readonly line: number;
  readonly at: number;
  readonly bytes: number;
  /** `lacks_newline`: whole but for that. Its entries were given. */
  readonly kind: "torn" | "lacks_newline";
  readonly why: string;
}

const CHUNK_BYTES = 2 ** 18;
const NEWLINE = 0x0a;

/**
 * Reads a file of a data directory from its first byte to its last, a chunk at a time, and goes on
 * after whatever is wrong, with the next line. Where recovery.ts would stop, this tells a fault; what it
 * would take or cut, this takes or tells as the tail. Rejects with FileError.
 */
export async function scanFile(options: ScanOptions): Promise<Scan> {
  return await new Scanner(options).run();
}

/** What has been read since the end of the last batch without a fault. */
interface Stretch {
  readonly start: number;
  readonly firstLine: number;
  readonly entries: ScannedEntry[];
  readonly faults: FaultInFile[];
  /** Whether the marker of a batch's end was the last of it. */
  isEnded: boolean;
  /** Whether its start is that of a batch: otherwise no marker can be judged by it. */
  readonly isBatch: boolean;
}

class Scanner {
  readonly #options: ScanOptions;
  /** Where the line begins that is read next, and which it is. */
  #at = 0;
  #line = 1;
  #bytesRead = 0;
  #wholeBytes = 0;
  #isAfterFault = false;
  #isSkipping = false;
  #stretch: Stretch;

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#stretch = this.#newStretch(true);
  }

  async run(): Promise<Scan> {
    const { file, bytes, onRead, onProgress } = this.#options;
    let buffer = new Uint8Array(Math.min(CHUNK_BYTES, bytes + 1));
    let filled = 0;
    while (this.#bytesRead < bytes) {
      if (filled === buffer.length) buffer = enlarge(buffer);
      const space = Math.min(buffer.length - filled, bytes - this.#bytesRead);
      const read = await file.read(buffer.subarray(filled, filled + space), this.#bytesRead);
      // It was cut since: by a node that starts, say.
      if (read === 0) break;
      this.#bytesRead += read;
      onRead?.(buffer.subarray(filled, filled + read));
      filled += read;
      const used = this.#readLines(buffer.subarray(0, filled), filled - read);
      buffer.copyWithin(0, used, filled);
      filled -= used;
      await onProgress(this.#wholeBytes);
    }
    const tail = await this.#finish(buffer.subarray(0, filled));
    await onProgress(this.#wholeBytes);
    return {
      lines: this.#line - 1,
      bytesRead: this.#bytesRead,
      wholeBytes: this.#wholeBytes,
      tail,
      isAfterFault: this.#isAfterFault,
    };
  }

  /** Reads the lines that end in `bytes`; returns their length. */
  #readLines(bytes: Uint8Array, searched: number): number {
    const messages = new MessageLines(bytes);
    let start = 0;
    let end = messages.endOfLine(searched);
    for (; end < bytes.length; end = messages.endOfLine(start)) {
      if (this.#isSkipping) this.#isSkipping = false;
      else if (this.#line === 1) this.#takeHeader(bytes.subarray(start, end));
      else this.#takeLine(bytes, start, end, messages);
      this.#at += end + 1 - start;
      this.#line++;
      start = end + 1;
      this.#endStretch();
    }
    if (bytes.length - start <= LINE_BYTES_MAX && !this.#isSkipping) return start;
    if (!this.#isSkipping) this.#fault(this.#at, "no end of the line");
    this.#isSkipping = true;
    this.#at += bytes.length - start;
    return bytes.length;
  }

  #takeHeader(line: Uint8Array): void {
    const { kind, segment, after } = this.#options.header;
    const header = decodeHeader(line);
    const damage = sealFault(line, 0, line.length);
    if (damage !== undefined) this.#fault(0, `${damage} in the first line`);
    else if (header === undefined || header.kind !== kind || header.segment !== segment) {
      this.#fault(0, `another first line than that of a ${kind} of this version`);
    } else if (after !== undefined && header.after !== after) {
      this.#fault(0, `that the segment before it had ${header.after} bytes, where it has ${after}`);
    }
    this.#stretch.isEnded = true;
  }

  #takeLine(bytes: Uint8Array, start: number, end: number, messages?: MessageLines): void {
    this.#flushEnded();
    const damage = sealFault(bytes, start, end);
    if (damage !== undefined) return this.#fault(this.#at, damage);
    const line = messages?.read(start, end) ?? this.#decode(bytes.subarray(start, end));
    if (line === undefined) return;
    const { entry, batch } = line;
    const isAfterFault = this.#isAfterFault;
    this.#isAfterFault = false;
    this.#stretch.entries.push({ entry, line: this.#line, at: this.#at, isAfterFault });
    if (batch !== undefined) this.#takeMarker(batch);
  }

  #decode(bytes: Uint8Array): Line | undefined {
    try {
      return decodeLine(bytes);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      this.#fault(this.#at, `a record that cannot be understood (${error.message})`);
      return undefined;
    }
  }

  #takeMarker(marker: BatchMarker): void {
    const { start, firstLine, faults, isBatch } = this.#stretch;
    const [records, before] = [this.#line - firstLine + 1, this.#at - start];
    this.#stretch.isEnded = true;
    // After a fault, that it does not fit tells nothing new.
    if (!isBatch || faults.length > 0 || markerFits(marker, records, before)) return;
    const says = `${marker.records} lines and ${marker.bytes} bytes before it`;
    this.#fault(this.#at, `a batch marker of ${says}, after ${records - 1} and ${before}`);
  }

  #fault(at: number, found: string, line = this.#line): void {
    this.#stretch.faults.push({ line, at, found });
    this.#isAfterFault = true;
  }

  /** After a line: what can be told of the stretch is told. */
  #endStretch(): void {
    const { isEnded, faults, start, firstLine, isBatch } = this.#stretch;
    // At the end of the file, a fault may be a torn tail's: see #finish.
    if (isEnded && faults.length === 0) return this.#flush(true);
    if (this.#at - start <= BATCH_BYTES_MAX) return;
    if (faults.length === 0 && isBatch) this.#fault(start, "a batch without end", firstLine);
    this.#flush(false);
  }

  #flushEnded(): void {
    const { isEnded, start, faults } = this.#stretch;
    // Where the first line ends is not known if it is damaged.
    if (isEnded) this.#flush(start > 0 || faults.length === 0);
  }

  #flush(isBatch: boolean): void {
    const { onFault, onEntry } = this.#options;
    const { faults, entries } = this.#stretch;
    for (const fault of faults) onFault(fault);
    for (const entry of entries) onEntry(entry);
    if (isBatch) this.#wholeBytes = this.#at;
    this.#stretch = this.#newStretch(isBatch);
  }

  #newStretch(isBatch: boolean): Stretch {
    const [start, firstLine] = [this.#at, this.#line];
    return { start, firstLine, entries: [], faults: [], isEnded: false, isBatch };
  }

  /** Judges the end of the file, of which `rest` is no whole line. */
  async #finish(rest: Uint8Array): Promise<ScannedTail | undefined> {
    const { start, firstLine, faults, isEnded, isBatch } = this.#stretch;
    const bytes = this.#bytesRead - start;
    if (this.#line === 1) this.#fault(0, "no first line");
    else if (bytes === 0) return undefined;
    else if (start > 0 && isBatch && this.#options.mayBeTorn && bytes <= BATCH_BYTES_MAX) {
      const tail = await readExactly(this.#options.file, start, bytes);
      const verdict = judgeTail(tail, start);
      if (verdict.kind === "torn") return { line: firstLine, at: start, bytes, ...verdict };
      if (verdict.kind === "lacks_newline") return this.#complete(rest);
      if (faults.length === 0) {
        const line = firstLine + count(tail.subarray(0, verdict.at - start), NEWLINE);
        this.#fault(verdict.at, verdict.found, line);
      }
    } else if (faults.length === 0) {
      this.#fault(start, "an incomplete batch where all is complete", firstLine);
    } else if (rest.length > 0) this.#fault(this.#at, "no end of the line");
    this.#flush(isEnded);
    return undefined;
  }

  /** Takes in a batch that is whole but for its newline. */
  #complete(rest: Uint8Array): ScannedTail {
    const { start, firstLine: line } = this.#stretch;
    this.#takeLine(rest, 0, rest.length);
    this.#at += rest.length;
    this.#line++;
    this.#flush(true);
    const why = "its newline is missing";
    return { line, at: start, bytes: this.#at - start, kind: "lacks_newline", why };
  }
}

function count(bytes: Uint8Array, wanted: number): number {
  return bytes.reduce((sum, byte) => byte === wanted ? sum + 1 : sum, 0);
}

function enlarge(buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * buffer.length);
  larger.set(buffer);
  return larger;
}
