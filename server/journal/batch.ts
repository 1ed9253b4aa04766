import { crc32 } from "node:zlib";
import { byteAt } from "../../codec/bytes.ts";
import type { Entry } from "../core/state_record.ts";
import { type BatchMarker, batchText, encodeEntry, RECORD_CHARS_MAX } from "./record.ts";

/**
 * Lines with a seal, `,"crc":"xxxxxxxx"}`: the CRC-32 of the bytes before it. The last line of a
 * batch also says, right before its seal, how many lines and bytes the batch has: what is synced
 * together is known to be whole, or known not to be.
 */

/** The longest line there can be: 3 bytes a character, marker and seal. */
export const LINE_BYTES_MAX = 3 * RECORD_CHARS_MAX + 128;
/** No line is added to a batch that is this large. */
export const BATCH_BYTES_FULL = 2 ** 23;
/** No batch is longer than this, so neither is what a crash can leave of one. */
export const BATCH_BYTES_MAX = BATCH_BYTES_FULL + LINE_BYTES_MAX;

const SEAL_BYTES = 18;

const BUFFER_BYTES_MIN = 2 ** 16;
/** A larger buffer is not kept for the next batch. */
const BUFFER_BYTES_KEPT = 2 ** 20;
const MARKER_BYTES_MAX = 64;

const SEAL_START = new TextEncoder().encode(',"crc":"');
const HEX_DIGITS = new TextEncoder().encode("0123456789abcdef");
const HEX_VALUES = new Int8Array(256).fill(-1);
HEX_DIGITS.forEach((digit, value) => HEX_VALUES[digit] = value);
const [QUOTE, BRACE, NEWLINE] = [0x22, 0x7d, 0x0a];

const encoder = new TextEncoder();
const lenientDecoder = new TextDecoder();

/** An entry as it came from another journal, to be written again without being made anew. */
export interface Sealed {
  /** Its line without a batch's marker, with seal and newline. */
  readonly sealed: Uint8Array;
}

/** Encodes one batch after another into one buffer that grows as it must. */
export class BatchEncoder {
  #bytes = new Uint8Array(BUFFER_BYTES_MIN);
  #length = 0;
  #ends: number[] = [];

  /**
   * Encodes entries from index `from` on, as many as one batch takes, and returns the index
   * after the last of them. Throws RecordError.
   */
  encode(entries: readonly (Entry & Partial<Sealed>)[], from: number): number {
    this.#length = 0;
    this.#ends = [];
    if (this.#bytes.length > BUFFER_BYTES_KEPT) this.#bytes = new Uint8Array(BUFFER_BYTES_MIN);
    let index = from;
    for (const entry of from === 0 ? entries : entries.slice(from)) {
      index++;
      const start = this.#length;
      const { sealed } = entry;
      if (sealed === undefined) {
        const text = encodeEntry(entry);
        this.#reserve(3 * text.length + MARKER_BYTES_MAX + SEAL_BYTES + 1);
        this.#text(text);
        this.#length--; // its closing brace comes after the seal
      } else {
        this.#reserve(sealed.length + MARKER_BYTES_MAX);
        this.#bytes.set(sealed, start);
        this.#length += sealed.length - SEAL_BYTES - 1;
      }
      if (index === entries.length || this.#length >= BATCH_BYTES_FULL) {
        this.#text(batchText({ records: index - from, bytes: start }));
        this.#seal(start);
        break;
      }
      if (sealed === undefined) this.#seal(start);
      else {
        this.#length = start + sealed.length;
        this.#ends.push(this.#length);
      }
    }
    return index;
  }

  /** The batch, without a copy: valid until the next one is encoded. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Where in {@linkcode written} each entry's line ends. */
  get ends(): readonly number[] {
    return this.#ends;
  }

  #text(text: string): void {
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  #seal(start: number): void {
    this.#length = writeSeal(this.#bytes, start, this.#length);
    this.#ends.push(this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.written);
    this.#bytes = larger;
  }
}

/** An object's JSON as a line with its seal and newline. */
export function sealedLine(json: string): Uint8Array<ArrayBuffer> {
  const body = encoder.encode(json);
  const line = new Uint8Array(body.length + SEAL_BYTES);
  line.set(body);
  writeSeal(line, 0, body.length - 1);
  return line;
}

/** What is wrong with the seal of the line from `start` to before its newline; undefined if nothing. */
export function sealFault(bytes: Uint8Array, start: number, end: number): string | undefined {
  const sealStart = end - SEAL_BYTES;
  let isSeal = sealStart > start && bytes[end - 1] === BRACE && bytes[end - 2] === QUOTE;
  for (let i = 0; i < SEAL_START.length; i++) isSeal &&= bytes[sealStart + i] === SEAL_START[i];
  let said = 0;
  for (let at = sealStart + SEAL_START.length; at < end - 2; at++) {
    const value = HEX_VALUES[byteAt(bytes, at)] ?? -1;
    isSeal &&= value >= 0;
    said = said * 16 + value;
  }
  if (!isSeal) return "no checksum at its end";
  const counted = crc32(bytes.subarray(start, sealStart));
  if (said === counted) return undefined;
  return `a wrong checksum: it says ${hex(said)}, its bytes give ${hex(counted)}`;
}

/**
 * Whether `bytes` can be the start of a line, its newline excepted: as far as the seal is there, it
 * has to be right, and nothing may follow it.
 */
export function canBeStartOfLine(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte < 0x20)) return false;
  if (!'{"'.startsWith(lenientDecoder.decode(bytes.subarray(0, 2))) || !isStartOfUtf8(bytes)) {
    return false;
  }
  // Inside of strings JSON escapes quotes, so this is nowhere but in the seal.
  const sealStart = lastIndexOf(bytes, SEAL_START);
  if (sealStart < 0) return true;
  const seal = `,"crc":"${hex(crc32(bytes.subarray(0, sealStart)))}"}`;
  return seal.startsWith(lenientDecoder.decode(bytes.subarray(sealStart)));
}

/** Whether a marker is right about its batch. */
export function markerFits(marker: BatchMarker, records: number, bytes: number): boolean {
  return marker.records === records && marker.bytes === bytes;
}

/** Writes seal and newline at `end`, for the line from `start`; returns where it ends then. */
function writeSeal(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32(bytes.subarray(start, end));
  bytes.set(SEAL_START, end);
  let at = end + SEAL_START.length;
  for (let shift = 28; shift >= 0; shift -= 4) bytes[at++] = byteAt(HEX_DIGITS, crc >>> shift & 15);
  bytes[at++] = QUOTE;
  bytes[at++] = BRACE;
  bytes[at++] = NEWLINE;
  return at;
}

/** UTF-8, whose last character may be cut. */
function isStartOfUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function lastIndexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = bytes.length - wanted.length; at >= 0; at--) {
    if (wanted.every((byte, index) => byte === bytes[at + index])) return at;
  }
  return -1;
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
