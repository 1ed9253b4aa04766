import { sealedLine, sealFault } from "./batch.ts";
import type { OpenFile } from "./files.ts";

/**
 * The files of a data directory that hold data. A journal is cut into segments, numbered from 1; a
 * snapshot stands for all segments before the one of its number.
 *
 * Each begins with a line of its own, under a seal:
 *
 * ```json
 * {"journal":1,"segment":2,"after":81920}
 * {"snapshot":1,"segment":2}
 * ```
 *
 * `journal` and `snapshot` are the version of the format, `after` is how many bytes the segment before
 * has: one that lost its end is noticed.
 */
export interface SegmentHeader {
  readonly kind: "journal" | "snapshot";
  readonly segment: number;
  /** Bytes of the segment before; 0 for the first, and for a snapshot. */
  readonly after: number;
}

/** The version of both formats. */
const FORMAT = 1;
const NEWLINE = 0x0a;
/** No header is longer. */
const HEADER_BYTES_MAX = 256;

const NAME = /^(journal|snapshot)-(\d{8,15})\.jsonl$/;

/** `journal-00000001.jsonl` */
export function segmentName(kind: SegmentHeader["kind"], segment: number): string {
  return `${kind}-${String(segment).padStart(8, "0")}.jsonl`;
}

/** What a file of this name holds; undefined if it is none of these. */
export function parseSegmentName(
  name: string,
): Pick<SegmentHeader, "kind" | "segment"> | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const segment = Number(match[2]);
  const kind = match[1] === "journal" ? "journal" : "snapshot";
  return segmentName(kind, segment) === name && segment > 0 ? { kind, segment } : undefined;
}

export function headerLine({ kind, segment, after }: SegmentHeader): Uint8Array<ArrayBuffer> {
  return sealedLine(JSON.stringify({ [kind]: FORMAT, segment, ...(after > 0 && { after }) }));
}

/** The header at the start of a file, and its bytes; undefined if there is none of this version. */
export async function readHeader(
  file: OpenFile,
): Promise<{ header: SegmentHeader; bytes: number } | undefined> {
  const start = await readExactly(file, 0, HEADER_BYTES_MAX);
  const end = start.indexOf(NEWLINE);
  const header = end < 0 ? undefined : decodeHeader(start.subarray(0, end));
  return header && { header, bytes: end + 1 };
}

/** The header on a line without its newline; undefined if it is none of this version. */
export function decodeHeader(line: Uint8Array): SegmentHeader | undefined {
  if (sealFault(line, 0, line.length) !== undefined) return undefined;
  const { journal, snapshot, segment, after = 0 } = JSON.parse(new TextDecoder().decode(line));
  if (journal !== FORMAT && snapshot !== FORMAT) return undefined;
  return { kind: journal === FORMAT ? "journal" : "snapshot", segment, after };
}

/** Reads `bytes` bytes, or fewer if the file ends. */
export async function readExactly(
  file: Pick<OpenFile, "read">,
  at: number,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const into = new Uint8Array(bytes);
  let filled = 0;
  while (filled < bytes) {
    const read = await file.read(into.subarray(filled), at + filled);
    if (read === 0) break;
    filled += read;
  }
  return into.subarray(0, filled);
}
