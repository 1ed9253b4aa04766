import { basename, dirname } from "node:path";
import { FileError, type Files, type OpenFile, type OpenMode } from "../journal/files.ts";

/** What a disk writes as a whole or not at all. */
const SECTOR_BYTES = 512;

interface Range {
  readonly from: number;
  readonly to: number;
}

/** A file as the system shows it, and as it is on disk. */
interface StoredFile {
  readonly identity: string;
  bytes: Uint8Array<ArrayBuffer>;
  synced: Uint8Array<ArrayBuffer>;
  /** What a failed sync has dropped: the system shows it, and will never write it. */
  dropped: readonly Range[];
  isLocked: boolean;
}

interface StoredDirectory {
  readonly names: Map<string, StoredFile>;
  synced: ReadonlyMap<string, StoredFile>;
}

/** Whether something happened, of which nobody can know. */
export type Chance = () => boolean;

/** A disk in memory, which forgets in a power cut what was not synced. */
export class MemoryDisk implements Files {
  #directories = new Map<string, StoredDirectory>();
  #made = 0;

  /** The bytes of a file; undefined if there is none. */
  get(path: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#find(path)?.bytes;
  }

  /** Changes a file behind everybody's back: its identity stays. */
  put(path: string, bytes: Uint8Array<ArrayBuffer>): void {
    const file = this.#find(path);
    if (file === undefined) throw missing("put", path);
    file.bytes = file.synced = bytes;
  }

  /** A sync of the file fails: what it was to write counts as written from now on, and is not. */
  failSync(path: string): void {
    const file = this.#find(path);
    if (file === undefined) return;
    const range = { from: file.synced.length, to: file.bytes.length };
    if (range.from < range.to) file.dropped = [...file.dropped, range];
  }

  /** As if every file had been made anew, as by `cp -r`. */
  copyAsFiles(): MemoryDisk {
    const disk = this.copy();
    for (const { names } of disk.#directories.values()) {
      for (const [name, file] of names) names.set(name, { ...file, identity: `${++disk.#made}` });
    }
    for (const directory of disk.#directories.values()) directory.synced = new Map(directory.names);
    return disk;
  }

  contentsOf(directory: string): Map<string, Uint8Array<ArrayBuffer>> {
    const { names } = this.#directories.get(directory) ?? { names: new Map() };
    return new Map([...names].map(([name, { bytes }]) => [name, bytes]));
  }

  namesIn(directory: string): string[] {
    return [...this.#directories.get(directory)?.names.keys() ?? []].sort();
  }

  /** The same disk, that goes its own way from now on; nobody has anything locked there. */
  copy(): MemoryDisk {
    return this.#copyWith(
      ({ names, synced }) => [names, synced],
      ({ bytes, synced }) => [bytes, synced],
      ({ dropped }) => dropped,
    );
  }

  /**
   * What is there after a power cut now: of each name and each sector that was not synced, chance says
   * whether it got to the disk.
   */
  afterPowerCut(happened: Chance): MemoryDisk {
    return this.#copyWith(
      ({ names, synced }) => {
        const left = namesLeft(names, synced, happened);
        return [left, left];
      },
      (file) => {
        const left = bytesLeft(file, happened);
        return [left, left];
      },
    );
  }

  isDirectory(path: string): Promise<boolean> {
    // What is above of what was made here is taken as given.
    return Promise.resolve(this.#directories.has(path) || this.#directories.size === 0);
  }

  makeDirectory(path: string): Promise<void> {
    this.#directories.set(path, { names: new Map(), synced: new Map() });
    return Promise.resolve();
  }

  list(path: string): Promise<readonly string[] | undefined> {
    const directory = this.#directories.get(path);
    return Promise.resolve(directory && [...directory.names.keys()]);
  }

  open(path: string, mode: OpenMode): Promise<OpenFile> {
    let file = this.#find(path);
    if (file === undefined) {
      const names = this.#directories.get(dirname(path))?.names;
      if (mode === "read" || names === undefined) return Promise.reject(missing("open", path));
      const none = new Uint8Array(0);
      file = {
        ...{ identity: `${++this.#made}`, bytes: none, synced: none },
        ...{ dropped: [], isLocked: false },
      };
      names.set(basename(path), file);
    }
    if (mode === "replace") file.bytes = new Uint8Array(0);
    return Promise.resolve(new MemoryFile(file));
  }

  rename(from: string, to: string): Promise<void> {
    const file = this.#find(from);
    if (file === undefined) return Promise.reject(missing("rename", from));
    this.#directories.get(dirname(to))?.names.set(basename(to), file);
    return this.remove(from);
  }

  remove(path: string): Promise<void> {
    const removed = this.#directories.get(dirname(path))?.names.delete(basename(path));
    return removed === true ? Promise.resolve() : Promise.reject(missing("remove", path));
  }

  syncDirectory(path: string): Promise<void> {
    const directory = this.#directories.get(path);
    if (directory !== undefined) directory.synced = new Map(directory.names);
    return Promise.resolve();
  }

  #find(path: string): StoredFile | undefined {
    return this.#directories.get(dirname(path))?.names.get(basename(path));
  }

  #copyWith(
    namesOf: (
      directory: StoredDirectory,
    ) => [ReadonlyMap<string, StoredFile>, ReadonlyMap<string, StoredFile>],
    bytesOf: (file: StoredFile) => [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>],
    droppedOf: (file: StoredFile) => StoredFile["dropped"] = () => [],
  ): MemoryDisk {
    const disk = new MemoryDisk();
    disk.#made = this.#made;
    const copies = new Map<StoredFile, StoredFile>();
    const copyOf = (file: StoredFile) => {
      let copy = copies.get(file);
      if (copy === undefined) {
        const [bytes, synced] = bytesOf(file);
        const dropped = droppedOf(file);
        copy = { identity: file.identity, bytes, synced, dropped, isLocked: false };
        copies.set(file, copy);
      }
      return copy;
    };
    const mapOf = (names: ReadonlyMap<string, StoredFile>) =>
      new Map([...names].map(([name, file]) => [name, copyOf(file)]));
    for (const [path, directory] of this.#directories) {
      const [names, synced] = namesOf(directory);
      disk.#directories.set(path, { names: mapOf(names), synced: mapOf(synced) });
    }
    return disk;
  }
}

class MemoryFile implements OpenFile {
  readonly #file: StoredFile;
  #hasLock = false;

  constructor(file: StoredFile) {
    this.#file = file;
  }

  read(into: Uint8Array, at: number): Promise<number> {
    const some = this.#file.bytes.subarray(at, at + into.length);
    into.set(some);
    return Promise.resolve(some.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    const { bytes: before } = this.#file;
    const after = new Uint8Array(before.length + bytes.length);
    after.set(before);
    after.set(bytes, before.length);
    this.#file.bytes = after;
    return Promise.resolve(bytes.length);
  }

  sync(): Promise<void> {
    this.#file.synced = reallyWritten(this.#file);
    return Promise.resolve();
  }

  truncate(bytes: number): Promise<void> {
    this.#file.bytes = this.#file.bytes.slice(0, bytes);
    this.#file.dropped = this.#file.dropped.filter(({ from }) => from < bytes);
    return Promise.resolve();
  }

  stat(): Promise<{ bytes: number; identity: string }> {
    return Promise.resolve({ bytes: this.#file.bytes.length, identity: this.#file.identity });
  }

  tryLock(): Promise<boolean> {
    if (this.#file.isLocked) return Promise.resolve(false);
    this.#file.isLocked = this.#hasLock = true;
    return Promise.resolve(true);
  }

  close(): void {
    if (this.#hasLock) this.#file.isLocked = false;
  }
}

function reallyWritten({ bytes, dropped }: StoredFile): Uint8Array<ArrayBuffer> {
  if (dropped.length === 0) return bytes;
  const written = bytes.slice();
  for (const { from, to } of dropped) written.fill(0, from, to);
  return written;
}

function namesLeft(
  now: ReadonlyMap<string, StoredFile>,
  synced: ReadonlyMap<string, StoredFile>,
  happened: Chance,
): Map<string, StoredFile> {
  const left = new Map<string, StoredFile>();
  for (const name of new Set([...now.keys(), ...synced.keys()])) {
    const file = now.get(name) === synced.get(name) || happened()
      ? now.get(name)
      : synced.get(name);
    if (file !== undefined) left.set(name, file);
  }
  return left;
}

function bytesLeft({ bytes, synced }: StoredFile, happened: Chance): Uint8Array<ArrayBuffer> {
  if (bytes === synced) return bytes;
  const different = synced.findIndex((byte, at) => byte !== bytes[at]);
  // It was cut, or made anew.
  if (different >= 0 && !happened()) return synced;
  const from = different < 0 ? synced.length : different;
  const left = bytes.slice();
  let length = from;
  for (let start = from; start < bytes.length;) {
    const end = Math.min(bytes.length, (Math.floor(start / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (happened()) length = end;
    else left.fill(0, start, end);
    // The length is of its own, and may be there without the bytes.
    if (happened()) length = end;
    start = end;
  }
  return left.slice(0, length);
}

function missing(action: string, path: string): FileError {
  return new FileError(action, path, "No such file or directory (os error 2)", "ENOENT");
}
