import { join } from "node:path";
import type { Entry } from "../core/state_record.ts";
import { type Files, type OpenFile, StorageError } from "./files.ts";
import { DataDirectoryError, FIRST_SEGMENT, layoutOf } from "./layout.ts";
import { NODE_FILE, type NodeFile, readNodeFile } from "./node_file.ts";
import type { ReadDataOptions } from "./read_data.ts";
import { recoverJournal } from "./recovery.ts";
import { parseSegmentName, readExactly, type SegmentHeader, segmentName } from "./segment.ts";

/** What was read of a data directory. */
export interface Folded {
  /** Whose data it is, as far as node.json says. */
  readonly node: string | undefined;
  readonly entries: number;
}

interface Part {
  readonly file: OpenFile;
  readonly path: string;
  readonly header: Partial<SegmentHeader>;
  readonly isLast: boolean;
}

const NEWLINE = 0x0a;
const HEADER_BYTES_MAX = 256;

/**
 * Reads all that a data directory holds, as far as there are whole batches, and changes nothing: neither
 * lock nor anything else is needed, so the node may be running.
 *
 * Rejects with StorageError: DataDirectoryError, RecoveryError or FileError.
 */
export async function foldDirectory(
  { files, directory, apply }: ReadDataOptions,
): Promise<Folded> {
  const nodeFile = await nodeFileOf(files, directory);
  const parts = await openParts(files, directory);
  try {
    let entries = 0;
    let after: number | undefined = 0;
    let isComplete = true;
    for (const { header, ...part } of parts) {
      const { segment = 0 } = header;
      // node.json names a segment only once its first line is on disk.
      if (part.isLast && segment > (nodeFile?.segment ?? 0) && await isUnbegun(part.file)) break;
      const isSnapshot = header.kind === "snapshot";
      const isFirst = after === 0;
      const recovery = await recoverJournal({
        ...part,
        header: isSnapshot || (isFirst && header.segment !== FIRST_SEGMENT) || after === undefined
          ? header
          : { ...header, after },
        syncedBytes: isSnapshot ? 0 : syncedBytesOf(nodeFile, segment),
        apply(entry: Entry) {
          isComplete = !isSnapshot || entry.kind === "coverage";
          return apply(entry);
        },
      });
      if (!isComplete) throw new DataDirectoryError(`Cannot read ${part.path}: its end is missing`);
      entries += recovery.entries;
      after = isSnapshot ? undefined : recovery.wholeBytes;
    }
    const last = parts.at(-1)?.header.segment ?? 0;
    if (nodeFile !== undefined && nodeFile.segment > last) {
      const name = segmentName("journal", nodeFile.segment);
      throw new DataDirectoryError(`Cannot read ${directory}: ${name} is missing`);
    }
    return { node: nodeFile?.node, entries };
  } finally {
    for (const { file } of parts) file.close();
  }
}

function syncedBytesOf(nodeFile: NodeFile | undefined, segment: number): number {
  return nodeFile !== undefined && nodeFile.segment === segment ? nodeFile.journalBytes : 0;
}

async function nodeFileOf(files: Files, directory: string): Promise<NodeFile | undefined> {
  const names = await files.list(directory) ?? [];
  const found = names.includes(NODE_FILE) ? await readNodeFile(files, directory) : undefined;
  return found === "broken" ? undefined : found;
}

/**
 * Opens all files before it reads the first: what a compaction removes meanwhile stays until it is
 * closed. If one has gone before it could be opened, it begins again with those that are there then.
 */
async function openParts(files: Files, directory: string): Promise<Part[]> {
  for (let seen = "";;) {
    const names = await files.list(directory) ?? [];
    if (!names.some((name) => parseSegmentName(name)?.kind === "journal")) {
      throw new DataDirectoryError(`Cannot read ${directory}: there is no journal in it`);
    }
    const parts: Part[] = [];
    try {
      const { snapshot, segments } = layoutOf(directory, names);
      const headers = [
        ...(snapshot === undefined ? [] : [{ kind: "snapshot", segment: snapshot } as const]),
        ...segments.map((segment) => ({ kind: "journal", segment } as const)),
      ];
      for (const [index, header] of headers.entries()) {
        const path = join(directory, segmentName(header.kind, header.segment));
        const file = await asItIs(await files.open(path, "read"));
        parts.push({ file, path, header, isLast: index === headers.length - 1 });
      }
      return parts;
    } catch (error) {
      for (const { file } of parts) file.close();
      const now = names.toSorted().join();
      if (!(error instanceof StorageError) || now === seen) throw error;
      seen = now;
    }
  }
}

/** The file with the bytes that it has now, whatever is appended to it meanwhile. */
async function asItIs(file: OpenFile): Promise<OpenFile> {
  const stat = await file.stat();
  const refuse = () => Promise.reject(new Error("Cannot change a file that is only read"));
  return {
    read: (into, at) => file.read(into.subarray(0, Math.max(0, stat.bytes - at)), at),
    stat: () => Promise.resolve(stat),
    close: () => file.close(),
    ...{ write: refuse, sync: refuse, truncate: refuse, tryLock: refuse },
  };
}

/** A segment that was made just now, or whose making a crash cut short. */
async function isUnbegun(file: OpenFile): Promise<boolean> {
  return !(await readExactly(file, 0, HEADER_BYTES_MAX)).includes(NEWLINE);
}
