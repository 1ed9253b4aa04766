import { join } from "node:path";
import type { Entry } from "../core/state_record.ts";
import { LINE_BYTES_MAX, sealFault } from "./batch.ts";
import { RecordError } from "./fields.ts";
import type { Files, OpenFile } from "./files.ts";
import { decodeLine } from "./record.ts";
import { parseSegmentName } from "./segment.ts";

const CHUNK_BYTES = 2 ** 18;
const NEWLINE = 0x0a;
const NUL = 0x00;
const HEADER_START = /^\{"(journal|snapshot)":/;

/**
 * Every entry of a damaged directory's snapshot and journal whose line is whole, in order, and
 * "unreadable" where something is that is none. Rejects with FileError.
 */
export async function* intactEntries(
  files: Files,
  directory: string,
): AsyncGenerator<Entry | "unreadable"> {
  const names = await files.list(directory) ?? [];
  const found = names.flatMap((name) => {
    const parsed = parseSegmentName(name);
    return parsed === undefined ? [] : [{ name, ...parsed }];
  });
  // A snapshot comes before the segment of its number.
  found.sort((a, b) => a.segment - b.segment || (a.kind === "snapshot" ? -1 : 1));
  for (const { name } of found) {
    const file = await files.open(join(directory, name), "read");
    try {
      for await (const line of linesOf(file)) {
        if (!isHeader(line)) yield intactEntry(line);
      }
    } finally {
      file.close();
    }
  }
}

/** Pieces between newlines and unwritten sectors; what is longer than any line is left out. */
async function* linesOf(file: OpenFile): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  let isTooLong = false;
  for (let at = 0;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const read = await file.read(chunk, at);
    at += read;
    const bytes = new Uint8Array(rest.length + read);
    bytes.set(rest);
    bytes.set(chunk.subarray(0, read), rest.length);
    let start = 0;
    for (let index = rest.length; index < bytes.length; index++) {
      if (bytes[index] !== NEWLINE && bytes[index] !== NUL) continue;
      if (!isTooLong && index > start) yield bytes.subarray(start, index);
      isTooLong = false;
      start = index + 1;
    }
    rest = bytes.slice(start);
    if (rest.length > LINE_BYTES_MAX) [rest, isTooLong] = [new Uint8Array(0), true];
    if (read > 0) continue;
    // The last line may lack its newline.
    if (!isTooLong && rest.length > 0) yield rest;
    return;
  }
}

function isHeader(line: Uint8Array): boolean {
  return HEADER_START.test(new TextDecoder().decode(line.subarray(0, 16)));
}

function intactEntry(line: Uint8Array): Entry | "unreadable" {
  if (sealFault(line, 0, line.length) !== undefined) return "unreadable";
  try {
    return decodeLine(line).entry;
  } catch (error) {
    if (error instanceof RecordError) return "unreadable";
    throw error;
  }
}
