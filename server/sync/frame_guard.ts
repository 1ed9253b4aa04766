import {
  FLAG,
  FRAME_BYTES_MAX,
  type FrameHeader,
  HEADER_BYTES,
  PREFACE,
  readHeader,
  readU31,
  TYPE,
} from "./http2_frames.ts";
import { countFields } from "./hpack_fields.ts";

export interface FrameRateLimits {
  /** Calls that one address may begin in a second. */
  readonly callsPerSecond: number;
  /** Frames in a second that carry nothing: resets, pings, settings and the like. */
  readonly controlFramesPerSecond: number;
}

/** What a client of HTTP/2 did that none does, or too much of what some do. */
export class Http2Fault extends Error {
  override readonly name = "Http2Fault";
}

/** Frames are counted over so long: as many as are granted for a second, at once, would be felt. */
const WINDOW_MS = 100;
/** Fields of a call: a client of gRPC has a dozen, and each may be 4 KiB that came before as one byte. */
const FIELDS_MAX = 64;
/** Of what reads much, these are many: so many count as one frame. */
const WINDOW_UPDATES = 20;
const STREAM_MAX = 2 ** 31 - 1;
const SETTING_BYTES = 6;
const PRIORITY_BYTES = 5;
/** Settings and the least and most that each may be: see RFC 9113, section 6.5.2. */
const SETTINGS: ReadonlyMap<number, readonly [number, number]> = new Map([
  [2, [0, 1]],
  [4, [0, 2 ** 31 - 1]],
  [5, [FRAME_BYTES_MAX, 2 ** 24 - 1]],
]);

/** How fast frames come that cost more than what they carry, over all connections of one address. */
export class FrameRate {
  readonly #callsMax: number;
  readonly #controlMax: number;
  readonly #nowMs: () => number;
  #windowStartMs = -Infinity;
  #calls = 0;
  #control = 0;

  constructor({ callsPerSecond, controlFramesPerSecond }: FrameRateLimits, nowMs: () => number) {
    this.#callsMax = Math.ceil(callsPerSecond * WINDOW_MS / 1000);
    this.#controlMax = Math.ceil(controlFramesPerSecond * WINDOW_MS / 1000);
    this.#nowMs = nowMs;
  }

  /** Throws {@linkcode Http2Fault}. */
  countCall(): void {
    this.#beginWindow();
    if (++this.#calls > this.#callsMax) throw new Http2Fault("too many calls");
  }

  /** Throws {@linkcode Http2Fault}. */
  countControl(weight: number): void {
    this.#beginWindow();
    this.#control += weight;
    if (this.#control > this.#controlMax) {
      throw new Http2Fault("too many frames that carry nothing");
    }
  }

  #beginWindow(): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#windowStartMs < WINDOW_MS) return;
    this.#windowStartMs = nowMs;
    this.#calls = 0;
    this.#control = 0;
  }
}

/**
 * Looks at what a client of HTTP/2 says before the library does, and lets through what clients of gRPC
 * say: frames as RFC 9113 has them, no more of them than such a client needs, without padding, which
 * none uses. GOAWAY and what is not known are left out.
 *
 * The HTTP/2 of Deno 2.9.6 now and then aborts the process at GOAWAY (denoland/deno#36788), and has no
 * limit for resets, pings and settings (as of CVE-2023-44487, CVE-2019-9512, CVE-2019-9515).
 */
export class FrameGuard {
  readonly #rate: FrameRate;
  #prefaceBytes = 0;
  /** The beginning of a header, or of a frame that is looked at as a whole. */
  #held = new Uint8Array();
  /** Of a frame's content that is passed on as it comes. */
  #leftBytes = 0;
  #frames = 0;
  #lastStream = 0;

  constructor(rate: FrameRate) {
    this.#rate = rate;
  }

  /** Whether it has called anything yet. */
  get hasCalled(): boolean {
    return this.#lastStream > 0;
  }

  /** What is to be told, now that these bytes have come. Throws {@linkcode Http2Fault}. */
  take(bytes: Uint8Array): Uint8Array[] {
    const told: Uint8Array[] = [];
    const rest = this.#takePreface(bytes, told);
    const all = this.#held.length === 0 ? rest : joined(this.#held, rest);
    let at = 0;
    for (;;) {
      const end = Math.min(all.length, at + this.#leftBytes);
      if (end > at) told.push(all.subarray(at, end));
      this.#leftBytes -= end - at;
      at = end;
      if (all.length - at < HEADER_BYTES) break;
      const header = readHeader(all.subarray(at, at + HEADER_BYTES));
      if (header.length > FRAME_BYTES_MAX) throw new Http2Fault("a frame that is too long");
      if (header.type === TYPE.data) {
        this.#checkData(header);
        this.#leftBytes = HEADER_BYTES + header.length;
        continue;
      }
      const frameBytes = HEADER_BYTES + header.length;
      if (all.length - at < frameBytes) break;
      const frame = all.subarray(at, at + frameBytes);
      if (this.#check(header, frame.subarray(HEADER_BYTES))) told.push(frame);
      at += frameBytes;
    }
    this.#held = all.slice(at);
    return told;
  }

  #takePreface(bytes: Uint8Array, told: Uint8Array[]): Uint8Array {
    if (this.#prefaceBytes === PREFACE.length) return bytes;
    const part = bytes.subarray(0, PREFACE.length - this.#prefaceBytes);
    for (const byte of part) {
      if (byte !== PREFACE[this.#prefaceBytes++]) throw new Http2Fault("what is no HTTP/2");
    }
    told.push(part);
    return bytes.subarray(part.length);
  }

  #checkData({ length, flags, stream }: FrameHeader): void {
    this.#begin(TYPE.data);
    this.#checkStream(stream);
    if ((flags & FLAG.padded) !== 0) throw new Http2Fault("padding");
    if (length === 0 && (flags & FLAG.endStream) === 0) this.#rate.countControl(1);
  }

  /** Whether the frame is to be passed on. */
  #check({ length, type, flags, stream }: FrameHeader, content: Uint8Array): boolean {
    this.#begin(type);
    switch (type) {
      case TYPE.headers:
        this.#checkHeaders(flags, stream, content);
        return true;
      case TYPE.continuation:
        throw new Http2Fault("fields in several frames");
      case TYPE.priority:
        this.#rate.countControl(1);
        if (length !== PRIORITY_BYTES || stream === 0) throw new Http2Fault("a broken PRIORITY");
        if (readU31(content, 0) === stream) throw new Http2Fault("a stream before itself");
        return true;
      case TYPE.rstStream:
        this.#rate.countControl(1);
        if (length !== 4) throw new Http2Fault("a broken RST_STREAM");
        this.#checkStream(stream);
        return true;
      case TYPE.settings:
        this.#rate.countControl(1);
        checkSettings(flags, stream, content);
        return true;
      case TYPE.ping:
        this.#rate.countControl(1);
        if (length !== 8 || stream !== 0) throw new Http2Fault("a broken PING");
        return true;
      case TYPE.windowUpdate:
        this.#rate.countControl(1 / WINDOW_UPDATES);
        if (length !== 4 || readU31(content, 0) === 0) {
          throw new Http2Fault("a broken WINDOW_UPDATE");
        }
        if (stream !== 0) this.#checkStream(stream);
        return true;
      case TYPE.pushPromise:
        throw new Http2Fault("a PUSH_PROMISE");
      default:
        this.#rate.countControl(1);
        return false;
    }
  }

  #begin(type: number): void {
    if (this.#frames++ === 0 && type !== TYPE.settings) {
      throw new Http2Fault("a beginning without SETTINGS");
    }
  }

  #checkHeaders(flags: number, stream: number, content: Uint8Array): void {
    if ((flags & FLAG.padded) !== 0) throw new Http2Fault("padding");
    if (stream % 2 !== 1 || stream > STREAM_MAX) throw new Http2Fault("a call of no client");
    const isPrioritised = (flags & FLAG.priority) !== 0;
    if (isPrioritised && (content.length < PRIORITY_BYTES || readU31(content, 0) === stream)) {
      throw new Http2Fault("a broken priority");
    }
    if (stream > this.#lastStream) {
      this.#lastStream = stream;
      this.#rate.countCall();
    } else {
      // What gRPC's clients have to say at the end of a call is said without fields.
      throw new Http2Fault("a call that was there before");
    }
    // In several frames they could be decoded before they are counted, and no client needs more than one.
    if ((flags & FLAG.endHeaders) === 0) throw new Http2Fault("fields in several frames");
    const fields = countFields(content.subarray(isPrioritised ? PRIORITY_BYTES : 0));
    if (fields === undefined) throw new Http2Fault("broken fields");
    if (fields > FIELDS_MAX) throw new Http2Fault("too many fields");
  }

  /** Of a call that was begun. */
  #checkStream(stream: number): void {
    if (stream % 2 !== 1 || stream > this.#lastStream) {
      throw new Http2Fault("a frame of a call that was not begun");
    }
  }
}

function checkSettings(flags: number, stream: number, content: Uint8Array): void {
  const isAck = (flags & FLAG.ack) !== 0;
  if (stream !== 0 || content.length % SETTING_BYTES !== 0 || isAck && content.length > 0) {
    throw new Http2Fault("broken SETTINGS");
  }
  for (let at = 0; at < content.length; at += SETTING_BYTES) {
    const [high = 0, low = 0, first = 0] = content.subarray(at);
    const [min, max] = SETTINGS.get(high << 8 | low) ?? [0, Infinity];
    const value = (first & 0x80) * 2 ** 24 + readU31(content, at + 2);
    if (value < min || value > max) throw new Http2Fault("SETTINGS that cannot be");
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
