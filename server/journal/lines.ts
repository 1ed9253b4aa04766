import type { Operation } from "../core/operation.ts";
import { sealFault } from "./batch.ts";
import { MessageLines } from "./message_line.ts";
import { decodeLine, RecordError } from "./record.ts";

/**
 * A journal's lines outside of a journal: as nodes send them to each other. They come with the seals
 * and batch markers that they had there, and markers mean nothing here.
 */

/** Where a line stands in some bytes, and whose operation it is. */
export interface NamedLine {
  readonly origin: string;
  readonly seq: number;
  readonly start: number;
  /** After its newline. */
  readonly end: number;
}

const NEWLINE = 0x0a;
/** How operations end that this version writes. Nothing inside of a string looks like it. */
const NAMED_END =
  /,"origin":"([^"\\]+)","seq":(\d{1,15})(?:,"batch":\{[^{}]*\})?,"crc":"[\da-f]{8}"\}$/;
const NAMED_END_CHARS_MAX = 256;
/** One character for each byte, whatever it is. */
const singleBytes = new TextDecoder("latin1");

/** Whose operations whole lines of a journal are, at little cost: nothing else of them is looked at. */
export function nameLines(bytes: Uint8Array): NamedLine[] {
  const text = singleBytes.decode(bytes);
  const lines: NamedLine[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = endOfLine(bytes, start);
    const ending = text.slice(Math.max(start, newline - NAMED_END_CHARS_MAX), newline);
    const match = NAMED_END.exec(ending);
    const name = match?.[1] === undefined
      ? decodeLine(bytes.subarray(start, newline)).operation
      : { origin: match[1], seq: Number(match[2]) };
    lines.push({ origin: name.origin, seq: name.seq, start, end: newline + 1 });
    start = newline + 1;
  }
  return lines;
}

/** The operations of whole lines. Throws {@linkcode RecordError} on what no journal has. */
export function readLines(bytes: Uint8Array): Operation[] {
  const messages = new MessageLines(bytes);
  const operations: Operation[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = endOfLine(bytes, start);
    const fault = sealFault(bytes, start, end);
    if (fault !== undefined) throw new RecordError(`found ${fault} at byte ${start}`);
    const line = messages.read(start, end) ?? decodeLine(bytes.subarray(start, end));
    operations.push(line.operation);
    start = end + 1;
  }
  return operations;
}

function endOfLine(bytes: Uint8Array, start: number): number {
  const end = bytes.indexOf(NEWLINE, start);
  if (end < 0) throw new RecordError("expected whole lines, found a part of one");
  return end;
}
