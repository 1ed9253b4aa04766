import type { Stamp } from "../core/operation.ts";
import type { StateRecord } from "../core/state_record.ts";
import { type DataDirectory, removeAll } from "./data_directory.ts";
import { layoutOf } from "./layout.ts";
import { SnapshotWriter } from "./snapshot_file.ts";
import { KEY_CHARS } from "./state_line.ts";

export interface CompactionParts {
  readonly directory: DataDirectory;
  /** All that the state holds, from its first call on: see core/snapshot.ts. */
  readonly records: () => Iterable<StateRecord | undefined>;
  /** The node's clock now. */
  readonly clock: () => Stamp;
  /** Resolves once everything that the state holds by now is on disk. */
  readonly settled: () => Promise<void>;
  /** A clock that nobody sets, in ms. */
  readonly nowMs: () => number;
  /** Lets others have their turn, after so much work. */
  readonly pause: (workedMs: number) => Promise<void>;
}

/** How much space there was, and is. */
export interface CompactionReport {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** About so many bytes are encoded and written together. */
const BATCH_UNITS = 32 * 1024;
const RECORD_UNITS = 200;
/** So long others wait at most, and for a batch, in ms. */
const SLICE_MS = 1;

/**
 * Replaces all of the journal so far by a snapshot, while the node goes on: snapshot → fsync → rename
 * → fsync of the directory → only then what it replaces is removed. What happens meanwhile is in a new
 * segment, and may be in the snapshot as well: merged twice, it is the same.
 *
 * Rejects with StorageError: JournalError if the journal failed and the node with it, FileError if only
 * the snapshot could not be made, and everything is as before, or what it replaced not be removed: then
 * the next compaction or start does that.
 */
export async function compact(parts: CompactionParts): Promise<CompactionReport> {
  const { directory, clock, settled } = parts;
  const { files, journal, path } = directory;
  const bytesBefore = bytesOf(directory);
  const { segment, vector, entries: entriesBefore } = await journal.rotate();
  const writer = await SnapshotWriter.begin(files, path, segment);
  try {
    await writeRecords(parts, writer);
    // A crash could take back what is not on disk: the snapshot must not say it then.
    await settled();
    directory.snapshot = await writer.finish(vector, clock());
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  const since = journal.entries - entriesBefore;
  journal.replacedBefore(segment, directory.snapshot.entries + since);
  // Also what an earlier attempt could not remove.
  await removeAll(files, path, layoutOf(path, await files.list(path) ?? []).leftovers);
  return { bytesBefore, bytesAfter: bytesOf(directory) };
}

/** What the snapshot and the journal take on disk. */
export function bytesOf({ snapshot, journal }: DataDirectory): number {
  return (snapshot?.bytes ?? 0) + journal.fileBytes;
}

async function writeRecords(
  { records, nowMs, pause }: CompactionParts,
  writer: SnapshotWriter,
): Promise<void> {
  let batch: StateRecord[] = [];
  let units = 0;
  let startMs = nowMs();
  for (const record of records()) {
    if (record !== undefined) {
      batch.push(record);
      units += unitsOf(record);
    }
    if (units >= BATCH_UNITS) {
      await writer.add(batch);
      batch = [];
      units = 0;
    }
    const workedMs = nowMs() - startMs;
    if (workedMs < SLICE_MS) continue;
    await pause(workedMs);
    startMs = nowMs();
  }
  await writer.add(batch);
}

/** About what a record costs to encode, in bytes of its text. */
function unitsOf(record: StateRecord): number {
  if (record.kind === "message_state") return RECORD_UNITS + record.content.length;
  if (record.kind !== "deleted_state") return RECORD_UNITS;
  return RECORD_UNITS + KEY_CHARS * (record.deleted.length + record.recipients.length);
}
