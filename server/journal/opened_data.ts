import { join } from "node:path";
import { FileError, type Files, type OpenFile, StorageError } from "./files.ts";
import { DataDirectoryError, partsIn } from "./layout.ts";
import { NODE_FILE, type NodeFile, readNodeFile } from "./node_file.ts";
import { parseSegmentName, type SegmentHeader, segmentName } from "./segment.ts";

/** A file of a data directory that is open for reading. */
export interface DataFile extends Pick<SegmentHeader, "kind" | "segment"> {
  readonly name: string;
  readonly path: string;
  readonly file: OpenFile;
  /** So many it had when it was opened. */
  readonly bytes: number;
}

/** How far a node that runs has something on disk. */
export interface Position {
  readonly segment: number;
  /** Of that segment, with its header. */
  readonly bytes: number;
}

/** All files of a data directory as they were at one moment. */
export interface OpenedData<P extends Position = Position> {
  readonly directory: string;
  /** All that is there. */
  readonly names: readonly string[];
  /** What all data is in, in order: a snapshot if there is one, and the segments from its number on. */
  readonly files: readonly DataFile[];
  /** Segments that should be between these. */
  readonly missing: readonly number[];
  /** Names of what a snapshot has replaced, or was to become one. */
  readonly leftovers: readonly string[];
  /** `failed`: it cannot be used, and this is why. */
  readonly nodeFile: NodeFile | { readonly failed: string } | undefined;
  readonly position: P | undefined;
  close(): void;
}

/** How often something may vanish while it is opened. */
const ATTEMPTS_MAX = 30;

/**
 * Opens all files of a data directory, whether or not a node is running on it: they only grow, and what
 * a compaction removes meanwhile stays readable until it is closed. `ask` gets the names that are
 * there, and tells how far the node that runs has got; undefined if none runs.
 *
 * Whatever was on disk when this was called is in these files. With a position, nothing in the snapshot
 * is later than that. Changes nothing. Rejects with StorageError.
 */
export async function openData<P extends Position>(
  files: Files,
  directory: string,
  ask: (names: readonly string[]) => Promise<P | undefined>,
): Promise<OpenedData<P>> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const opened = await tryOpen(files, directory, ask);
    if (opened !== undefined) return opened;
  }
  throw new DataDirectoryError(
    `Cannot read ${directory}: its files were replaced ${ATTEMPTS_MAX} times while they were ` +
      "opened. Try it again when the node compacts its journal less often.",
  );
}

async function tryOpen<P extends Position>(
  files: Files,
  directory: string,
  ask: (names: readonly string[]) => Promise<P | undefined>,
): Promise<OpenedData<P> | undefined> {
  const before = partsOf(directory, await files.list(directory));
  // A snapshot that was there before the node was asked holds nothing that came after the answer.
  const position = await ask(before.names);
  const nodeFile = await nodeFileOf(files, directory, before.names);
  const parts = partsOf(directory, await files.list(directory));
  const opened: DataFile[] = [];
  const close = () => opened.forEach(({ file }) => file.close());
  try {
    for (const { kind, segment } of parts.found) {
      const name = segmentName(kind, segment);
      const path = join(directory, name);
      const file = await files.open(path, "read");
      const at = opened.push({ kind, segment, name, path, file, bytes: 0 }) - 1;
      opened[at] = { kind, segment, name, path, file, bytes: (await file.stat()).bytes };
    }
    const after = partsOf(directory, await files.list(directory));
    const isStill = before.snapshot === after.snapshot && parts.snapshot === after.snapshot &&
      // Names are not listed at one moment: what seems to be missing may only seem so.
      (parts.missing.length === 0 || String(before.names) === String(after.names)) &&
      (position === undefined || parts.found.some(({ segment }) => segment === position.segment));
    if (isStill) {
      const { names, missing, leftovers } = parts;
      return { directory, names, files: opened, missing, leftovers, nodeFile, position, close };
    }
  } catch (error) {
    const hasVanished = error instanceof FileError && error.code === "ENOENT";
    if (!hasVanished) {
      close();
      throw error;
    }
  }
  close();
  return undefined;
}

interface Parts {
  /** Sorted. */
  readonly names: readonly string[];
  readonly snapshot: number | undefined;
  readonly found: readonly Pick<SegmentHeader, "kind" | "segment">[];
  readonly missing: readonly number[];
  readonly leftovers: readonly string[];
}

/** Also of a directory of which something is missing. */
function partsOf(directory: string, listed: readonly string[] | undefined): Parts {
  if (listed === undefined) {
    throw new DataDirectoryError(
      `Cannot read ${directory}: there is no such directory. Name the node's with --data, or the ` +
        "node with --node.",
    );
  }
  const names = listed.toSorted();
  const hasData = names.some((name) => parseSegmentName(name) !== undefined);
  if (!hasData && !names.includes(NODE_FILE)) {
    throw new DataDirectoryError(
      `Cannot read ${directory}: there is no journal in it. Name the node's directory with --data, ` +
        "or the node with --node.",
    );
  }
  const { snapshot, segments, missing, leftovers } = partsIn(names);
  const found = [
    ...(snapshot === undefined ? [] : [{ kind: "snapshot" as const, segment: snapshot }]),
    ...segments.map((segment) => ({ kind: "journal" as const, segment })),
  ];
  return { names, snapshot, found, missing, leftovers };
}

async function nodeFileOf(
  files: Files,
  directory: string,
  names: readonly string[],
): Promise<OpenedData["nodeFile"]> {
  if (!names.includes(NODE_FILE)) return undefined;
  try {
    const found = await readNodeFile(files, directory);
    return found === "broken" ? { failed: "it is not what was written" } : found;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return { failed: error.message };
  }
}
