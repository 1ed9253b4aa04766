import { decodeUtf8 } from "../../codec/utf8.ts";
import { isOrigin } from "../core/operation.ts";
import { type BatchMarker, type Line, SEAL_CHARS } from "./record.ts";

/**
 * Reads a message's line, of an operation or of a state, without JSON.parse(), in half its time: nearly all lines of a journal are
 * such, as encodeRecord() wrote them, and a node that starts has to read all of them. Whatever looks
 * otherwise (escapes in the text, names beyond ASCII, other fields) is left to decodeLine().
 */
export class MessageLines {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** The same bytes, each as one character. */
  readonly #text: string;
  #at = 0;
  #lastOrigin = "";
  #lastChecked = "";

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#text = singleBytes.decode(bytes);
  }

  /** Where the line that begins at `start` ends, or the length if its end is not there. */
  endOfLine(start: number): number {
    const end = this.#text.indexOf("\n", start);
    return end < 0 ? this.#bytes.length : end;
  }

  /**
   * The message on the line from `start` to `end`, whose seal is right; undefined if that is none, or
   * not of the usual form.
   */
  read(start: number, end: number): Line | undefined {
    this.#at = start;
    const isState = this.#bytes[start + 2] === STATE_LETTER;
    const id = this.#string(isState ? STATE_ID : ID);
    const sender = this.#string(SENDER);
    const recipient = this.#string(RECIPIENT);
    const content = this.#content(CONTENT);
    const isRead = isState && this.#bytes[this.#at + STATUS_AT] === READ_LETTER;
    const recipientAccount = this.#string(isRead ? READ_RECIPIENT_ACCOUNT : RECIPIENT_ACCOUNT);
    const timeMs = this.#number(TIME);
    const tick = this.#number(TICK);
    const origin = this.#string(ORIGIN);
    const seq = this.#number(SEQ);
    const readOrigin = isRead ? this.#string(READ_ORIGIN) : undefined;
    const readSeq = isRead ? this.#number(READ_SEQ) : 0;
    const sealStart = end - SEAL_CHARS;
    const batch = this.#at === sealStart ? undefined : this.#marker();
    // Whatever did not fit has left the line behind.
    if (this.#at !== sealStart || !origin || seq === 0) return undefined;
    if (id === undefined || sender === undefined || recipient === undefined) return undefined;
    if (content === undefined || recipientAccount === undefined) return undefined;
    if (!isState) {
      // deno-fmt-ignore
      const entry = {
        kind: "message_sent", id, sender, recipient, recipientAccount, content, timeMs, tick,
        origin: this.#known(origin), seq,
      } as const;
      return { entry, batch };
    }
    if (isRead && (!readOrigin || readSeq === 0)) return undefined;
    if (!this.#isOrigin(origin) || !(readOrigin === undefined || this.#isOrigin(readOrigin))) {
      return undefined;
    }
    const at = { timeMs, tick, origin: this.#known(origin), seq };
    // Field by field: copying objects takes as long as all else.
    // deno-fmt-ignore
    const entry = readOrigin === undefined
      ? {
        kind: "message_state", origin: "", seq: 0, id, sender, recipient, recipientAccount, content, at,
      } as const
      : {
        kind: "message_state", origin: "", seq: 0, id, sender, recipient, recipientAccount, content, at,
        read: { origin: this.#known(readOrigin), seq: readSeq },
      } as const;
    return { entry, batch };
  }

  #marker(): BatchMarker {
    const records = this.#number(BATCH_RECORDS);
    const bytes = this.#number(BATCH_BYTES);
    this.#take(BATCH_END);
    return { records, bytes };
  }

  #fail(): undefined {
    this.#at = this.#text.length + 1;
  }

  /** Whether `part` is what comes next, and steps over it. */
  #take(part: Part): boolean {
    const { bytes, words } = part;
    const at = this.#at;
    const view = this.#view;
    let fits = at + bytes.length <= view.byteLength;
    // Four bytes at a time, as far as that goes: this is most of the work.
    for (let i = 0; fits && i < words.length; i++) fits = view.getUint32(at + 4 * i) === words[i];
    for (let i = 4 * words.length; fits && i < bytes.length; i++) {
      fits = this.#bytes[at + i] === bytes[i];
    }
    if (fits) this.#at = at + bytes.length;
    else this.#fail();
    return fits;
  }

  /** A string of printable ASCII, up to its quote. */
  #string(prefix: Part): string | undefined {
    if (!this.#take(prefix)) return undefined;
    const bytes = this.#bytes;
    const start = this.#at;
    let end = start;
    for (;; end++) {
      const code = bytes[end];
      if (code === QUOTE) break;
      if (code === undefined || code < 0x20 || code > 0x7e || code === BACKSLASH) {
        return this.#fail();
      }
    }
    this.#at = end + 1;
    return this.#text.slice(start, end);
  }

  #isOrigin(origin: string): boolean {
    if (origin === this.#lastChecked) return true;
    const isOne = isOrigin(origin);
    if (isOne) this.#lastChecked = origin;
    return isOne;
  }

  /** Hardly ever another than before: the same string again needs no new hash. */
  #known(origin: string): string {
    if (origin !== this.#lastOrigin) this.#lastOrigin = origin;
    return this.#lastOrigin;
  }

  /** Kept for as long as the message: a text of its own, not a part of this whole chunk. */
  #content(prefix: Part): string | undefined {
    if (!this.#take(prefix)) return undefined;
    const end = this.#text.indexOf(`"`, this.#at);
    const content = end < 0 ? "\\" : decodeUtf8(this.#bytes, this.#at, end);
    if (content.includes("\\")) return this.#fail();
    this.#at = end + 1;
    return content;
  }

  /** A whole number below 10^15. */
  #number(prefix: Part): number {
    if (!this.#take(prefix)) return NaN;
    const bytes = this.#bytes;
    const start = this.#at;
    let end = start;
    let value = 0;
    for (;; end++) {
      const digit = (bytes[end] ?? QUOTE) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const digits = end - start;
    this.#at = end;
    if (digits === 0 || digits > 15 || (digits > 1 && bytes[start] === ZERO)) this.#fail();
    return value;
  }
}

const ID = partOf(`{"id":"`);
const STATE_ID = partOf(`{"state":"message","id":"`);
const SENDER = partOf(`,"sender":"`);
const RECIPIENT = partOf(`,"recipient":"`);
const CONTENT = partOf(`,"content":"`);
const RECIPIENT_ACCOUNT = partOf(`,"status":"unread","recipientAccount":"`);
const READ_RECIPIENT_ACCOUNT = partOf(`,"status":"read","recipientAccount":"`);
const READ_ORIGIN = partOf(`,"readOrigin":"`);
const READ_SEQ = partOf(`,"readSeq":`);
const TIME = partOf(`,"time":`);
const TICK = partOf(`,"tick":`);
const ORIGIN = partOf(`,"origin":"`);
const SEQ = partOf(`,"seq":`);
const BATCH_RECORDS = partOf(`,"batch":{"records":`);
const BATCH_BYTES = partOf(`,"bytes":`);
const BATCH_END = partOf("}");
/** The first letter of a line's first key tells records of a state from operations. */
const STATE_LETTER = "s".charCodeAt(0);
/** How far it is from after a content to the status, whose first letter tells what it is. */
const STATUS_AT = `,"status":"`.length;
const READ_LETTER = "r".charCodeAt(0);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
/** One character for each byte, whatever it is. */
const singleBytes = new TextDecoder("latin1");

/** What has to stand in a line, also as big-endian words of 4 bytes as far as they are whole. */
interface Part {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
}

function partOf(text: string): Part {
  const bytes = new TextEncoder().encode(text);
  const view = new DataView(bytes.buffer);
  const length = Math.floor(bytes.length / 4);
  return { bytes, words: Uint32Array.from({ length }, (_, i) => view.getUint32(4 * i)) };
}
