import {
  BackupError,
  type BackupFile,
  beginBackupFile,
  type CopiedFile,
  finishBackupFile,
} from "./backup_file.ts";
import { Destination, FileCopy } from "./file_copy.ts";
import { type Files, StorageError } from "./files.ts";
import { BACKUP_FILE, BACKUP_FILE_DRAFT, isUnfinishedRestore } from "./layout.ts";
import { openData, type OpenedData } from "./opened_data.ts";
import { Tally } from "./tally.ts";
import { describeFault, verifyData } from "./verify.ts";

export interface BackupOptions {
  readonly files: Files;
  /** The node's data directory, whether or not it is running. */
  readonly directory: string;
  /** Is empty, or is not there. */
  readonly destination: string;
  /** The node's name, if its directory does not tell. */
  readonly node: string;
  /** Of this chat. */
  readonly version: string;
  /** Now, as ISO 8601 has it. */
  readonly made: string;
  /** See {@linkcode Tally}. */
  readonly indexSeed: number;
}

/**
 * Copies a data directory up to its last whole batch, line by line as it verifies them. Whatever was
 * acknowledged before is in it. Nothing of it counts before `backup.json` is there, last of all.
 *
 * Rejects with StorageError: BackupError for what is damaged or in the way. What was written is removed
 * then, as far as the disk lets it.
 */
export async function makeBackup(options: BackupOptions): Promise<BackupFile> {
  const { files, directory, destination } = options;
  const data = await openData(files, directory, () => Promise.resolve(undefined));
  try {
    refuseUnfinished(data);
    // A power cut must not take back here what a backup has: its place would be given away twice.
    await data.files.at(-1)?.file.sync();
    refuseFull(destination, await files.list(destination) ?? []);
    const made = await Destination.begin(files, destination);
    try {
      return await writeBackup(options, data, made);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      throw await made.abandon(error);
    }
  } finally {
    data.close();
  }
}

function refuseUnfinished({ directory, names }: OpenedData): void {
  if (names.some(isUnfinishedRestore)) {
    throw new BackupError(
      `Cannot back up ${directory}: a restore into it was not finished. Remove it, and run chat ` +
        "restore again.",
    );
  }
  if (names.includes(BACKUP_FILE) || names.includes(BACKUP_FILE_DRAFT)) {
    throw new BackupError(
      `Cannot back up ${directory}: it is a backup itself. Name the node's directory with --data, or ` +
        "the node with --node.",
    );
  }
}

function refuseFull(destination: string, names: readonly string[]): void {
  // An empty file system has it.
  const found = names.find((name) => name !== "lost+found");
  if (found === undefined) return;
  const what = names.includes(BACKUP_FILE)
    ? "a backup"
    : names.includes(BACKUP_FILE_DRAFT)
    ? "a backup that was not finished"
    : found;
  throw new BackupError(
    `Cannot make a backup in ${destination}: it holds ${what}. Name a directory that is empty or ` +
      "does not exist yet.",
  );
}

async function writeBackup(
  { files, directory, node, version, made, indexSeed }: BackupOptions,
  data: OpenedData,
  destination: Destination,
): Promise<BackupFile> {
  const tally = new Tally(indexSeed);
  const copied: CopiedFile[] = [];
  destination.add(BACKUP_FILE);
  destination.add(BACKUP_FILE_DRAFT);
  await beginBackupFile(files, destination.path);
  let copy: FileCopy | undefined;
  try {
    await verifyData(data, {
      onFault: (fault) =>
        Promise.reject(
          new BackupError(
            `Cannot back up ${directory}: it is damaged: ${
              describeFault(fault)
            }. See all of that ` +
              "with chat log verify.",
          ),
        ),
      onEntry: ({ entry }) => tally.add(entry),
      async watch({ name }) {
        copy?.close();
        const next = copy = await FileCopy.begin(files, destination.add(name));
        return {
          read: (bytes) => next.add(bytes),
          progress: (wholeBytes) => next.writeUpTo(wholeBytes),
          async end() {
            copied.push({ name, bytes: next.bytes, sha256: await next.finish() });
          },
        };
      },
    });
  } finally {
    copy?.close();
  }
  if (copied.length === 0) {
    throw new BackupError(
      `Cannot back up ${directory}: its journal has not begun. Start the node.`,
    );
  }
  await files.syncDirectory(destination.path);
  const { nodeFile } = data;
  const backup = {
    node: nodeFile !== undefined && "node" in nodeFile ? nodeFile.node : node,
    ...{ version, made, files: copied },
    vector: tally.vector.toString(),
    digest: tally.digest,
    messages: tally.messages,
    accounts: tally.accounts,
  };
  await finishBackupFile(files, destination.path, backup);
  return backup;
}
