import { CodecError } from "./error.ts";

/**
 * An object of the protocol: a tag byte, then
 *
 * | tag  | kind | bytes                                                    |
 * |------|------|----------------------------------------------------------|
 * | 0x00 | int  | 8 bytes, signed, big-endian                              |
 * | 0x01 | str  | uint32 byte length, UTF-8                                |
 * | 0x02 | list | uint32 count, then the items                             |
 * | 0x03 | dict | uint32 count, then key (a str) and value, `count` times  |
 *
 * An int is a `number` where that is exact, else a `bigint`. A dict is a `Map`, so that no key can
 * ever name something of an object's prototype.
 */
export type Value = number | bigint | string | readonly Value[] | ReadonlyMap<string, Value>;

export const TAG = { int: 0, str: 1, list: 2, dict: 3 } as const;

/** Lists and dicts inside each other, at most. */
export const NESTING_MAX = 32;

/** The fewest bytes an object takes: an empty str, list or dict. */
const VALUE_BYTES_MIN = 5;
/** An entry of a dict: an empty key and an empty value. */
const ENTRY_BYTES_MIN = 2 * VALUE_BYTES_MIN;

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const TWO_32 = 2 ** 32;
/** Below this, `high * 2^32 + low` is exact. */
const SAFE_HIGH = 2 ** 21;
/** Strings up to this length are cheaper to copy here than by a call into the runtime. */
const SHORT_STRING_BYTES = 24;

const encoder = new TextEncoder();
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Encodes objects one after another into one buffer that grows as it must. */
export class ValueWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacityBytes = 256) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** What was written, without a copy: valid until the next write. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written after `length`. */
  truncate(length = 0): void {
    this.#length = length;
  }

  int(value: number | bigint): void {
    if (typeof value === "number" && !Number.isSafeInteger(value)) {
      throw new CodecError("bad_value", `Cannot encode ${value} as an int: it is not a whole number`);
    }
    if (typeof value === "bigint" && (value < INT_MIN || value > INT_MAX)) {
      throw new CodecError("bad_value", `Cannot encode ${value} as an int: it needs over 8 bytes`);
    }
    const at = this.#grow(9);
    this.#bytes[at] = TAG.int;
    if (typeof value === "bigint") {
      this.#view.setBigInt64(at + 1, value);
    } else {
      this.#view.setInt32(at + 1, Math.floor(value / TWO_32));
      this.#view.setUint32(at + 5, value >>> 0);
    }
  }

  str(value: string): void {
    const start = this.#grow(5 + value.length);
    this.#bytes[start] = TAG.str;
    if (value.length <= SHORT_STRING_BYTES && this.#copyAscii(value, start + 5)) {
      this.#view.setUint32(start + 1, value.length);
      return;
    }
    this.#length = start + 5;
    this.#grow(value.length * 3);
    if (!value.isWellFormed()) {
      throw new CodecError("bad_value", "Cannot encode a str that holds half a surrogate pair");
    }
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(start + 5));
    this.#view.setUint32(start + 1, written);
    this.#length = start + 5 + written;
  }

  /** The head of a list: `count` objects follow. */
  list(count: number): void {
    this.#head(TAG.list, count);
  }

  /** The head of a dict: `count` times a str and an object follow. */
  dict(count: number): void {
    this.#head(TAG.dict, count);
  }

  value(value: Value): void {
    if (typeof value === "number" || typeof value === "bigint") return this.int(value);
    if (typeof value === "string") return this.str(value);
    if (value instanceof Map) {
      this.dict(value.size);
      for (const [key, item] of value) {
        this.str(key);
        this.value(item);
      }
      return;
    }
    const items = value as readonly Value[];
    this.list(items.length);
    for (const item of items) this.value(item);
  }

  /** Bytes that are encoded already. */
  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#grow(bytes.length));
  }

  /** Overwrites an int64 written before; for a header whose numbers are known last. */
  patchHeader(at: number, type: number, payloadBytes: number): void {
    this.#view.setInt32(at, Math.floor(type / TWO_32));
    this.#view.setUint32(at + 4, type >>> 0);
    this.#view.setUint32(at + 8, payloadBytes);
  }

  /** Makes room for `bytes` more, and returns where they start. */
  reserve(bytes: number): number {
    return this.#grow(bytes);
  }

  #head(tag: number, count: number): void {
    const at = this.#grow(5);
    this.#bytes[at] = tag;
    this.#view.setUint32(at + 1, count);
  }

  #copyAscii(value: string, at: number): boolean {
    const bytes = this.#bytes;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[at + i] = code;
    }
    return true;
  }

  #grow(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/**
 * Decodes objects from bytes that nobody vouches for: every length and count is held against the
 * bytes that are left before anything is allocated. Throws {@linkcode CodecError}.
 */
export class ValueReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get bytesLeft(): number {
    return this.#bytes.length - this.#at;
  }

  /** The tag of the next object, without taking it; undefined at the end. */
  peekTag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** Takes the bytes that come next if they are `bytes`: cheaper than decoding a known key. */
  takeEqual(bytes: Uint8Array): boolean {
    const end = this.#at + bytes.length;
    if (end > this.#bytes.length) return false;
    // From the end, where keys differ: their beginnings are all tag and length.
    for (let i = bytes.length - 1; i >= 0; i--) {
      if (this.#bytes[this.#at + i] !== bytes[i]) return false;
    }
    this.#at = end;
    return true;
  }

  int(): number | bigint {
    this.#tag(TAG.int, "an int");
    this.#need(8);
    const high = this.#view.getInt32(this.#at);
    if (high >= -SAFE_HIGH && high < SAFE_HIGH) {
      const value = high * TWO_32 + this.#view.getUint32(this.#at + 4);
      if (Number.isSafeInteger(value)) {
        this.#at += 8;
        return value;
      }
    }
    const value = this.#view.getBigInt64(this.#at);
    this.#at += 8;
    return value;
  }

  str(): string {
    this.#tag(TAG.str, "a str");
    const length = this.#u32();
    this.#need(length);
    const start = this.#at;
    this.#at += length;
    return decodeUtf8(this.#bytes, start, this.#at);
  }

  /** The head of a list: how many objects follow. */
  list(): number {
    this.#tag(TAG.list, "a list");
    return this.#count(VALUE_BYTES_MIN);
  }

  /** The head of a dict: how many pairs of str and object follow. */
  dict(): number {
    this.#tag(TAG.dict, "a dict");
    return this.#count(ENTRY_BYTES_MIN);
  }

  value(nesting = 0): Value {
    if (nesting > NESTING_MAX) {
      throw new CodecError("bad_value", `Cannot decode objects nested over ${NESTING_MAX} deep`);
    }
    switch (this.peekTag()) {
      case TAG.int:
        return this.int();
      case TAG.str:
        return this.str();
      case TAG.list:
        return Array.from({ length: this.list() }, () => this.value(nesting + 1));
      case TAG.dict:
        return this.#map(nesting);
      case undefined:
        throw new CodecError("bad_value", "Cannot decode an object: no bytes are left");
      default:
        throw new CodecError("bad_value", `Cannot decode an object: ${this.peekTag()} is no tag`);
    }
  }

  /** Fails unless everything was taken. */
  end(): void {
    if (this.bytesLeft > 0) {
      throw new CodecError("bad_value", `Cannot decode: ${this.bytesLeft} bytes follow the object`);
    }
  }

  #map(nesting: number): ReadonlyMap<string, Value> {
    const map = new Map<string, Value>();
    for (let left = this.dict(); left > 0; left--) {
      const key = this.str();
      if (map.has(key)) throw duplicateKey(key);
      map.set(key, this.value(nesting + 1));
    }
    return map;
  }

  #tag(tag: number, expected: string): void {
    const found = this.#bytes[this.#at];
    if (found !== tag) {
      const what = found === undefined ? "no bytes are left" : `found tag ${found}`;
      throw new CodecError("bad_value", `Cannot decode ${expected}: ${what}`);
    }
    this.#at++;
  }

  #count(bytesEach: number): number {
    const count = this.#u32();
    if (count * bytesEach > this.bytesLeft) {
      throw new CodecError(
        "bad_value",
        `Cannot decode ${count} items: ${this.bytesLeft} bytes are left`,
      );
    }
    return count;
  }

  #u32(): number {
    this.#need(4);
    const value = this.#view.getUint32(this.#at);
    this.#at += 4;
    return value;
  }

  #need(bytes: number): void {
    if (bytes > this.bytesLeft) {
      throw new CodecError(
        "bad_value",
        `Cannot decode ${bytes} bytes: ${this.bytesLeft} are left`,
      );
    }
  }
}

/** The error for a key that a dict has twice. */
export function duplicateKey(key: string): CodecError {
  return new CodecError("bad_value", `Cannot decode a dict with key ${JSON.stringify(key)} twice`);
}

/** One object as bytes. */
export function encodeValue(value: Value): Uint8Array<ArrayBuffer> {
  const writer = new ValueWriter();
  writer.value(value);
  return writer.written.slice();
}

/** The one object that `bytes` hold, and nothing after it. */
export function decodeValue(bytes: Uint8Array): Value {
  const reader = new ValueReader(bytes);
  const value = reader.value();
  reader.end();
  return value;
}

function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_STRING_BYTES) {
    let text = "";
    let at = start;
    for (; at < end; at++) {
      const code = bytes[at]!;
      if (code > 0x7f) break;
      text += String.fromCharCode(code);
    }
    if (at === end) return text;
  }
  // The lenient decoder is four times as fast; only what it may have mended is looked at again.
  const slice = bytes.subarray(start, end);
  const text = lenientDecoder.decode(slice);
  return text.includes("\uFFFD") ? decodeStrictly(slice) : text;
}

function decodeStrictly(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CodecError("bad_value", "Cannot decode a str: its bytes are not UTF-8");
  }
}
