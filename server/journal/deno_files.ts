import { FileError, type Files, type FileStat, type OpenFile, type OpenMode } from "./files.ts";

/**
 * Copying this much into the page cache takes about 0.5 ms, and a hop to another thread 0.1 ms
 * (19 KB: writeSync 35 µs, write 155 µs). Above it the kernel may make a writer wait for the disk,
 * which must not hold up the event loop: 8 MiB took 36 ms.
 */
const WRITE_SYNC_BYTES_MAX = 2 ** 20;

/** 300 MB in pieces of this size take 28 ms, and 218 ms by way of another thread. */
const READ_SYNC_BYTES_MAX = 2 ** 18;

/** The machine's disk. */
export const denoFiles: Files = {
  isDirectory: (path) =>
    attempt("look at", path, async () => {
      try {
        return (await Deno.stat(path)).isDirectory;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw error;
      }
    }),
  makeDirectory: (path) => attempt("make directory", path, () => Deno.mkdir(path, { mode: 0o700 })),
  list: (path) =>
    attempt("list", path, async () => {
      const names: string[] = [];
      try {
        for await (const entry of Deno.readDir(path)) names.push(entry.name);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
      return names;
    }),
  open: (path, mode) =>
    attempt("open", path, async () => new DenoFile(await Deno.open(path, OPTIONS[mode]), path)),
  rename: (from, to) => attempt("rename", from, () => Deno.rename(from, to)),
  remove: (path) => attempt("remove", path, () => Deno.remove(path)),
  syncDirectory: (path) =>
    attempt("sync directory", path, async () => {
      using directory = await Deno.open(path);
      await directory.sync();
    }),
};

const OPTIONS: Record<OpenMode, Deno.OpenOptions> = {
  read: { read: true },
  append: { read: true, append: true, create: true, mode: 0o600 },
  replace: { read: true, write: true, create: true, truncate: true, mode: 0o600 },
};

/**
 * A disk that takes less for a sync, in ms, is waited for on the spot: another thread would take as
 * much time of a processor as the disk does, and what comes in meanwhile is one larger batch.
 */
const SYNC_AT_ONCE_MS_MAX = 5;

class DenoFile implements OpenFile {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  #lastSyncMs = Infinity;

  constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  read(into: Uint8Array, at: number): Promise<number> {
    return attempt("read", this.#path, async () => {
      this.#file.seekSync(at, Deno.SeekMode.Start);
      if (into.length > READ_SYNC_BYTES_MAX) return await this.#file.read(into) ?? 0;
      return this.#file.readSync(into) ?? 0;
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    return attempt("write", this.#path, async () => {
      if (bytes.length > WRITE_SYNC_BYTES_MAX) return await this.#file.write(bytes);
      return this.#file.writeSync(bytes);
    });
  }

  sync(): Promise<void> {
    return attempt("sync", this.#path, async () => {
      const startMs = performance.now();
      if (this.#lastSyncMs < SYNC_AT_ONCE_MS_MAX) this.#file.syncDataSync();
      else await this.#file.syncData();
      this.#lastSyncMs = performance.now() - startMs;
    });
  }

  truncate(bytes: number): Promise<void> {
    return attempt("truncate", this.#path, () => this.#file.truncate(bytes));
  }

  stat(): Promise<FileStat> {
    return attempt("look at", this.#path, async () => {
      const { size, ino, birthtime } = await this.#file.stat();
      return { bytes: size, identity: `${ino}:${birthtime?.getTime()}` };
    });
  }

  tryLock(): Promise<boolean> {
    return attempt("lock", this.#path, () => this.#file.tryLock(true));
  }

  close(): void {
    this.#file.close();
  }
}

async function attempt<T>(action: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Deno adds its own call and path to what the system said.
    const reason = /^.*?\(os error \d+\)/.exec(error.message)?.[0] ?? error.message;
    throw new FileError(action, path, reason, codeOf(error));
  }
}

function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}
