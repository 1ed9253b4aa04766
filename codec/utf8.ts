import { byteAt } from "./bytes.ts";
import { CodecError } from "./error.ts";

/** Strings up to this length are cheaper to copy here than by a call into the runtime. */
const SHORT_STRING_BYTES = 24;
/** The same for decoding. A longer string that was joined from parts is copied when first used. */
const SHORT_DECODED_BYTES = 12;
const REPLACEMENT_CHARACTER = "\uFFFD";

const encoder = new TextEncoder();
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text in `bytes` from `start` to `end`. Throws {@linkcode CodecError} if it is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_DECODED_BYTES) {
    const text = decodeAscii(bytes, start, end);
    if (text !== undefined) return text;
  }
  return decodeAnyLength(bytes.subarray(start, end));
}

/**
 * Writes `text` into `bytes` at `at` and returns how many bytes it took. There must be room for
 * three times its length.
 */
export function encodeUtf8(text: string, bytes: Uint8Array, at: number): number {
  if (text.length <= SHORT_STRING_BYTES && copyAscii(text, bytes, at)) return text.length;
  if (!text.isWellFormed()) {
    throw new CodecError("bad_value", "Cannot encode a str that holds half a surrogate pair");
  }
  return encoder.encodeInto(text, bytes.subarray(at)).written;
}

/** The text, or undefined if not all of it is ASCII. */
function decodeAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  for (let at = start; at < end; at++) {
    const code = byteAt(bytes, at);
    if (code > 0x7f) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}

function decodeAnyLength(bytes: Uint8Array): string {
  // The lenient decoder is four times as fast; only what it may have mended is looked at again.
  const text = lenientDecoder.decode(bytes);
  return text.includes(REPLACEMENT_CHARACTER) ? decodeStrictly(bytes) : text;
}

function decodeStrictly(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CodecError("bad_value", "Cannot decode a str: its bytes are not UTF-8");
  }
}

function copyAscii(text: string, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    bytes[at + i] = code;
  }
  return true;
}
