/** What the tests of the journal share: operations, directories, and disks that fail. */

import { basename, join } from "node:path";
import type { Operation } from "../core/operation.ts";
import type { Entry } from "../core/state_record.ts";
import { BatchEncoder, type Sealed } from "../journal/batch.ts";
import { type DataDirectory, openDataDirectory } from "../journal/data_directory.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { FileError, type Files, type OpenFile } from "../journal/files.ts";

export const JOURNAL = "journal-00000001.jsonl";

export const PROVENANCE = { timeMs: 1_795_000_000_000, tick: 0, origin: "node1.e1", seq: 1 };

export function message(seq: number, content = greeting(seq)): Operation {
  return {
    kind: "message_sent",
    id: `a.${seq}`,
    sender: "ann",
    recipient: "bob",
    recipientAccount: "b",
    content,
    ...PROVENANCE,
    seq,
  };
}

/** Messages `from`, `from + 1`… */
export function messages(count: number, from = 1, contentOf = greeting): Operation[] {
  return Array.from({ length: count }, (_, index) => {
    const seq = from + index;
    return message(seq, contentOf(seq));
  });
}

function greeting(seq: number): string {
  return `hello ${seq}`;
}

export function encodeBatch(
  entries: readonly (Entry & Partial<Sealed>)[],
): Uint8Array<ArrayBuffer> {
  const encoder = new BatchEncoder();
  encoder.encode(entries, 0);
  return encoder.written.slice();
}

export interface Opened extends DataDirectory {
  readonly applied: Entry[];
}

let epochs = 0;

export async function open(
  directory: string,
  { files = denoFiles, node = "node1" } = {},
): Promise<Opened> {
  const applied: Entry[] = [];
  const opened = await openDataDirectory({
    directory,
    node,
    files,
    newEpoch: () => `e${++epochs}`,
    apply(entry) {
      applied.push(entry);
      return undefined;
    },
  });
  return Object.assign(opened, { applied });
}

/** A closed data directory with these batches; returns the epoch and where each batch ends. */
export async function fill(
  directory: string,
  batches: readonly Operation[][],
): Promise<{ epoch: string; ends: number[] }> {
  const { journal, epoch, close } = await open(directory);
  const endOf = () => journal.current.headerBytes + journal.current.bytes;
  const ends = [endOf()];
  for (const batch of batches) {
    await journal.writeBatch(batch);
    ends.push(endOf());
  }
  await close();
  return { epoch, ends };
}

export async function inTempDirectory<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const temporary = await Deno.makeTempDir();
  try {
    return await body(join(temporary, "node1"));
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

/** Names and bytes of all files in a directory. */
export async function contentsOf(directory: string): Promise<Map<string, Uint8Array>> {
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  const contents = new Map<string, Uint8Array>();
  for (const name of names.sort()) {
    contents.set(name, await Deno.readFile(join(directory, name)));
  }
  return contents;
}

/** A file in memory that can only be read. */
export function memoryFile(bytes: Uint8Array): OpenFile {
  const refuse = () => Promise.reject(new Error("Cannot change a file that is only read"));
  return {
    read(into, at) {
      const some = bytes.subarray(at, at + into.length);
      into.set(some);
      return Promise.resolve(some.length);
    },
    stat: () => Promise.resolve({ bytes: bytes.length, identity: "1:1" }),
    write: refuse,
    sync: refuse,
    truncate: refuse,
    tryLock: refuse,
    close() {},
  };
}

/**
 * - `before`: the call does nothing and fails.
 * - `after`: the call does all it should, and then fails.
 * - `half`: a write writes half; else as `before`.
 */
export type FaultMode = "before" | "after" | "half";

/** A disk, some calls to which fail. */
export abstract class FaultyFiles implements Files {
  readonly #open = new Set<OpenFile>();
  readonly #error: FileError;
  readonly #disk: Files;
  /** All calls; those that neither change anything nor make it durable are "". */
  readonly log: string[] = [];

  constructor(code: "EIO" | "ENOSPC" = "EIO", disk: Files = denoFiles) {
    this.#disk = disk;
    const reason = code === "EIO"
      ? "Input/output error (os error 5)"
      : "No space left on device (os error 28)";
    this.#error = new FileError("use", "the disk", reason, code);
  }

  get calls(): number {
    return this.log.length;
  }

  /** The calls that change something or make it durable: "sync lock". */
  get changes(): string[] {
    return this.log.filter((change) => change !== "");
  }

  /** Whether this call fails, which is the last in the {@linkcode log} already. */
  protected abstract fate(change: string): FaultMode | undefined;

  /** What the system does for a process that is gone. */
  closeAll(): void {
    for (const file of this.#open) file.close();
    this.#open.clear();
  }

  isDirectory = (path: string) => this.#call("", path, () => this.#disk.isDirectory(path));
  list = (path: string) => this.#call("", path, () => this.#disk.list(path));
  makeDirectory = (path: string) => this.#call("make", path, () => this.#disk.makeDirectory(path));
  rename = (from: string, to: string) => this.#call("name", to, () => this.#disk.rename(from, to));
  remove = (path: string) => this.#call("remove", path, () => this.#disk.remove(path));
  syncDirectory = (path: string) => this.#call("sync", path, () => this.#disk.syncDirectory(path));

  open: Files["open"] = (path, mode) =>
    this.#call("", path, async () => {
      const file = await this.#disk.open(path, mode);
      this.#open.add(file);
      return {
        read: (into, at) => this.#call("", path, () => file.read(into, at)),
        write: (bytes) =>
          this.#call("write", path, () =>
            file.write(bytes), () =>
            file.write(bytes.subarray(0, bytes.length / 2))),
        sync: () =>
          this.#call("sync", path, () =>
            file.sync()),
        truncate: (bytes) => this.#call("truncate", path, () => file.truncate(bytes)),
        stat: () => this.#call("", path, () => file.stat()),
        tryLock: () => this.#call("", path, () => file.tryLock()),
        close: () => {
          if (this.#open.delete(file)) file.close();
        },
      };
    });

  async #call<T>(
    change: string,
    path: string,
    whole: () => Promise<T>,
    half?: () => Promise<T>,
  ): Promise<T> {
    const name = change === "" ? "" : `${change} ${basename(path)}`;
    this.log.push(name);
    const fate = this.fate(name);
    if (fate === undefined) return await whole();
    if (fate === "after") await whole();
    if (fate === "half") await half?.();
    throw this.#error;
  }
}

/** A disk, the real one unless said otherwise, until its `failAt`-th call, which fails as all calls after it do: a crash. */
export class CrashingFiles extends FaultyFiles {
  readonly #failAt: number;
  readonly #mode: FaultMode;

  constructor(failAt = Infinity, mode: FaultMode = "before", disk: Files = denoFiles) {
    super("EIO", disk);
    this.#failAt = failAt;
    this.#mode = mode;
  }

  get crashed(): boolean {
    return this.calls >= this.#failAt;
  }

  protected override fate(): FaultMode | undefined {
    if (this.calls < this.#failAt) return undefined;
    return this.calls === this.#failAt ? this.#mode : "before";
  }
}

/** The real disk, but for one change that fails: the n-th of those that are of interest, from 1. */
export class FailingFiles extends FaultyFiles {
  readonly #interesting: RegExp;
  readonly #mode: FaultMode;
  #left: number;

  constructor(
    { change, failAt, mode = "before", code = "EIO" }: {
      readonly change: RegExp;
      readonly failAt: number;
      readonly mode?: FaultMode;
      readonly code?: "EIO" | "ENOSPC";
    },
  ) {
    super(code);
    this.#interesting = change;
    this.#left = failAt;
    this.#mode = mode;
  }

  get failed(): boolean {
    return this.#left <= 0;
  }

  protected override fate(change: string): FaultMode | undefined {
    if (!this.#interesting.test(change)) return undefined;
    this.#left--;
    return this.#left === 0 ? this.#mode : undefined;
  }
}
