import { StorageError } from "./files.ts";
import { parseSegmentName, segmentName } from "./segment.ts";
import { isSnapshotDraft } from "./snapshot_file.ts";

/** The data directory cannot be used as it is. */
export class DataDirectoryError extends StorageError {
  override readonly name = "DataDirectoryError";
}

export const FIRST_SEGMENT = 1;

/** What a file is called that `chat restore` has not put in its place yet. */
export const RESTORE_PREFIX = "restore-";
/** What makes a directory a backup, and what it is called as long as that is being made. */
export const BACKUP_FILE = "backup.json";
export const BACKUP_FILE_DRAFT = "backup.json.new";

/** Whether a file of this name was to become one of a data directory, by `chat restore`. */
export function isUnfinishedRestore(name: string): boolean {
  return name.startsWith(RESTORE_PREFIX) &&
    parseSegmentName(name.slice(RESTORE_PREFIX.length)) !== undefined;
}

/** Which of a directory's files hold its data. */
export interface Layout {
  readonly snapshot: number | undefined;
  /** In order, from the snapshot's number or the first on. */
  readonly segments: readonly number[];
  /** Names of what a snapshot has replaced, or was to become one. */
  readonly leftovers: readonly string[];
}

/** Reads it from the names, and which segments should be between those that are there. */
export function partsIn(
  names: readonly string[],
): Layout & { readonly first: number; readonly missing: readonly number[] } {
  const found = names.flatMap((name) => parseSegmentName(name) ?? []);
  const numbersOf = (kind: "journal" | "snapshot") =>
    found.filter((one) => one.kind === kind).map(({ segment }) => segment).sort((a, b) => a - b);
  const snapshot = numbersOf("snapshot").at(-1);
  const first = snapshot ?? FIRST_SEGMENT;
  const segments = numbersOf("journal").filter((segment) => segment >= first);
  const missing: number[] = [];
  for (let number = first; number <= (segments.at(-1) ?? first); number++) {
    if (!segments.includes(number)) missing.push(number);
  }
  const leftovers = names.filter((name) => {
    const { segment = first } = parseSegmentName(name) ?? {};
    return segment < first || isSnapshotDraft(name);
  });
  return { snapshot, first, segments, missing, leftovers };
}

/** Reads it from the names. Throws {@linkcode DataDirectoryError} if a segment is missing. */
export function layoutOf(directory: string, names: readonly string[]): Layout {
  const { snapshot, first, segments, missing, leftovers } = partsIn(names);
  const isNew = snapshot === undefined && segments.length === 0;
  if (missing[0] !== undefined && !isNew) {
    const name = segmentName("journal", missing[0]);
    throw new DataDirectoryError(
      `Cannot use ${directory}: ${name} is missing. Put it back, get it from another node with ` +
        "chat log verify --repair, or restore a backup.",
    );
  }
  return { snapshot, segments: isNew ? [first] : segments, leftovers };
}
