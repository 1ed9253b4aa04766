import { type Entry, NO_PLACE } from "../core/state_record.ts";
import { type Sealed, sealFault } from "./batch.ts";
import { RecordError } from "./fields.ts";
import { MessageLines } from "./message_line.ts";
import { decodeLine, encodeEntry } from "./record.ts";
import { STATE_START } from "./state_line.ts";

/**
 * A journal's lines outside of a journal: as nodes send them to each other. They come with the seals
 * and batch markers that they had there, and markers mean nothing here.
 */

/**
 * Whose operations some lines are, and where each line ends, after its newline. Lines of a state are
 * of no origin.
 */
export interface NamedLines {
  readonly names: readonly { readonly origin: string; readonly seq: number }[];
  readonly ends: readonly number[];
}

/** Of a message: no content has more UTF-16 units than bytes. */
const CONTENT_UNITS_MAX = 64 * 1024;
/** How operations end that this version writes. Nothing inside of a string looks like it. */
const NAMED_END =
  /,"origin":"([^"\\]+)","seq":(\d{1,15})(?:,"batch":\{[^{}]*\})?,"crc":"[\da-f]{8}"\}$/;
const NAMED_END_CHARS_MAX = 256;
/** One character for each byte, whatever it is. */
const singleBytes = new TextDecoder("latin1");

/** Whose operations whole lines of a journal are, at little cost: nothing else of them is looked at. */
export function nameLines(bytes: Uint8Array): NamedLines {
  const text = singleBytes.decode(bytes);
  const names: { origin: string; seq: number }[] = [];
  const ends: number[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = text.indexOf("\n", start);
    if (newline < 0) throw partial();
    names.push(nameLine(text, bytes, start, newline));
    ends.push(newline + 1);
    start = newline + 1;
  }
  return { names, ends };
}

function nameLine(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
): NamedLines["names"][number] {
  const isState = text.startsWith(STATE_START, start);
  const ending = isState ? "" : text.slice(Math.max(start, end - NAMED_END_CHARS_MAX), end);
  const match = NAMED_END.exec(ending);
  if (match?.[1] !== undefined) return { origin: match[1], seq: Number(match[2]) };
  const { origin, seq } = isState ? NO_PLACE : decodeLine(bytes.subarray(start, end)).entry;
  return { origin, seq };
}

/**
 * What is on whole lines, with the lines themselves where those can be written as they are.
 * Throws {@linkcode RecordError} on what no journal has.
 */
export function readLines(bytes: Uint8Array): (Entry & Partial<Sealed>)[] {
  const messages = new MessageLines(bytes);
  const entries: (Entry & Partial<Sealed>)[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = messages.endOfLine(start);
    if (end === bytes.length) throw partial();
    const fault = sealFault(bytes, start, end);
    if (fault !== undefined) throw new RecordError(`found ${fault} at byte ${start}`);
    const message = messages.read(start, end);
    const { entry, batch } = message ?? decodeLine(bytes.subarray(start, end));
    checkText(entry);
    // As this version writes it, so it can be written again as it came.
    if (message !== undefined && batch === undefined) {
      entries.push(Object.assign(entry, { sealed: bytes.subarray(start, end + 1) }));
    } else {
      // What cannot be written must not be taken: it would end this node, and the next one.
      encodeEntry(entry);
      entries.push(entry);
    }
    start = end + 1;
  }
  return entries;
}

/** Refuses what no client could have said, and no client could be told. */
function checkText(entry: Entry): void {
  if (entry.kind === "loose_operation") return checkText(entry.operation);
  checkTextsIn(entry);
  const isMessage = entry.kind === "message_sent" || entry.kind === "message_state";
  if (isMessage && entry.content.length > CONTENT_UNITS_MAX) {
    throw new RecordError(`found a message of ${entry.content.length} characters`);
  }
}

function checkTextsIn(value: unknown): void {
  if (typeof value === "string") {
    if (value.isWellFormed() && !value.includes("\0")) return;
    throw new RecordError("found a text with NUL or half a character");
  }
  if (typeof value !== "object" || value === null) return;
  const parts = value instanceof Map ? value.keys() : Object.values(value);
  for (const part of parts) checkTextsIn(part);
}

function partial(): RecordError {
  return new RecordError("expected whole lines, found a part of one");
}
