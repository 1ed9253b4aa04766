import { basename } from "node:path";
import { FileError, type Files, type OpenFile, type OpenMode } from "../../journal/files.ts";
import { MemoryDisk } from "../memory_disk.ts";
import type { Random } from "../random.ts";
import type { Process, Scheduler } from "./scheduler.ts";

/** How long calls take, in µs at most. */
export interface DiskSpeed {
  readonly callUs: number;
  readonly syncUs: number;
}

/** Told of what is on disk for good. */
export interface DiskWitness {
  /** These bytes of a file, which follow those that it was told of before. */
  synced(machine: string, file: string, bytes: Uint8Array): void;
}

/** A process is killed in the middle of a call that it made. */
type Interrupt = (random: Random) => void;

const NO_SPACE = ["No space left on device (os error 28)", "ENOSPC"] as const;
const IO_ERROR = ["Input/output error (os error 5)", "EIO"] as const;

/** One machine's disk: it outlives processes, and forgets in a power cut what was not synced. */
export class SimulatedDisk {
  readonly #machine: string;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #witness: DiskWitness;
  #memory = new MemoryDisk();
  /** By file name, how much of it the witness was told of. */
  #told = new Map<string, number>();
  #pending = new Set<{ readonly interrupt: Interrupt }>();
  #locks: OpenFile[] = [];
  speed: DiskSpeed;
  /** From now on nothing more can be written. */
  isFull = false;
  /** So many of the next syncs of files fail. */
  failingSyncs = 0;
  /** Called once, in the place of the next sync: what was written is not synced yet. */
  beforeNextSync: (() => void) | undefined;
  /** Whether it was full, or failed, for the process that uses it now. */
  #hasFailed = false;

  constructor(
    machine: string,
    parts: { scheduler: Scheduler; random: Random; witness: DiskWitness; speed: DiskSpeed },
  ) {
    this.#machine = machine;
    this.#scheduler = parts.scheduler;
    this.#random = parts.random;
    this.#witness = parts.witness;
    this.speed = parts.speed;
  }

  /** Whether a node that ends may say that it is because of the disk. */
  get isToBlame(): boolean {
    return this.#hasFailed || this.isFull || this.failingSyncs > 0;
  }

  /** It works from now on. */
  mend(): void {
    this.isFull = false;
    this.failingSyncs = 0;
    this.beforeNextSync = undefined;
  }

  /** What is there, as the system shows it. */
  contentsOf(directory: string): Map<string, Uint8Array> {
    return this.#memory.contentsOf(directory);
  }

  /** The process that used it was killed: the system has what was written. */
  processEnded(): void {
    for (const call of this.#pending) call.interrupt(this.#random);
    this.#pending.clear();
    this.beforeNextSync = undefined;
    this.#hasFailed = false;
    for (const lock of this.#locks.splice(0)) lock.close();
  }

  /** To be called after {@linkcode processEnded}: any of what was not synced is gone. */
  losePower(): void {
    // Of some cuts almost all is lost, of others almost nothing.
    const oneIn = this.#random.between(1, 6);
    const isMostlyKept = this.#random.oneIn(2);
    this.#memory = this.#memory.afterPowerCut(() => this.#random.oneIn(oneIn) === isMostlyKept);
  }

  /** A copy as a virtual machine's snapshot makes it, or as `cp -r` does, with new files. */
  copy(asFiles: boolean): () => void {
    const copy = asFiles ? this.#memory.copyAsFiles() : this.#memory.copy();
    const told = new Map(this.#told);
    return () => {
      this.#memory = copy.copy();
      this.#told = new Map(told);
    };
  }

  wipe(): void {
    this.#memory = new MemoryDisk();
    this.#told.clear();
  }

  /** The disk as `process` uses it. */
  filesOf(process: Process): Files {
    const memory = () => this.#memory;
    const call = <T>(what: string, path: string, effect: () => Promise<T>) =>
      this.#call(process, `${what} ${basename(path)}`, effect);
    return {
      isDirectory: (path) => call("look at", path, () => memory().isDirectory(path)),
      makeDirectory: (path) =>
        call("make", path, async () => {
          this.#checkRoom("make directory", path);
          await memory().makeDirectory(path);
        }),
      list: (path) => call("list", path, () => memory().list(path)),
      open: (path, mode) => call("open", path, () => this.#open(process, path, mode)),
      rename: (from, to) =>
        call("rename", from, async () => {
          await memory().rename(from, to);
          this.#told.set(basename(to), this.#told.get(basename(from)) ?? 0);
          this.#told.delete(basename(from));
        }),
      remove: (path) =>
        call("remove", path, async () => {
          await memory().remove(path);
          this.#told.delete(basename(path));
        }),
      syncDirectory: (path) => this.#sync(process, path, () => memory().syncDirectory(path)),
    };
  }

  async #open(process: Process, path: string, mode: OpenMode): Promise<OpenFile> {
    const name = basename(path);
    const isThere = this.#memory.get(path) !== undefined;
    if (mode !== "read" && !isThere) this.#checkRoom("open", path);
    if (mode === "replace" || !isThere) this.#told.set(name, 0);
    const file = await this.#memory.open(path, mode);
    const call = <T>(what: string, effect: () => Promise<T>, interrupt?: Interrupt) =>
      this.#call(process, `${what} ${name}`, effect, interrupt);
    return {
      read: (into, at) => call("read", () => file.read(into, at)),
      write: (bytes) => this.#write(process, path, file, bytes),
      sync: () => this.#sync(process, path, () => file.sync(), () => this.#tell(path)),
      truncate: (bytes) =>
        call("truncate", async () => {
          await file.truncate(bytes);
          this.#told.set(name, Math.min(this.#told.get(name) ?? 0, bytes));
        }),
      stat: () => call("look at", () => file.stat()),
      tryLock: () =>
        call("lock", async () => {
          const isLocked = await file.tryLock();
          if (isLocked) this.#locks.push(file);
          return isLocked;
          // A lock ends with its process.
        }, () => {}),
      close: () => file.close(),
    };
  }

  #write(process: Process, path: string, file: OpenFile, given: Uint8Array): Promise<number> {
    // They may be changed only once it has resolved; an interrupted one goes on with them.
    const bytes = given.slice();
    const interrupt = (random: Random) =>
      void file.write(bytes.slice(0, random.below(bytes.length)));
    return this.#call(process, `write ${basename(path)}, ${bytes.length} bytes`, async () => {
      if (!this.isFull) return await file.write(bytes);
      this.#hasFailed = true;
      const room = this.#random.below(bytes.length + 1);
      if (room === 0 || room === bytes.length) throw new FileError("write", path, ...NO_SPACE);
      return await file.write(bytes.slice(0, room));
    }, interrupt);
  }

  #sync(
    process: Process,
    path: string,
    effect: () => Promise<void>,
    onSuccess = (): void => {},
  ): Promise<void> {
    return this.#call(
      process,
      `sync ${basename(path)}`,
      async () => {
        if (this.failingSyncs === 0) {
          await effect();
          return onSuccess();
        }
        this.failingSyncs--;
        this.#hasFailed = true;
        // It may have got there all the same.
        if (this.#random.oneIn(3)) await effect();
        else this.#memory.failSync(path);
        throw new FileError("sync", path, ...IO_ERROR);
      },
      () => {},
      this.speed.syncUs,
    );
  }

  #tell(path: string): void {
    const name = basename(path);
    const bytes = this.#memory.get(path) ?? new Uint8Array(0);
    const from = this.#told.get(name) ?? 0;
    if (bytes.length <= from) return;
    this.#told.set(name, bytes.length);
    this.#witness.synced(this.#machine, name, bytes.subarray(from));
  }

  /** Happens some time after it was asked for, or, if the process ends before, perhaps. */
  #call<T>(
    process: Process,
    what: string,
    effect: () => Promise<T>,
    interrupt: Interrupt = (random) => {
      // Whoever asked for it is gone.
      if (random.oneIn(2)) effect().catch(() => {});
    },
    maxUs = this.speed.callUs,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // It was ended in the middle of a turn: whatever it still asks for never happens.
    if (!process.isAlive) return promise;
    const call = { interrupt };
    this.#pending.add(call);
    this.#scheduler.after(process, this.#random.below(maxUs), what, () => {
      this.#pending.delete(call);
      effect().then(resolve, reject);
    });
    return promise;
  }

  #checkRoom(action: string, path: string): void {
    if (!this.isFull) return;
    this.#hasFailed = true;
    throw new FileError(action, path, ...NO_SPACE);
  }
}
