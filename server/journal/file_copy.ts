import { createHash, type Hash } from "node:crypto";
import { dirname, join } from "node:path";
import { makeDirectories } from "./data_directory.ts";
import { FileError, type Files, type OpenFile, StorageError, writeAll } from "./files.ts";

/** A disk is given so much at a time, so that a node that runs on it does not wait long for its own. */
const SYNC_EVERY_BYTES = 4 * 1024 * 1024;

/** Writes what is read of a file into another, as far as it is known to be good. */
export class FileCopy {
  readonly #file: OpenFile;
  readonly #path: string;
  readonly #hash: Hash = createHash("sha256");
  /** Read and not written. */
  #pending: Uint8Array[] = [];
  #bytes = 0;
  #unsynced = 0;

  private constructor(file: OpenFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Makes a file, or empties it. Rejects with FileError, as all here. */
  static async begin(files: Files, path: string): Promise<FileCopy> {
    return new FileCopy(await files.open(path, "replace"), path);
  }

  /** So much is written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds what comes next. */
  add(bytes: Uint8Array): void {
    this.#pending.push(bytes.slice());
  }

  /** Writes what was added up to `end`, an offset in the file. */
  async writeUpTo(end: number): Promise<void> {
    while (this.#bytes < end) {
      const next = this.#pending.shift();
      if (next === undefined) return;
      const some = next.subarray(0, end - this.#bytes);
      if (some.length < next.length) this.#pending.unshift(next.subarray(some.length));
      await writeAll(this.#file, this.#path, some);
      this.#hash.update(some);
      this.#bytes += some.length;
      this.#unsynced += some.length;
    }
    if (this.#unsynced >= SYNC_EVERY_BYTES) await this.#sync();
  }

  /** Resolves, once all that was written is on disk, to its SHA-256. */
  async finish(): Promise<string> {
    await this.#sync();
    return this.#hash.digest("hex");
  }

  close(): void {
    this.#file.close();
  }

  async #sync(): Promise<void> {
    this.#unsynced = 0;
    await this.#file.sync();
  }
}

/** A directory that copies are made in, and what is in it by now. */
export class Destination {
  readonly path: string;
  readonly #files: Files;
  readonly #isNew: boolean;
  /** What is removed last is first. */
  readonly #names: string[] = [];

  private constructor(files: Files, path: string, isNew: boolean) {
    this.#files = files;
    this.path = path;
    this.#isNew = isNew;
  }

  /** Makes the directory, durably, unless it is there. Rejects with FileError. */
  static async begin(files: Files, path: string): Promise<Destination> {
    const isNew = await files.list(path) === undefined;
    if (isNew) {
      await makeDirectories(files, path);
      await files.syncDirectory(dirname(path));
    }
    return new Destination(files, path, isNew);
  }

  /** The path of a file that is to be there from now on. */
  add(name: string): string {
    this.#names.push(name);
    return join(this.path, name);
  }

  /** A file that others may have had before there was a copy. */
  addIfNew(name: string): void {
    if (this.#isNew) this.add(name);
  }

  /** Removes what is there by now, as far as the disk lets it; the error that tells of that, too. */
  async abandon(cause: StorageError): Promise<StorageError> {
    try {
      const there = await this.#files.list(this.path) ?? [];
      for (const name of this.#names.toReversed()) {
        if (there.includes(name)) await this.#files.remove(join(this.path, name));
      }
      if (this.#isNew) await this.#files.remove(this.path);
      return new StorageError(`${cause.message} (What was written is removed again.)`, { cause });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      const left = `What was written is left in ${this.path}: ${error.message}. Remove it.`;
      return new StorageError(`${cause.message} (${left})`, { cause });
    }
  }
}
