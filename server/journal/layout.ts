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
  /** Without gaps. */
  readonly segments: readonly number[];
  /** Names of what a snapshot has replaced, or was to become one. */
  readonly leftovers: readonly string[];
}

/** Reads it from the names. Throws {@linkcode DataDirectoryError} if a segment is missing. */
export function layoutOf(directory: string, names: readonly string[]): Layout {
  const found = names.flatMap((name) => parseSegmentName(name) ?? []);
  const numbersOf = (kind: "journal" | "snapshot") =>
    found.filter((one) => one.kind === kind).map(({ segment }) => segment).sort((a, b) => a - b);
  const snapshot = numbersOf("snapshot").at(-1);
  const first = snapshot ?? FIRST_SEGMENT;
  const segments = numbersOf("journal").filter((segment) => segment >= first);
  const missing = segments.findIndex((segment, index) => segment !== first + index);
  if (missing >= 0 || (segments.length === 0 && snapshot !== undefined)) {
    const name = segmentName("journal", first + Math.max(missing, 0));
    throw new DataDirectoryError(
      `Cannot use ${directory}: ${name} is missing. Put it back, get it from another node with ` +
        "chat log verify --repair, or restore a backup.",
    );
  }
  const leftovers = names.filter((name) => {
    const { segment = first } = parseSegmentName(name) ?? {};
    return segment < first || isSnapshotDraft(name);
  });
  return { snapshot, segments: segments.length === 0 ? [first] : segments, leftovers };
}
