import { StorageError } from "./files.ts";
import { parseSegmentName, segmentName } from "./segment.ts";
import { isSnapshotDraft } from "./snapshot_file.ts";

/** The data directory cannot be used as it is. */
export class DataDirectoryError extends StorageError {
  override readonly name = "DataDirectoryError";
}

export const FIRST_SEGMENT = 1;

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
