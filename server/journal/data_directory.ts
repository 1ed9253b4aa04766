import { dirname, join } from "node:path";
import { type Files, type OpenFile, writeAll } from "./files.ts";
import { Journal, type NewSegment } from "./journal.ts";
import type { JournalIndex } from "./journal_index.ts";
import {
  BACKUP_FILE,
  BACKUP_FILE_DRAFT,
  DataDirectoryError,
  FIRST_SEGMENT,
  isUnfinishedRestore,
  layoutOf,
} from "./layout.ts";
import { LineReader } from "./line_reader.ts";
import {
  NODE_FILE,
  NODE_FILE_DRAFT,
  type NodeFile,
  readNodeFile,
  writeNodeFile,
} from "./node_file.ts";
import { beginSegment, readData, type ReadDataOptions } from "./read_data.ts";
import type { Recovery } from "./recovery.ts";
import { headerLine, parseSegmentName, readExactly, segmentName } from "./segment.ts";
import type { Snapshot } from "./snapshot_file.ts";

export interface DataDirectoryOptions extends ReadDataOptions {
  /** The node's name. */
  readonly node: string;
  /** A random name that was never used before. */
  newEpoch(): string;
}

export interface DataDirectory {
  readonly path: string;
  readonly files: Files;
  readonly journal: Journal;
  /** Where to read in the journal. */
  readonly index: JournalIndex;
  readonly epoch: string;
  readonly report: OpeningReport;
  /** What stands for all that was before the journal. */
  snapshot: Snapshot | undefined;
  /** Reads what the journal holds, beside whoever writes it. */
  openReader(): LineReader;
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
  /** Entries read from the snapshot and the journal. */
  readonly entries: number;
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

export const LOCK = "lock";
const NEWLINE = new Uint8Array([0x0a]);

/**
 * Opens a node's data directory, or makes it: locks it, reads its snapshot and its journal, mends what
 * a crash left, and makes all of it durable before it returns. Each step is safe to be repeated after a crash.
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

/** Makes a directory and those above it that are missing, durably but for its own name. */
export async function makeDirectories(files: Files, directory: string): Promise<void> {
  const parent = dirname(directory);
  if (!await files.isDirectory(parent)) {
    await makeDirectories(files, parent);
    await files.syncDirectory(dirname(parent));
  }
  await files.makeDirectory(directory);
}

/** Refuses what is no data directory before anything is put there. */
function refuseForeign(directory: string, names: readonly string[]): void {
  if (names.some(isUnfinishedRestore)) {
    throw new DataDirectoryError(
      `Cannot use ${directory}: a restore into it was not finished. Remove it, and run chat restore ` +
        "again.",
    );
  }
  if (names.includes(BACKUP_FILE) || names.includes(BACKUP_FILE_DRAFT)) {
    throw new DataDirectoryError(
      `Cannot use ${directory}: it is a backup. Restore it into another directory with chat restore.`,
    );
  }
  const hasJournal = names.some((name) => parseSegmentName(name)?.kind === "journal");
  if (names.includes(NODE_FILE) && !hasJournal) {
    throw new DataDirectoryError(
      `Cannot use ${directory}: its journal is missing, though ${NODE_FILE} is there. ` +
        `Restore it from a backup, or remove ${NODE_FILE} to begin without data.`,
    );
  }
  if (hasJournal) return;
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
  const { directory, files } = options;
  // Another process may have changed it until the lock was taken.
  const names = await files.list(directory) ?? [];
  refuseForeign(directory, names);
  const layout = layoutOf(directory, names);
  const before = names.includes(NODE_FILE) ? await readNodeFile(files, directory) : undefined;
  const data = await readData(options, layout, before);
  const { file, path, recovery, index, segments, snapshot, entries } = data;
  try {
    const { nodeFile, report } = await mend(options, {
      ...{ lock, file, path, before, names, recovery, entries },
      segment: layout.segments.at(-1) ?? FIRST_SEGMENT,
      known: data.known,
    });
    await removeAll(files, directory, layout.leftovers);
    const nodeRecord = new NodeRecord(files, directory, nodeFile);
    const journal = new Journal({
      segments,
      file,
      index,
      entries,
      async makeSegment(segment, after) {
        const made = await makeSegment(files, directory, segment, after);
        try {
          const { identity } = await made.file.stat();
          // Known before anything is in it.
          await nodeRecord.change(() => (
            { segment, journal: identity, journalBytes: made.headerBytes }
          ));
          return made;
        } catch (error) {
          made.file.close();
          throw error;
        }
      },
    });
    return {
      ...{ path: directory, files, journal, index, epoch: nodeFile.epoch, report, snapshot },
      openReader: () => new LineReader(files, journal),
      beginEpoch: (epoch) =>
        nodeRecord.change(({ segment, journalBytes }) => {
          const { number, headerBytes, bytes } = journal.current;
          return {
            epoch,
            // The next segment may be named already, and not be written to yet.
            journalBytes: number === segment ? headerBytes + bytes : journalBytes,
          };
        }),
      async close() {
        await journal.close();
        lock.close();
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** What `node.json` says, which is written by one at a time. */
class NodeRecord {
  readonly #files: Files;
  readonly #directory: string;
  #current: NodeFile;
  #written = Promise.resolve();

  constructor(files: Files, directory: string, current: NodeFile) {
    this.#files = files;
    this.#directory = directory;
    this.#current = current;
  }

  /** Makes a change of it durable, after all that were asked for before. */
  change(to: (now: NodeFile) => Partial<NodeFile>): Promise<void> {
    const writing = this.#written.then(async () => {
      this.#current = { ...this.#current, ...to(this.#current) };
      await writeNodeFile(this.#files, this.#directory, this.#current);
    });
    // Whoever asked is told of a failure.
    this.#written = writing.catch(() => {});
    return writing;
  }
}

async function makeSegment(
  files: Files,
  directory: string,
  segment: number,
  after: number,
): Promise<NewSegment> {
  const path = join(directory, segmentName("journal", segment));
  const file = await files.open(path, "append");
  try {
    const header = headerLine({ kind: "journal", segment, after });
    await beginSegment(files, directory, file, path, header);
    return { path, file, headerBytes: header.length };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Removes files, durably. */
export async function removeAll(
  files: Files,
  directory: string,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  for (const name of names) await files.remove(join(directory, name));
  await files.syncDirectory(directory);
}

interface Found {
  readonly lock: OpenFile;
  readonly file: OpenFile;
  readonly path: string;
  readonly segment: number;
  readonly before: NodeFile | "broken" | undefined;
  /** The identity now of the segment that `before` names. */
  readonly known: string | undefined;
  readonly names: readonly string[];
  readonly recovery: Recovery;
  readonly entries: number;
}

/**
 * Makes what was read durable, cuts a torn tail and settles the epoch. The new epoch is on disk
 * before the tail is cut: without its tail, the journal would pass for one that lost nothing.
 */
async function mend(
  { directory, node, files, newEpoch }: DataDirectoryOptions,
  { lock, file, path, segment, before, known, names, recovery, entries }: Found,
): Promise<{ nodeFile: NodeFile; report: OpeningReport }> {
  const { wholeBytes, tail } = recovery;
  if (tail === "lacks_newline") await writeAll(file, path, NEWLINE);
  await file.sync();
  const cut = tail === "torn" ? await keepTail(files, directory, file, names, recovery) : undefined;

  const identity = { lock: (await lock.stat()).identity, journal: (await file.stat()).identity };
  // A crash right after a segment was made leaves one that node.json does not know.
  const isUnused = typeof before === "object" && before.segment === segment - 1 &&
    recovery.entries === 0 && cut === undefined;
  const journal = isUnused || (typeof before === "object" && before.segment === segment)
    ? known
    : undefined;
  const why = whyRenew(before, { node, lock: identity.lock, journal }, cut);
  const isNew = before === undefined && entries === 0 && cut === undefined;
  const kept = typeof before === "object" && why.length === 0 ? before : undefined;
  const epoch = kept?.epoch ?? newEpoch();
  const nodeFile = { node, epoch, ...identity, segment, journalBytes: wholeBytes };
  if (kept?.journalBytes !== wholeBytes || kept.segment !== segment) {
    await writeNodeFile(files, directory, nodeFile);
  }
  if (cut !== undefined) {
    await file.truncate(wholeBytes);
    await file.sync();
  }
  const newlineAdded = tail === "lacks_newline";
  const kind = isNew ? "new" : kept === undefined ? "renewed" : "kept";
  return {
    nodeFile,
    report: { epoch: kind, why: isNew ? [] : why, entries, cut, newlineAdded },
  };
}

function whyRenew(
  before: NodeFile | "broken" | undefined,
  now: { readonly node: string; readonly lock: string; readonly journal: string | undefined },
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
