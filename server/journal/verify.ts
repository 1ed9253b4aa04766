import { join } from "node:path";
import { type Entry, isStateRecord } from "../core/state_record.ts";
import { VersionVector } from "../core/version_vector.ts";
import { FIRST_SEGMENT } from "./layout.ts";
import { NODE_FILE, type NodeFile } from "./node_file.ts";
import type { DataFile, OpenedData } from "./opened_data.ts";
import {
  type FaultInFile,
  type Scan,
  scanFile,
  type ScannedEntry,
  type ScannedTail,
} from "./scan.ts";
import { headerLine, readExactly, segmentName } from "./segment.ts";

/** What is wrong in a data directory. */
export interface Fault extends Partial<Omit<FaultInFile, "found">> {
  /** Of the file. */
  readonly path: string;
  readonly found: string;
  /** Operations that are not where they should be. */
  readonly missing?: MissingOperations;
}

/** Of one origin, from the first to the last of them. */
export interface MissingOperations {
  readonly origin: string;
  readonly from: number;
  readonly to: number;
}

export interface VerifyOptions {
  /** Is told of everything that is wrong, in order of files. */
  onFault(fault: Fault): Promise<void>;
  /**
   * Is given what is on every line that is right in itself, file by file and line by line: not what is
   * there a second time, and not what of a batch a crash has cut short.
   */
  onEntry?(scanned: ScannedEntry, file: DataFile): void;
  /** Is asked before a file is read who else is to be told of what is in it. */
  watch?(file: DataFile): Promise<FileWatcher>;
  /** Nothing is writing and no crash was: a backup, say. */
  readonly isFinished?: boolean;
}

export interface FileWatcher {
  /** All bytes as they are read, in order. Valid until it returns. */
  read(bytes: Uint8Array): void;
  /** Up to `wholeBytes` there are only whole batches so far. */
  progress(wholeBytes: number): Promise<void>;
  /** There is no more of the file. */
  end(): Promise<void>;
}

export interface Verification {
  readonly faults: number;
  readonly files: number;
  readonly lines: number;
  readonly bytes: number;
  /** Operations that are there one by one. */
  readonly operations: number;
  /** What the intact entries stand for, with gaps where something is missing. */
  readonly vector: VersionVector;
  /** The end of the last file, if it is no whole batch and that is no fault. */
  readonly tail: (ScannedTail & Pick<DataFile, "path">) | undefined;
  /** The name of the last file if that was made and not begun: by a crash, or just now. */
  readonly unbegun: string | undefined;
}

/**
 * Checks all that is in a data directory: first lines, checksums, records, batches, that no segment and
 * no operation is missing or there twice, that the snapshot has its end, and what node.json says of it.
 * It goes on after what is wrong. Rejects with FileError.
 */
export async function verifyData(data: OpenedData, options: VerifyOptions): Promise<Verification> {
  return await new Verifier(data, options).run();
}

/** The fault on one line, for people and programs. What was found may be somebody's text. */
export function describeFault({ path, line, at, found }: Fault): string {
  const what = found.replaceAll(/[\p{Cc}\p{Cf}]/gu, (char) => {
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return line === undefined ? `${path}: ${what}` : `${path}:${line} byte ${at}: ${what}`;
}

class Verifier {
  readonly #data: OpenedData;
  readonly #options: VerifyOptions;
  readonly #nodeFile: NodeFile | undefined;
  readonly #vector = new VersionVector();
  /** Noted while lines were read. */
  #untold: Fault[] = [];
  #faults = 0;
  #lines = 0;
  #bytes = 0;
  #operations = 0;
  #isAfterFault = false;
  /** The last entry of the file. */
  #last: Entry | undefined;
  #tail: Verification["tail"];
  #unbegun: string | undefined;

  constructor(data: OpenedData, options: VerifyOptions) {
    this.#data = data;
    this.#options = options;
    const { nodeFile } = data;
    this.#nodeFile = nodeFile !== undefined && "epoch" in nodeFile ? nodeFile : undefined;
  }

  async run(): Promise<Verification> {
    const { files, position } = this.#data;
    await this.#checkNodeFile();
    const read = files.filter(({ segment }) => segment <= (position?.segment ?? Infinity));
    let [before, after]: [DataFile | undefined, number | undefined] = [undefined, undefined];
    for (const file of read) {
      await this.#tellMissing(before, file.segment);
      const isNext = before?.kind === "journal" && before.segment === file.segment - 1;
      if (!isNext) after = file.segment === FIRST_SEGMENT ? 0 : undefined;
      const isLast = file === read.at(-1);
      if (isLast && await this.#isUnbegun(file, after)) {
        this.#unbegun = file.name;
        break;
      }
      const scan = await this.#scan(file, isLast, file.kind === "snapshot" ? undefined : after);
      await this.#checkEnd(file, isLast, scan);
      [before, after] = [file, scan.bytesRead];
    }
    await this.#tellMissing(before, Infinity);
    return {
      faults: this.#faults,
      files: read.length,
      lines: this.#lines,
      bytes: this.#bytes,
      operations: this.#operations,
      vector: this.#vector,
      tail: this.#tail,
      unbegun: this.#unbegun,
    };
  }

  async #checkNodeFile(): Promise<void> {
    const { directory, nodeFile, files, missing } = this.#data;
    const path = join(directory, NODE_FILE);
    if (nodeFile !== undefined && "failed" in nodeFile) {
      await this.#tell({ path, found: `damaged (${nodeFile.failed})` });
    }
    if (this.#nodeFile === undefined) return;
    const { segment } = this.#nodeFile;
    const name = segmentName("journal", segment);
    const last = files.at(-1);
    if ((last?.kind !== "journal" || last.segment < segment) && !missing.includes(segment)) {
      await this.#tell({
        path: join(directory, name),
        found: `missing, though ${NODE_FILE} says that it was written to last`,
      });
    }
  }

  /** What is missing between a file and the next, of this number. */
  async #tellMissing(before: DataFile | undefined, next: number): Promise<void> {
    const { directory, missing } = this.#data;
    const first = before?.segment ?? FIRST_SEGMENT;
    for (const number of missing.filter((number) => first <= number && number < next)) {
      await this.#tell({ path: join(directory, segmentName("journal", number)), found: "missing" });
      this.#isAfterFault = true;
    }
  }

  /** As beginSegment() would complete it. */
  async #isUnbegun({ kind, segment, file, bytes }: DataFile, after?: number): Promise<boolean> {
    const { position, nodeFile } = this.#data;
    const mayBe = kind === "journal" && position === undefined && after !== undefined &&
      this.#options.isFinished !== true &&
      (nodeFile === undefined
        ? segment === FIRST_SEGMENT
        : "epoch" in nodeFile && nodeFile.segment < segment);
    if (!mayBe) return false;
    const header = headerLine({ kind, segment, after });
    if (bytes >= header.length) return false;
    const found = await readExactly(file, 0, bytes);
    return found.every((byte, index) => byte === header[index]) ||
      found.every((byte) => byte === 0);
  }

  async #scan(file: DataFile, isLast: boolean, after: number | undefined): Promise<Scan> {
    const { position } = this.#data;
    const { kind, segment } = file;
    const watcher = await this.#options.watch?.(file);
    const isExact = position !== undefined && isLast;
    this.#last = undefined;
    const scan = await scanFile({
      file: file.file,
      bytes: isExact ? Math.min(position.bytes, file.bytes) : file.bytes,
      header: after === undefined ? { kind, segment } : { kind, segment, after },
      mayBeTorn: isLast && kind === "journal" && !isExact && this.#options.isFinished !== true,
      onFault: (fault) => this.#note({ path: file.path, ...fault }),
      onEntry: (scanned) => this.#take(scanned, file),
      onRead: (bytes) => watcher?.read(bytes),
      onProgress: async (wholeBytes) => {
        await this.#tellNoted();
        await watcher?.progress(wholeBytes);
      },
    });
    await watcher?.end();
    this.#isAfterFault ||= scan.isAfterFault;
    this.#lines += scan.lines;
    this.#bytes += scan.bytesRead;
    return scan;
  }

  /** What only the whole file tells. */
  async #checkEnd(file: DataFile, isLast: boolean, scan: Scan): Promise<void> {
    const { path, kind, segment } = file;
    const { bytesRead, wholeBytes, lines, tail } = scan;
    const place = { path, line: tail?.line ?? lines + 1, at: wholeBytes };
    if (kind === "snapshot" && this.#last?.kind !== "coverage") {
      await this.#tell({ ...place, found: "no end of the snapshot" });
      this.#isAfterFault = true;
    }
    if (tail !== undefined) this.#tail = { path, ...tail };
    const { position } = this.#data;
    const syncedBytes = Math.max(
      kind === "journal" && segment === this.#nodeFile?.segment ? this.#nodeFile.journalBytes : 0,
      kind === "journal" && isLast ? position?.bytes ?? 0 : 0,
    );
    const isCut = tail?.kind === "torn";
    const hasBytes = isCut ? wholeBytes : bytesRead + (tail?.kind === "lacks_newline" ? 1 : 0);
    const lost = syncedBytes - hasBytes;
    if (lost <= 0) return;
    const found = isCut ? "an incomplete batch" : "the end of the file";
    await this.#tell({ ...place, found: `${found} where ${lost} more bytes were synced once` });
    this.#isAfterFault = true;
  }

  #take(scanned: ScannedEntry, file: DataFile): void {
    const { entry, line, at } = scanned;
    this.#last = entry;
    this.#isAfterFault ||= scanned.isAfterFault;
    if (isStateRecord(entry)) {
      if (entry.kind === "coverage") this.#vector.include(VersionVector.of(entry.vector));
    } else {
      const fault = this.#faultOfPlace(entry.origin, entry.seq);
      if (fault !== undefined) {
        this.#note({ path: file.path, line, at, ...fault });
        if (fault.missing === undefined) return;
        this.#isAfterFault = true;
      }
      this.#operations++;
    }
    const isAfterFault = this.#isAfterFault;
    this.#isAfterFault = false;
    this.#options.onEntry?.(isAfterFault ? { ...scanned, isAfterFault } : scanned, file);
  }

  /** An origin's operations are there once and in sequence. */
  #faultOfPlace(origin: string, seq: number): Pick<Fault, "found" | "missing"> | undefined {
    const due = this.#vector.seqOf(origin) + 1;
    if (seq === due) {
      this.#vector.advance(origin, seq);
      return undefined;
    }
    if (seq < due) return { found: `operation ${seq} of ${origin} a second time` };
    this.#vector.advance(origin, seq);
    const missing = { origin, from: due, to: seq - 1 };
    return { found: `operation ${seq} of ${origin} where ${due} is due`, missing };
  }

  #note(fault: Fault): void {
    this.#faults++;
    this.#untold.push(fault);
  }

  async #tellNoted(): Promise<void> {
    const untold = this.#untold;
    this.#untold = [];
    for (const fault of untold) await this.#options.onFault(fault);
  }

  async #tell(fault: Fault): Promise<void> {
    this.#note(fault);
    await this.#tellNoted();
  }
}
