import { canBeStartOfLine, markerFits, sealFault } from "./batch.ts";
import { RecordError } from "./fields.ts";
import { type BatchMarker, decodeLine } from "./record.ts";

/** What the bytes after a journal's last whole batch are. */
export type Tail =
  /** What a crash leaves of a batch that it cut short: never acknowledged, never sent. */
  | { readonly kind: "torn"; readonly why: string }
  /** A whole batch but for its newline. */
  | { readonly kind: "lacks_newline" }
  /** What no crash leaves. `at` is the offset in the file. */
  | { readonly kind: "damaged"; readonly at: number; readonly found: string };

/** What a disk writes as a whole or not at all, at the least. */
const SECTOR_BYTES = 512;
const NEWLINE = 0x0a;
/** Marker and seal take no more. */
const MARKED_END_BYTES = 128;

/**
 * Judges the bytes from `offset`, where the last whole batch ends, to the end of the file.
 *
 * Everything before the last batch was synced before that one was written, so a crash can explain
 * only an incomplete last batch, and only in two ways:
 *
 * 1. The file ends early, within the batch. Its lines are right as far as they go.
 * 2. The file is long enough, but sectors of the batch were not written: they are NUL. JSON has no
 *    NUL, so a run of NULs is exactly what was not written. It begins where the batch begins (the
 *    sector's bytes before are of the batch before) or at a sector's boundary, and ends at a
 *    sector's boundary or at the end of the file.
 *
 * Everything else is damage to what was synced, which must not pass for a torn tail, or it would be
 * cut in silence. What one flipped bit can do, for every bit of acknowledged batches:
 *
 * - inside a line: its checksum is wrong, and there is no NUL → damaged. If the bit makes a
 *   newline, the first part has no checksum → damaged.
 * - a byte made NUL: as a run, it is one byte long. It would have to lie between two boundaries. The
 *   file's last byte is a newline and a batch's first one a brace, both of which have more than one
 *   bit set; any other run of one byte does not reach from boundary to boundary → damaged.
 * - the newline between two lines: they become one, whose checksum is wrong → damaged.
 * - the file's last newline: the file seems to end early, within a line; but that line has its
 *   whole, right checksum and goes on → damaged. No other single bit makes a file end early.
 * - the marker is under the checksum of its line.
 *
 * Markers tell more, also those of lines of which only the end is there: a batch that says that it
 * began elsewhere than at `offset` is a later one, so what is missing before it was synced.
 *
 * What is left: a disk that lost sectors of the very last batch, or everything from some place in
 * the batch before on, after both were synced. That looks like case 2; hence `syncedBytes` in
 * recovery.ts, the bytes that are kept aside, the report, and the new epoch.
 */
export function judgeTail(tail: Uint8Array, offset: number): Tail {
  const stray = findStrayNul(tail, offset);
  if (stray !== undefined) {
    return { kind: "damaged", at: offset + stray, found: "NUL bytes that are no unwritten sector" };
  }
  const hole = tail.indexOf(0);
  let [start, lines] = [0, 0];
  for (; start < tail.length; lines++) {
    const newline = tail.indexOf(NEWLINE, start);
    const end = newline < 0 ? tail.length : newline;
    const written = afterLastNul(tail, start, end);
    const fault = sealFault(tail, written, end);
    const isEnd = end >= tail.length - 1;
    if (fault === undefined) {
      const marker = markerIn(tail.subarray(written, end));
      const at = offset + written;
      if (marker === "damaged") return { kind: "damaged", at, found: "no record of this version" };
      if (hole < 0 && marker !== undefined) {
        if (newline < 0 && markerFits(marker, lines + 1, start)) return { kind: "lacks_newline" };
        return { kind: "damaged", at, found: "a batch marker that does not fit" };
      }
      if (marker !== undefined && !(isEnd && marker.bytes === written)) {
        return holeBefore(hole, offset);
      }
    } else if (written === start) {
      if (newline < 0 && canBeStartOfLine(tail.subarray(start))) break;
      return { kind: "damaged", at: offset + start, found: fault };
    } else {
      // The line's start was not written; it is between `start` and `written`.
      const bytes = markedBytesAtEnd(tail.subarray(written, end));
      const fits = isEnd && bytes !== undefined && bytes >= start && bytes <= written;
      if (bytes !== undefined && !fits) return holeBefore(hole, offset);
    }
    start = end + 1;
  }
  return { kind: "torn", why: hole < 0 ? "the file ends early" : "sectors were never written" };
}

/** A marker says that another batch was whole after the one with the hole, or began after it. */
function holeBefore(hole: number, offset: number): Tail {
  const found = "unwritten sectors before another batch";
  return { kind: "damaged", at: offset + hole, found };
}

/** The marker of a line with a right checksum. */
function markerIn(line: Uint8Array): BatchMarker | "damaged" | undefined {
  try {
    return decodeLine(line).batch;
  } catch (error) {
    if (error instanceof RecordError) return "damaged";
    throw error;
  }
}

/** What the marker says at the end of a line whose start is missing. */
function markedBytesAtEnd(line: Uint8Array): number | undefined {
  const end = new TextDecoder().decode(line.subarray(-MARKED_END_BYTES));
  const bytes = /,"batch":\{"records":\d+,"bytes":(\d+)\},"crc":"[\da-f]{8}"\}$/.exec(end)?.[1];
  return bytes === undefined ? undefined : Number(bytes);
}

/** The index of the first NUL that is in no run from boundary to boundary. */
function findStrayNul(tail: Uint8Array, offset: number): number | undefined {
  for (let start = tail.indexOf(0); start >= 0;) {
    let end = start;
    while (end < tail.length && tail[end] === 0) end++;
    const begins = start === 0 || (offset + start) % SECTOR_BYTES === 0;
    const ends = end === tail.length || (offset + end) % SECTOR_BYTES === 0;
    if (!begins || !ends) return start;
    start = tail.indexOf(0, end);
  }
  return undefined;
}

function afterLastNul(bytes: Uint8Array, start: number, end: number): number {
  const last = bytes.subarray(start, end).lastIndexOf(0);
  return start + last + 1;
}
