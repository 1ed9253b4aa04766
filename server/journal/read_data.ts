import { join } from "node:path";
import type { Entry } from "../core/state_record.ts";
import { VersionVector } from "../core/version_vector.ts";
import { type Files, type OpenFile, writeAll } from "./files.ts";
import { JournalIndex } from "./journal_index.ts";
import { DataDirectoryError, FIRST_SEGMENT, type Layout } from "./layout.ts";
import type { Segment } from "./line_reader.ts";
import type { NodeFile } from "./node_file.ts";
import { recoverJournal, type Recovery } from "./recovery.ts";
import { headerLine, readExactly, segmentName } from "./segment.ts";
import type { Snapshot } from "./snapshot_file.ts";

export interface ReadData {
  /** The last segment's. */
  readonly file: OpenFile;
  readonly path: string;
  readonly recovery: Recovery;
  readonly index: JournalIndex;
  readonly segments: readonly Segment[];
  readonly snapshot: Snapshot | undefined;
  readonly entries: number;
  /** The identity of the segment that was written to last as far as node.json knows. */
  readonly known: string | undefined;
}

export interface ReadDataOptions {
  readonly directory: string;
  readonly files: Files;
  /** Takes in what is in the journal, or in the snapshot before it; says why if it cannot be the next. */
  apply(entry: Entry): string | undefined;
}

/** Reads the snapshot and all segments, and leaves the last one open. */
export async function readData(
  { directory, files, apply }: ReadDataOptions,
  layout: Layout,
  before: NodeFile | "broken" | undefined,
): Promise<ReadData> {
  const index = new JournalIndex();
  const { snapshot: snapshotNumber, segments: numbers } = layout;
  const lastNumber = numbers.at(-1) ?? FIRST_SEGMENT;
  const known = typeof before === "object" ? before : undefined;
  if (known !== undefined && known.segment > lastNumber) {
    const name = segmentName("journal", known.segment);
    throw new DataDirectoryError(
      `Cannot use ${directory}: ${name} is missing, to which was written last. Put it back, get it ` +
        "from another node with chat log verify --repair, or restore a backup.",
    );
  }
  const take = (entry: Entry) => {
    index.note(entry);
    return apply(entry);
  };
  let entries = 0;
  let snapshot: Snapshot | undefined;
  if (snapshotNumber !== undefined) {
    snapshot = await readSnapshot(files, directory, snapshotNumber, take);
    entries += snapshot.entries;
  }
  index.mark(0);
  const segments: Segment[] = [];
  let [base, after, identity] = [
    0,
    undefined as number | undefined,
    undefined as string | undefined,
  ];
  for (const number of numbers) {
    const path = join(directory, segmentName("journal", number));
    const isLast = number === lastNumber;
    const file = await files.open(path, isLast ? "append" : "read");
    try {
      const isFirst = number === FIRST_SEGMENT;
      const header = { kind: "journal" as const, segment: number, after: isFirst ? 0 : after };
      if (isLast && mayBeUnbegun(before, number) && header.after !== undefined) {
        const expected = headerLine({ ...header, after: header.after });
        await beginSegment(files, directory, file, path, expected);
      }
      if (number === known?.segment) identity = (await file.stat()).identity;
      const start = base;
      let headerBytes = 0;
      const recovery = await recoverJournal({
        ...{ file, path, isLast },
        header: header.after === undefined
          ? { kind: header.kind, segment: number }
          : { ...header, after: header.after },
        syncedBytes: number === known?.segment ? known.journalBytes : 0,
        apply: take,
        onHeader: (bytes) => headerBytes = bytes,
        onBatch: (end) => index.endBatch(start + end - headerBytes),
      });
      entries += recovery.entries;
      const bytes = recovery.wholeBytes - headerBytes;
      segments.push({ number, path, base, headerBytes, bytes });
      base += bytes;
      after = recovery.wholeBytes;
      if (isLast) {
        return { file, path, recovery, index, segments, snapshot, entries, known: identity };
      }
      index.mark(base);
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
  throw new Error(`Cannot read ${directory}: it has no segments`);
}

/**
 * Whether a crash can have left a segment without its first line: `node.json` names a segment only once
 * that is on disk.
 */
function mayBeUnbegun(before: NodeFile | "broken" | undefined, segment: number): boolean {
  if (before === undefined) return segment === FIRST_SEGMENT;
  return before !== "broken" && before.segment < segment;
}

async function readSnapshot(
  files: Files,
  directory: string,
  segment: number,
  apply: (entry: Entry) => string | undefined,
): Promise<Snapshot> {
  const path = join(directory, segmentName("snapshot", segment));
  const file = await files.open(path, "read");
  try {
    let vector = new VersionVector();
    let isComplete = false;
    const { entries, headerBytes, wholeBytes } = await recoverJournal({
      ...{ file, path, header: { kind: "snapshot", segment }, isLast: false, syncedBytes: 0 },
      apply(entry) {
        isComplete = entry.kind === "coverage";
        if (entry.kind === "coverage") vector = VersionVector.of(entry.vector);
        return apply(entry);
      },
    });
    if (!isComplete) {
      throw new DataDirectoryError(
        `Cannot read snapshot ${path}: found no end of it at line ${entries + 2}, byte ` +
          `${wholeBytes}. Get it from another node with chat log verify --repair, or restore a backup.`,
      );
    }
    return { path, segment, headerBytes, bytes: wholeBytes, entries, vector };
  } finally {
    file.close();
  }
}

/** Gives a segment that is new, or whose making a crash cut short, its first line. */
export async function beginSegment(
  files: Files,
  directory: string,
  file: OpenFile,
  path: string,
  header: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { bytes } = await file.stat();
  if (bytes > header.length) return;
  const found = await readExactly(file, 0, bytes);
  const isStart = found.every((byte, index) => byte === header[index]);
  if (!isStart && found.some((byte) => byte !== 0)) return;
  // Also what seems to be there: after a sync that failed, the system shows what it will never write.
  await file.truncate(0);
  await writeAll(file, path, header);
  await file.sync();
  await files.syncDirectory(directory);
}
