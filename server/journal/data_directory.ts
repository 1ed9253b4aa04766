import { dirname, join } from "node:path";
import type { Operation } from "../core/operation.ts";
import { sealedLine } from "./batch.ts";
import { type Files, type OpenFile, StorageError, writeAll } from "./files.ts";
import { Journal } from "./journal.ts";
import { JournalIndex } from "./journal_index.ts";
import { LineReader } from "./line_reader.ts";
import {
  NODE_FILE,
  NODE_FILE_DRAFT,
  type NodeFile,
  readNodeFile,
  writeNodeFile,
} from "./node_file.ts";
import { readExactly, recoverJournal, type Recovery } from "./recovery.ts";

export interface DataDirectoryOptions {
  readonly directory: string;
  /** The node's name. */
  readonly node: string;
  readonly files: Files;
  /** A random name that was never used before. */
  newEpoch(): string;
  /** Takes in an operation of the journal; says why if it cannot be the next. */
  apply(operation: Operation): string | undefined;
}

export interface DataDirectory {
  readonly journal: Journal;
  /** Where to read in the journal. */
  readonly index: JournalIndex;
  readonly epoch: string;
  readonly report: OpeningReport;
  /** Reads what the journal holds, beside whoever writes it. */
  openReader(): Promise<LineReader>;
  /** Makes it durable that from now on this node's operations are of a new epoch. */
  beginEpoch(epoch: string): Promise<void>;
  /** Closes the journal after its open batch, and lets others open the directory. */
  close(): Promise<void>;
}

/** What opening found and did, for the server's log. */
export interface OpeningReport {
  readonly epoch: "new" | "kept" | "renewed";
  /** Why the epoch was renewed: clauses such as "the directory is a copy". */
  readonly why: readonly string[];
  /** Operations read from the journal. */
  readonly operations: number;
  /** What a crash had left of a batch that nobody was told about. */
  readonly cut: CutTail | undefined;
  /** Whether the last line got the newline that it lacked. */
  readonly newlineAdded: boolean;
}

export interface CutTail {
  /** Where in the journal it was. */
  readonly at: number;
  readonly bytes: number;
  readonly why: string;
  /** The file that has the bytes now. */
  readonly keptIn: string;
}

/** The data directory cannot be used as it is. */
export class DataDirectoryError extends StorageError {
  override readonly name = "DataDirectoryError";
}

/** The first segment; others come with compaction. */
const JOURNAL = "journal-00000001.jsonl";
const HEADER = sealedLine(JSON.stringify({ journal: 1, segment: 1 }));
const LOCK = "lock";
const NEWLINE = new Uint8Array([0x0a]);

/**
 * Opens a node's data directory, or makes it: locks it, reads its journal, mends what a crash left,
 * and makes all of it durable before it returns. Each step is safe to be repeated after a crash.
 *
 * The epoch is renewed whenever a sequence number of the old one could come to mean two things.
 *
 * Throws {@linkcode StorageError}: DataDirectoryError, RecoveryError or FileError.
 */
export async function openDataDirectory(options: DataDirectoryOptions): Promise<DataDirectory> {
  const { files, directory } = options;
  await prepareDirectory(files, directory);
  const lockPath = join(directory, LOCK);
  const lock = await files.open(lockPath, "append");
  try {
    if (!await lock.tryLock()) {
      throw new DataDirectoryError(
        `Cannot use ${directory}: another chat serve has it open (it holds ${lockPath})`,
      );
    }
    return await openLocked(options, lock);
  } catch (error) {
    lock.close();
    throw error;
  }
}

async function prepareDirectory(files: Files, directory: string): Promise<void> {
  const names = await files.list(directory);
  if (names === undefined) await makeDirectories(files, directory);
  else refuseForeign(directory, names);
  // Also after a crash between making it and this.
  if (!names?.includes(NODE_FILE)) await files.syncDirectory(dirname(directory));
}

async function makeDirectories(files: Files, directory: string): Promise<void> {
  const parent = dirname(directory);
  if (!await files.isDirectory(parent)) {
    await makeDirectories(files, parent);
    await files.syncDirectory(dirname(parent));
  }
  await files.makeDirectory(directory);
}

/** Refuses what is no data directory before anything is put there, or one of a newer version. */
function refuseForeign(directory: string, names: readonly string[]): void {
  const segment = names.find((name) => /^journal-.*\.jsonl$/.test(name) && name !== JOURNAL);
  if (segment !== undefined) {
    throw new DataDirectoryError(
      `Cannot use ${directory}: this version of chat does not know its ${segment}`,
    );
  }
  if (names.includes(NODE_FILE) && !names.includes(JOURNAL)) {
    throw new DataDirectoryError(
      `Cannot use ${directory}: ${JOURNAL} is missing, though ${NODE_FILE} is there. ` +
        `Restore it from a backup, or remove ${NODE_FILE} to begin without data.`,
    );
  }
  if (names.includes(JOURNAL)) return;
  // An empty file system has lost+found.
  const foreign = names.find((name) =>
    ![LOCK, NODE_FILE_DRAFT, "lost+found"].includes(name) && !name.startsWith("cut-")
  );
  if (foreign !== undefined) {
    throw new DataDirectoryError(
      `Cannot use ${directory}: it holds ${foreign}, which is not of chat. ` +
        "Use an empty directory, or one that does not exist yet.",
    );
  }
}

async function openLocked(options: DataDirectoryOptions, lock: OpenFile): Promise<DataDirectory> {
  const { directory, files, apply } = options;
  // Another process may have changed it until the lock was taken.
  const names = await files.list(directory) ?? [];
  refuseForeign(directory, names);
  const before = names.includes(NODE_FILE) ? await readNodeFile(files, directory) : undefined;
  const path = join(directory, JOURNAL);
  const file = await files.open(path, "append");
  try {
    if (before === undefined) await beginJournal(files, directory, file, path);
    const syncedBytes = typeof before === "object" ? before.journalBytes : 0;
    const index = new JournalIndex();
    index.begin(HEADER.length);
    const recovery = await recoverJournal({
      file,
      path,
      header: HEADER,
      syncedBytes,
      apply(operation) {
        index.note(operation);
        return apply(operation);
      },
      onBatch: (end) => index.endBatch(end),
    });
    const found = { lock, file, path, before, names, recovery };
    const { nodeFile, report } = await mend(options, found);
    const journal = new Journal(file, path, recovery.wholeBytes, index);
    const beginEpoch = (epoch: string) =>
      writeNodeFile(files, directory, { ...nodeFile, epoch, journalBytes: journal.bytes });
    const openReader = async () => new LineReader(await files.open(path, "read"), journal);
    const close = async () => {
      await journal.close();
      lock.close();
    };
    return { journal, index, epoch: nodeFile.epoch, report, openReader, beginEpoch, close };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Gives a journal that is new, or whose making a crash cut short, its first line. */
async function beginJournal(
  files: Files,
  directory: string,
  file: OpenFile,
  path: string,
): Promise<void> {
  const { bytes } = await file.stat();
  if (bytes > HEADER.length) return;
  const found = await readExactly(file, 0, bytes);
  const isStart = found.every((byte, index) => byte === HEADER[index]);
  if (!isStart && found.some((byte) => byte !== 0)) return;
  if (!isStart || bytes < HEADER.length) {
    await file.truncate(0);
    await writeAll(file, path, HEADER);
  }
  await file.sync();
  await files.syncDirectory(directory);
}

interface Found {
  readonly lock: OpenFile;
  readonly file: OpenFile;
  readonly path: string;
  readonly before: NodeFile | "broken" | undefined;
  readonly names: readonly string[];
  readonly recovery: Recovery;
}

/**
 * Makes what was read durable, cuts a torn tail and settles the epoch. The new epoch is on disk
 * before the tail is cut: without its tail, the journal would pass for one that lost nothing.
 */
async function mend(
  { directory, node, files, newEpoch }: DataDirectoryOptions,
  { lock, file, path, before, names, recovery }: Found,
): Promise<{ nodeFile: NodeFile; report: OpeningReport }> {
  const { operations, wholeBytes, tail } = recovery;
  if (tail === "lacks_newline") await writeAll(file, path, NEWLINE);
  await file.sync();
  const cut = tail === "torn" ? await keepTail(files, directory, file, names, recovery) : undefined;

  const identity = { lock: (await lock.stat()).identity, journal: (await file.stat()).identity };
  const why = whyRenew(before, { node, ...identity }, cut);
  const isNew = before === undefined && operations === 0 && cut === undefined;
  const kept = typeof before === "object" && why.length === 0 ? before : undefined;
  const epoch = kept?.epoch ?? newEpoch();
  const nodeFile = { node, epoch, ...identity, journalBytes: wholeBytes };
  if (kept?.journalBytes !== wholeBytes) await writeNodeFile(files, directory, nodeFile);
  if (cut !== undefined) {
    await file.truncate(wholeBytes);
    await file.sync();
  }
  const newlineAdded = tail === "lacks_newline";
  const kind = isNew ? "new" : kept === undefined ? "renewed" : "kept";
  return {
    nodeFile,
    report: { epoch: kind, why: isNew ? [] : why, operations, cut, newlineAdded },
  };
}

function whyRenew(
  before: NodeFile | "broken" | undefined,
  now: Pick<NodeFile, "node" | "lock" | "journal">,
  cut: CutTail | undefined,
): string[] {
  const why = cut === undefined ? [] : ["the end of the journal was cut"];
  if (before === undefined) return [...why, `${NODE_FILE} is missing`];
  if (before === "broken") return [...why, `${NODE_FILE} is damaged`];
  if (before.node !== now.node) why.push(`the data is of node ${before.node}`);
  if (before.lock !== now.lock || before.journal !== now.journal) {
    why.push("the directory is a copy, or was restored from one");
  }
  return why;
}

/** Copies the torn tail into a file of its own. */
async function keepTail(
  files: Files,
  directory: string,
  journal: OpenFile,
  names: readonly string[],
  { wholeBytes: at, why }: Recovery,
): Promise<CutTail> {
  const { bytes } = await journal.stat();
  const tail = await readExactly(journal, at, bytes - at);
  let n = 1;
  while (names.includes(cutName(at, n))) n++;
  const keptIn = join(directory, cutName(at, n));
  const file = await files.open(keptIn, "replace");
  try {
    await writeAll(file, keptIn, tail);
    await file.sync();
  } finally {
    file.close();
  }
  await files.syncDirectory(directory);
  return { at, bytes: tail.length, why, keptIn };
}

function cutName(at: number, n: number): string {
  return `cut-${at}-${n}.jsonl`;
}
