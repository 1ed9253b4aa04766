/** What the tests of the journal share: operations, directories, and disks that fail. */

import { basename, join } from "node:path";
import type { Operation } from "../core/operation.ts";
import type { Entry } from "../core/state_record.ts";
import { BatchEncoder } from "../journal/batch.ts";
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

export function encodeBatch(operations: readonly Operation[]): Uint8Array<ArrayBuffer> {
  const encoder = new BatchEncoder();
  encoder.encode(operations, 0);
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

/** The real disk until its `failAt`-th call, which fails as all calls after it do: a crash. */
export class CrashingFiles implements Files {
  readonly #failAt: number;
  readonly #mode: FaultMode;
  readonly #open = new Set<OpenFile>();
  /** The calls that change something or make it durable: "sync lock". */
  readonly changes: string[] = [];
  calls = 0;

  constructor(failAt = Infinity, mode: FaultMode = "before") {
    this.#failAt = failAt;
    this.#mode = mode;
  }

  get crashed(): boolean {
    return this.calls >= this.#failAt;
  }

  /** What the system does for a process that is gone. */
  closeAll(): void {
    for (const file of this.#open) file.close();
    this.#open.clear();
  }

  isDirectory = (path: string) => this.#call("", path, () => denoFiles.isDirectory(path));
  list = (path: string) => this.#call("", path, () => denoFiles.list(path));
  makeDirectory = (path: string) => this.#call("make", path, () => denoFiles.makeDirectory(path));
  rename = (from: string, to: string) => this.#call("name", to, () => denoFiles.rename(from, to));
  remove = (path: string) => this.#call("remove", path, () => denoFiles.remove(path));
  syncDirectory = (path: string) => this.#call("sync", path, () => denoFiles.syncDirectory(path));

  open: Files["open"] = (path, mode) =>
    this.#call("", path, async () => {
      const file = await denoFiles.open(path, mode);
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
    this.calls++;
    if (change !== "") this.changes.push(`${change} ${basename(path)}`);
    if (this.calls < this.#failAt) return await whole();
    if (this.calls === this.#failAt) {
      if (this.#mode === "after") await whole();
      if (this.#mode === "half") await half?.();
    }
    throw new FileError("use", "the disk", "Input/output error (os error 5)", "EIO");
  }
}
