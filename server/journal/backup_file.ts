import { join } from "node:path";
import { sealedLine, sealFault } from "./batch.ts";
import { integer, type JsonObject, parseObject, RecordError, string, wrong } from "./fields.ts";
import { type Files, StorageError, writeAll } from "./files.ts";
import { BACKUP_FILE, BACKUP_FILE_DRAFT } from "./layout.ts";
import { parseSegmentName, readExactly } from "./segment.ts";

/**
 * What `backup.json` says, one line under a seal. It is written last of all: a directory without it is
 * no backup.
 */
export interface BackupFile {
  /** Whose data it is. */
  readonly node: string;
  /** Of the chat that made it. */
  readonly version: string;
  /** When, as ISO 8601 has it. */
  readonly made: string;
  /** In order: a snapshot if there is one, and the segments from its number on. */
  readonly files: readonly CopiedFile[];
  readonly vector: string;
  readonly digest: string;
  readonly messages: number;
  readonly accounts: number;
}

export interface CopiedFile {
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** A younger one brings nothing back that was deleted since: other nodes remember it for longer, in ms. */
export const BACKUP_AGE_MAX_MS = 30 * 24 * 60 * 60 * 1000;

/** A backup is not as it was made, or there is none. */
export class BackupError extends StorageError {
  override readonly name = "BackupError";
}

const FORMAT = 1;
/** As much as there can be of a version vector, and of segments. */
const BACKUP_FILE_BYTES_MAX = 2 ** 26;
const NEWLINE = 0x0a;
/** Also the name of a directory: of whoever made the backup, not of whoever restores it. */
const NODE_NAME = /^[\w-]{1,32}$/;

/** Makes a directory unfit for a data directory, until it is a backup. */
export async function beginBackupFile(files: Files, directory: string): Promise<void> {
  const file = await files.open(join(directory, BACKUP_FILE_DRAFT), "replace");
  file.close();
  await files.syncDirectory(directory);
}

/** Makes a directory, in which all else is on disk, a backup. */
export async function finishBackupFile(
  files: Files,
  directory: string,
  { node, version, made, files: copied, vector, digest, messages, accounts }: BackupFile,
): Promise<void> {
  const said = { node, version, made, files: copied, vector, digest, messages, accounts };
  const draft = join(directory, BACKUP_FILE_DRAFT);
  const file = await files.open(draft, "replace");
  try {
    await writeAll(file, draft, sealedLine(JSON.stringify({ backup: FORMAT, ...said })));
    await file.sync();
  } finally {
    file.close();
  }
  await files.rename(draft, join(directory, BACKUP_FILE));
  await files.syncDirectory(directory);
}

/** Rejects with StorageError: BackupError if it is none, or damaged. */
export async function readBackupFile(files: Files, directory: string): Promise<BackupFile> {
  const names = await files.list(directory);
  const path = join(directory, BACKUP_FILE);
  if (!names?.includes(BACKUP_FILE)) {
    const found = names === undefined
      ? "there is no such directory"
      : names.includes(BACKUP_FILE_DRAFT)
      ? "it was not finished"
      : `there is no ${BACKUP_FILE} in it`;
    throw new BackupError(`Cannot use backup ${directory}: ${found}. Use another one.`);
  }
  const file = await files.open(path, "read");
  try {
    const bytes = await readExactly(file, 0, BACKUP_FILE_BYTES_MAX);
    return decodeBackupFile(bytes);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    throw new BackupError(`Cannot use ${path}: found ${error.message}. Use another backup.`);
  } finally {
    file.close();
  }
}

function decodeBackupFile(bytes: Uint8Array): BackupFile {
  const end = bytes.indexOf(NEWLINE);
  if (end < 0 || end !== bytes.length - 1) throw new RecordError("it damaged: it is not one line");
  const fault = sealFault(bytes, 0, end);
  if (fault !== undefined) throw new RecordError(`it damaged: ${fault}`);
  const fields = parseObject(new TextDecoder().decode(bytes.subarray(0, end)));
  const format = integer(fields, "backup", 1);
  if (format !== FORMAT) {
    throw new RecordError(`format ${format}, where this version of chat knows ${FORMAT}`);
  }
  const node = string(fields, "node");
  if (!NODE_NAME.test(node)) throw wrong("node", "a node's name", node);
  return {
    node,
    version: string(fields, "version"),
    made: string(fields, "made"),
    files: copiedFiles(fields),
    vector: string(fields, "vector"),
    digest: string(fields, "digest"),
    messages: integer(fields, "messages", 0),
    accounts: integer(fields, "accounts", 0),
  };
}

function copiedFiles(fields: JsonObject): readonly CopiedFile[] {
  const { files } = fields;
  if (!Array.isArray(files)) throw wrong("files", "a list", files);
  return files.map((value) => {
    if (typeof value !== "object" || value === null) {
      throw wrong("files", "a list of objects", value);
    }
    const [name, bytes] = [string(value, "name"), integer(value, "bytes", 1)];
    // It becomes a path.
    if (parseSegmentName(name) === undefined) throw wrong("name", "a file's name", name);
    return { name, bytes, sha256: string(value, "sha256") };
  });
}
