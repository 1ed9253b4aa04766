import { readU32 } from "./bytes.ts";
import { CodecError, duplicateKey } from "./error.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

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
type Tag = (typeof TAG)[keyof typeof TAG];

/** Lists and dicts inside each other, at most. */
export const NESTING_MAX = 32;

/** The fewest bytes an object takes: an empty str, list or dict. */
const VALUE_BYTES_MIN = 5;
/** An entry of a dict: an empty key and an empty value. */
const ENTRY_BYTES_MIN = 2 * VALUE_BYTES_MIN;

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const TWO_32 = 2 ** 32;

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

  /** Bytes it has room for without growing. */
  get capacity(): number {
    return this.#bytes.length;
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
      throw new CodecError(
        "bad_value",
        `Cannot encode ${value} as an int: it is not a whole number`,
      );
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
    const start = this.#grow(5 + value.length * 3);
    const written = encodeUtf8(value, this.#bytes, start + 5);
    this.#bytes[start] = TAG.str;
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

  value(value: Value, nesting = 0): void {
    if (typeof value === "number" || typeof value === "bigint") return this.int(value);
    if (typeof value === "string") return this.str(value);
    if (nesting >= NESTING_MAX) throw tooDeep("encode");
    if (value instanceof Map) {
      this.dict(value.size);
      for (const [key, item] of value) {
        this.str(key);
        this.value(item, nesting + 1);
      }
      return;
    }
    const items = value as readonly Value[];
    this.list(items.length);
    for (const item of items) this.value(item, nesting + 1);
  }

  /** Bytes that are encoded already. */
  raw(bytes: Uint8Array): void {
    // Growing replaces the buffer, so it comes first.
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Writes a frame's header at `at`, in bytes reserved before: its numbers are known last. */
  patchHeader(at: number, type: number, payloadBytes: number): void {
    this.#view.setInt32(at, Math.floor(type / TWO_32));
    this.#view.setUint32(at + 4, type >>> 0);
    this.#view.setUint32(at + 8, payloadBytes);
  }

  /** Leaves `bytes` to be filled in later, and returns where they start. */
  reserve(bytes: number): number {
    return this.#grow(bytes);
  }

  #head(tag: number, count: number): void {
    const at = this.#grow(5);
    this.#bytes[at] = tag;
    this.#view.setUint32(at + 1, count);
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
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
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
    const high = readU32(this.#bytes, this.#at) | 0;
    const low = readU32(this.#bytes, this.#at + 4);
    this.#at += 8;
    const value = high * TWO_32 + low;
    // Rounding may end on 2^53 but never below it, so what looks safe is exact.
    return Number.isSafeInteger(value) ? value : BigInt(high) << 32n | BigInt(low);
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

  /** Any object; `nesting` is how many lists and dicts it is in already. */
  value(nesting = 0): Value {
    switch (this.#tagOfAny(nesting)) {
      case TAG.int:
        return this.int();
      case TAG.str:
        return this.str();
      case TAG.list:
        return Array.from({ length: this.list() }, () => this.value(nesting + 1));
      case TAG.dict:
        return this.#map(nesting);
    }
  }

  /** Takes any object, checked as {@linkcode value} does, without making it. */
  skip(nesting = 0): void {
    switch (this.#tagOfAny(nesting)) {
      case TAG.int:
        this.int();
        break;
      case TAG.str:
        this.str();
        break;
      case TAG.list:
        for (let left = this.list(); left > 0; left--) this.skip(nesting + 1);
        break;
      case TAG.dict:
        this.#skipDict(nesting);
        break;
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
      if (map.has(key)) throw duplicateKey();
      map.set(key, this.value(nesting + 1));
    }
    return map;
  }

  #skipDict(nesting: number): void {
    const count = this.dict();
    const keys = count > 1 ? new Set<string>() : undefined;
    for (let left = count; left > 0; left--) {
      const key = this.str();
      if (keys?.has(key)) throw duplicateKey();
      keys?.add(key);
      this.skip(nesting + 1);
    }
  }

  #tagOfAny(nesting: number): Tag {
    const tag = this.peekTag();
    switch (tag) {
      case TAG.list:
      case TAG.dict:
        if (nesting >= NESTING_MAX) throw tooDeep("decode");
        return tag;
      case TAG.int:
      case TAG.str:
        return tag;
      case undefined:
        throw new CodecError("bad_value", "Cannot decode an object: no bytes are left");
      default:
        throw new CodecError("bad_value", `Cannot decode an object: ${tag} is no tag`);
    }
  }

  #tag(tag: number, expected: string): void {
    const found = this.#bytes[this.#at];
    if (found !== tag) throw this.#wrongTag(found, expected);
    this.#at++;
  }

  /** `bad_payload` if the sender meant something else, `bad_value` if nothing at all. */
  #wrongTag(found: number | undefined, expected: string): CodecError {
    const absent = found === undefined && this.#at === 0;
    const what = absent
      ? "the payload is empty"
      : found === undefined
      ? "no bytes are left"
      : `found tag ${found}`;
    const meant = absent || found !== undefined && found <= TAG.dict;
    return new CodecError(
      meant ? "bad_payload" : "bad_value",
      `Cannot decode ${expected}: ${what}`,
    );
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
    const value = readU32(this.#bytes, this.#at);
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

function tooDeep(action: "encode" | "decode"): CodecError {
  return new CodecError(
    "bad_value",
    `Cannot ${action} lists and dicts that are over ${NESTING_MAX} deep`,
  );
}
