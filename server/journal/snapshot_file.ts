import { join } from "node:path";
import { NO_PLACE, type StateRecord } from "../core/state_record.ts";
import type { Stamp } from "../core/operation.ts";
import type { VersionVector } from "../core/version_vector.ts";
import { BatchEncoder } from "./batch.ts";
import { FileError, type Files, type OpenFile, writeAll } from "./files.ts";
import { headerLine, segmentName } from "./segment.ts";

/** A file of state records that ends with what they stand for. */
export interface Snapshot {
  readonly path: string;
  /** It stands for all segments before this one. */
  readonly segment: number;
  readonly headerBytes: number;
  /** With the header. */
  readonly bytes: number;
  readonly entries: number;
  readonly vector: VersionVector;
}

const DRAFT = /^snapshot-\d+\.jsonl\.new$/;

/** Whether a file of this name was to become a snapshot. */
export function isSnapshotDraft(name: string): boolean {
  return DRAFT.test(name);
}

/** A disk is given so much at a time, so that others' syncs do not wait long. */
const SYNC_EVERY_BYTES = 512 * 1024;

/** Writes a snapshot beside what it is to replace: nothing of it counts before it is finished. */
export class SnapshotWriter {
  readonly #files: Files;
  readonly #directory: string;
  readonly #segment: number;
  readonly #file: OpenFile;
  readonly #encoder = new BatchEncoder();
  readonly #headerBytes: number;
  #isOpen = true;
  /** Where the file is. */
  #path: string;
  #bytes: number;
  #unsynced = 0;
  #entries = 0;

  private constructor(
    files: Files,
    directory: string,
    segment: number,
    file: OpenFile,
    headerBytes: number,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#segment = segment;
    this.#file = file;
    this.#path = draftPath(directory, segment);
    this.#headerBytes = this.#bytes = headerBytes;
  }

  /** Of a snapshot that stands for all segments before `segment`. Rejects with FileError, as all here. */
  static async begin(files: Files, directory: string, segment: number): Promise<SnapshotWriter> {
    const draft = draftPath(directory, segment);
    const file = await files.open(draft, "replace");
    const header = headerLine({ kind: "snapshot", segment, after: 0 });
    const writer = new SnapshotWriter(files, directory, segment, file, header.length);
    try {
      await writeAll(file, draft, header);
      return writer;
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  /** Adds records, as one batch. */
  async add(records: readonly StateRecord[]): Promise<void> {
    for (let next = 0; next < records.length;) {
      next = this.#encoder.encode(records, next);
      const { written } = this.#encoder;
      await writeAll(this.#file, this.#path, written);
      this.#bytes += written.length;
      this.#unsynced += written.length;
    }
    this.#entries += records.length;
    if (this.#unsynced < SYNC_EVERY_BYTES) return;
    this.#unsynced = 0;
    await this.#file.sync();
  }

  /** All records were added, and stand for what `vector` covers: now it counts, durably. */
  async finish(vector: VersionVector, clock: Stamp): Promise<Snapshot> {
    const covered = new Map(vector.entries());
    await this.add([{ kind: "coverage", ...NO_PLACE, vector: covered, clock }]);
    await this.#file.sync();
    this.#close();
    const path = join(this.#directory, segmentName("snapshot", this.#segment));
    await this.#files.rename(this.#path, path);
    this.#path = path;
    await this.#files.syncDirectory(this.#directory);
    return {
      path,
      segment: this.#segment,
      headerBytes: this.#headerBytes,
      bytes: this.#bytes,
      entries: this.#entries,
      vector,
    };
  }

  /** Leaves nothing behind. Where the disk does not let it, the next compaction or start does. */
  async abandon(): Promise<void> {
    this.#close();
    try {
      await this.#files.remove(this.#path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
    }
  }

  #close(): void {
    if (this.#isOpen) this.#file.close();
    this.#isOpen = false;
  }
}

function draftPath(directory: string, segment: number): string {
  return `${join(directory, segmentName("snapshot", segment))}.new`;
}
