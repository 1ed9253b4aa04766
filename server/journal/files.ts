/**
 * What the journal needs of a disk. The real one is deno_files.ts; a simulated or fault-injecting
 * one can stand in. Every method rejects with {@linkcode FileError} and nothing else.
 */

export interface Files {
  isDirectory(path: string): Promise<boolean>;
  /** Makes one directory with mode 0700; its parent has to be there. */
  makeDirectory(path: string): Promise<void>;
  /** The names in a directory in some order, or undefined if there is no such directory. */
  list(path: string): Promise<readonly string[] | undefined>;
  /** Files are made with mode 0600. */
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** Replaces what is at `to`. Durable only after {@linkcode Files.syncDirectory}. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes the names in a directory durable: what was made, renamed and removed in it. */
  syncDirectory(path: string): Promise<void>;
}

/**
 * - `read`: the file has to be there.
 * - `append`: made if missing; read anywhere, written only at its end.
 * - `replace`: made if missing, emptied if not; written at its end.
 */
export type OpenMode = "read" | "append" | "replace";

export interface OpenFile {
  /** Reads some bytes from offset `at`; 0 at the end of the file. */
  read(into: Uint8Array, at: number): Promise<number>;
  /**
   * Appends some bytes and says how many: fewer than given when the disk is filling up. The bytes
   * must not change before the promise resolves.
   */
  write(bytes: Uint8Array): Promise<number>;
  /** Makes the file's bytes and length durable (fdatasync). */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  stat(): Promise<FileStat>;
  /** Takes the exclusive lock that ends with the process; false if somebody else has it. */
  tryLock(): Promise<boolean>;
  close(): void;
}

export interface FileStat {
  readonly bytes: number;
  /** Inode and birth time: another one means that the file is a copy, or was made anew. */
  readonly identity: string;
}

/** What an operator can put right: the server ends with exit code 1 and this message. */
export class StorageError extends Error {
  override readonly name: string = "StorageError";
}

/** What an operator can do, by the system's name for what failed. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: "Give the user that runs chat access to it.",
  EPERM: "Give the user that runs chat access to it.",
  EROFS: "Mount its file system for writing, or use another directory.",
  ENOSPC: "Free space on its disk.",
  EDQUOT: "Free space, or raise the quota.",
  EIO: "Check the disk.",
  ENOTDIR: "A part of its path is a file: use another directory.",
  EMFILE: "Let the process open more files: ulimit -n.",
};

/** A call to the disk that failed. */
export class FileError extends StorageError {
  override readonly name = "FileError";
  /** What the system said: "No space left on device (os error 28)". */
  readonly reason: string;
  /** The system's name for it, such as "ENOSPC". */
  readonly code: string | undefined;

  constructor(action: string, path: string, reason: string, code: string | undefined) {
    const remedy = REMEDIES[code ?? ""];
    super(`Cannot ${action} ${path}: ${reason}${remedy === undefined ? "" : `. ${remedy}`}`);
    this.reason = reason;
    this.code = code;
  }
}

/** Writes all of `bytes`, or throws: a file that is written whole or not at all needs no more. */
export async function writeAll(file: OpenFile, path: string, bytes: Uint8Array): Promise<void> {
  const written = await file.write(bytes);
  if (written !== bytes.length) throw shortWrite(path, written, bytes.length);
}

/** The error for a write that took only some of the bytes. */
export function shortWrite(path: string, written: number, bytes: number): FileError {
  const reason = `only ${written} of ${bytes} bytes could be written (is the disk full?)`;
  return new FileError("write", path, reason, "ENOSPC");
}
