import { createHash } from "node:crypto";
import { join } from "node:path";
import { VersionVector } from "../core/version_vector.ts";
import { BackupError, type BackupFile, type CopiedFile, readBackupFile } from "./backup_file.ts";
import { LOCK } from "./data_directory.ts";
import { Destination, FileCopy } from "./file_copy.ts";
import { FileError, type Files, type OpenFile, StorageError } from "./files.ts";
import { BACKUP_FILE, isUnfinishedRestore, RESTORE_PREFIX } from "./layout.ts";
import type { DataFile } from "./opened_data.ts";
import { parseSegmentName } from "./segment.ts";
import { Tally } from "./tally.ts";
import { describeFault, verifyData } from "./verify.ts";

/** A directory cannot be restored to. */
export class RestoreError extends StorageError {
  override readonly name = "RestoreError";
}

/** A backup of which every byte was checked, its files still open. */
export interface CheckedBackup {
  readonly directory: string;
  readonly said: BackupFile;
  readonly files: readonly DataFile[];
  close(): void;
}

const CHUNK_BYTES = 2 ** 18;

/**
 * Checks a backup: what `backup.json` says of its files, each of their lines, and what they make
 * together. Rejects with StorageError: BackupError for what is not as it was made.
 */
export async function openBackup(
  files: Files,
  directory: string,
  indexSeed: number,
): Promise<CheckedBackup> {
  const said = await readBackupFile(files, directory);
  const opened: DataFile[] = [];
  const close = () => opened.forEach(({ file }) => file.close());
  try {
    for (const one of said.files) opened.push(await openCopied(files, directory, one));
    await check({ directory, said, files: opened, close }, indexSeed);
    return { directory, said, files: opened, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function openCopied(
  files: Files,
  directory: string,
  { name, bytes }: CopiedFile,
): Promise<DataFile> {
  const path = join(directory, name);
  const parsed = parseSegmentName(name);
  if (parsed === undefined) throw new Error(`Cannot open ${path}: it holds no data`);
  let file: OpenFile;
  try {
    file = await files.open(path, "read");
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== "ENOENT") throw error;
    throw unfit(directory, `${path} is missing`);
  }
  const stat = await statOrClose(file);
  if (stat.bytes === bytes) return { ...parsed, name, path, file, bytes };
  file.close();
  throw unfit(directory, `${path} has ${stat.bytes} bytes, where ${bytes} were written`);
}

async function statOrClose(file: OpenFile) {
  try {
    return await file.stat();
  } catch (error) {
    file.close();
    throw error;
  }
}

async function check(backup: CheckedBackup, indexSeed: number): Promise<void> {
  const { directory, said, files } = backup;
  const tally = new Tally(indexSeed);
  const position = undefined;
  const rest = { names: [], missing: [], leftovers: [], nodeFile: undefined, position };
  await verifyData({ ...backup, ...rest }, {
    isFinished: true,
    onFault: (fault) => Promise.reject(unfit(directory, describeFault(fault))),
    onEntry: ({ entry }) => tally.add(entry),
    watch(file) {
      const hash = createHash("sha256");
      const { sha256 } = said.files[files.indexOf(file)] ?? {};
      return Promise.resolve({
        read: (bytes) => void hash.update(bytes),
        progress: () => Promise.resolve(),
        end() {
          if (hash.digest("hex") === sha256) return Promise.resolve();
          return Promise.reject(unfit(directory, `${file.path} is not what was written`));
        },
      });
    },
  });
  const vector = VersionVector.parse(said.vector, Infinity);
  const isSame = vector !== undefined && vector.includes(tally.vector) &&
    tally.vector.includes(vector) && tally.digest === said.digest &&
    tally.messages === said.messages && tally.accounts === said.accounts;
  if (isSame) return;
  throw unfit(
    directory,
    `its files make digest ${tally.digest} of ${tally.vector}, where ${BACKUP_FILE} has ` +
      `${said.digest} of ${said.vector} (made by chat ${said.version})`,
  );
}

function unfit(directory: string, found: string): BackupError {
  return new BackupError(`Cannot use backup ${directory}: ${found}. Use another one.`);
}

/** Refuses a directory that something may be in. Rejects with StorageError. */
export async function refuseUsed(files: Files, directory: string): Promise<void> {
  const names = await files.list(directory) ?? [];
  if (names.some(isUnfinishedRestore)) {
    throw new RestoreError(
      `Cannot restore into ${directory}: an earlier restore into it was not finished. Remove it, and ` +
        "try again.",
    );
  }
  const found = names.find((name) => name !== "lost+found" && name !== LOCK);
  if (found === undefined) return;
  throw new RestoreError(
    `Cannot restore into ${directory}: it holds ${found}. Move it away, or name a directory that is ` +
      "empty or does not exist yet with --data.",
  );
}

/**
 * Makes a data directory of a backup. Until every file is there under its name, at least one has another
 * name, by which a node that starts knows that it is not whole. Without node.json, that node begins a
 * new epoch.
 *
 * Rejects with StorageError: RestoreError for what is in the way, BackupError if the backup changed.
 */
export async function restoreBackup(
  files: Files,
  backup: CheckedBackup,
  directory: string,
): Promise<void> {
  await refuseUsed(files, directory);
  const made = await Destination.begin(files, directory);
  let lock: OpenFile | undefined;
  try {
    const lockPath = join(directory, LOCK);
    lock = await files.open(lockPath, "append");
    if (!await lock.tryLock()) {
      throw new RestoreError(
        `Cannot restore into ${directory}: somebody is using it (${lockPath} is held)`,
      );
    }
    // Somebody else may have begun with it until it was locked.
    await refuseUsed(files, directory);
    made.addIfNew(LOCK);
    for (const [index, said] of backup.said.files.entries()) {
      const from = backup.files[index];
      if (from === undefined) throw new Error(`Cannot restore ${said.name}: it was not opened`);
      await copy(files, from, said, made);
    }
    await files.syncDirectory(directory);
  } catch (error) {
    lock?.close();
    if (!(error instanceof StorageError)) throw error;
    throw await made.abandon(error);
  }
  try {
    for (const { name } of backup.said.files) {
      await files.rename(join(directory, RESTORE_PREFIX + name), join(directory, name));
    }
    await files.syncDirectory(directory);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new RestoreError(
      `Cannot restore into ${directory}: ${error.message}. Remove it, and try again.`,
      { cause: error },
    );
  } finally {
    lock.close();
  }
}

async function copy(
  files: Files,
  { file, path, bytes }: DataFile,
  { name, sha256 }: CopiedFile,
  destination: Destination,
): Promise<void> {
  const copy = await FileCopy.begin(files, destination.add(RESTORE_PREFIX + name));
  try {
    const chunk = new Uint8Array(CHUNK_BYTES);
    while (copy.bytes < bytes) {
      const read = await file.read(chunk, copy.bytes);
      if (read === 0) break;
      copy.add(chunk.subarray(0, read));
      await copy.writeUpTo(bytes);
    }
    if (await copy.finish() === sha256) return;
    throw new BackupError(
      `Cannot restore ${path}: it has changed since it was checked. Try again.`,
    );
  } finally {
    copy.close();
  }
}
