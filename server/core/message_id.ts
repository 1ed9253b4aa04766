import { createHash } from "node:crypto";
import type { AccountId, MessageId } from "./operation.ts";

/**
 * A message's identity is (sender account, key), and its id is just that: the account's 12
 * characters, a dot, and the key as 128 bits in base64url (22 characters). So the same key on any
 * node, after any failover, is the same id, and no node needs to remember keys. A UUID is taken as
 * the 128 bits it is; of any other key it is the beginning of its SHA-256, changed in one place if it
 * looks like a UUID of version 7. Collisions would need 2^64 keys of one sender, and would cost only
 * that sender.
 */
export function messageIdOf(sender: AccountId, key: string): MessageId {
  if (!readUuid(key, WORDS)) readHash(key, WORDS);
  return messageIdFrom(sender, WORDS);
}

/**
 * When the key of a message's id was made, in ms since 1970, if it tells: if it is a UUID of version 7.
 * Keys that are none never look like one.
 */
export function keyTimeOf(id: MessageId): number | undefined {
  const start = ACCOUNT_ID_LENGTH + 1;
  if (digitAt(id, start + 8) >> 2 !== TIMED_VERSION) return undefined;
  if ((digitAt(id, start + 10) & 3) !== UUID_VARIANT) return undefined;
  return read24(id, start) * 2 ** 24 + read24(id, start + 4);
}

const TIMED_VERSION = 7;
/** Of a hash that would look like one that tells its time (RFC 9562, section 5.8). */
const HASHED_VERSION = 8;
const UUID_VARIANT = 2;

/** Accounts have ids of this length. */
export const ACCOUNT_ID_LENGTH = 12;
const MESSAGE_ID_LENGTH = ACCOUNT_ID_LENGTH + 1 + 22;

/** The sender's account in a message's id; undefined if `id` is no message's id. */
export function senderOf(id: MessageId): AccountId | undefined {
  if (id.length !== MESSAGE_ID_LENGTH || id[ACCOUNT_ID_LENGTH] !== ".") return undefined;
  return id.slice(0, ACCOUNT_ID_LENGTH);
}

/**
 * The key's 128 bits in a message's id, into `words`, whose items are int32 because those need no
 * memory of their own on the way; false if `id` is no message's id.
 */
export function readKeyWords(id: MessageId, words: Int32Array): boolean {
  if (id.length !== MESSAGE_ID_LENGTH) return false;
  const start = ACCOUNT_ID_LENGTH + 1;
  const a = read24(id, start);
  const b = read24(id, start + 4);
  const c = read24(id, start + 8);
  const d = read24(id, start + 12);
  const e = read24(id, start + 16);
  const last = digitAt(id, start + 20) << 6 | digitAt(id, start + 21);
  // The last digit has four bits too many, which are zero in an id that was made here.
  if ((a | b | c | d | e | last) < 0 || (last & 15) !== 0) return false;
  words[0] = a << 8 | b >>> 16;
  words[1] = b << 16 | c >>> 8;
  words[2] = c << 24 | d;
  words[3] = e << 8 | last >>> 4;
  return true;
}

/** Four digits; negative if one of them is none. */
function read24(id: MessageId, index: number): number {
  return digitAt(id, index) << 18 | digitAt(id, index + 1) << 12 |
    digitAt(id, index + 2) << 6 | digitAt(id, index + 3);
}

function digitAt(id: MessageId, index: number): number {
  return VALUES[id.charCodeAt(index)] ?? -1;
}

/** The id of a row that holds a sender and a key's bits. */
export function messageIdFrom(sender: AccountId, words: Int32Array): MessageId {
  const a = words[0] as number;
  const b = words[1] as number;
  const c = words[2] as number;
  const d = words[3] as number;
  return `${sender}.${PAIRS[a >>> 20]}${PAIRS[a >>> 8 & 4095]}${PAIRS[(a << 4 | b >>> 28) & 4095]}${
    PAIRS[b >>> 16 & 4095]
  }${PAIRS[b >>> 4 & 4095]}${PAIRS[(b << 8 | c >>> 24) & 4095]}${PAIRS[c >>> 12 & 4095]}${
    PAIRS[c & 4095]
  }${PAIRS[d >>> 20]}${PAIRS[d >>> 8 & 4095]}${PAIRS[d << 4 & 4095]}`;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < 64; value++) VALUES[DIGITS.charCodeAt(value)] = value;

/** Two digits for each 12 bits. */
const PAIRS = Array.from(
  { length: 4096 },
  (_, bits) => DIGITS.charAt(bits >> 6) + DIGITS.charAt(bits & 63),
);

/** Where the 16-bit parts of a UUID begin, and its hyphens stand. */
const UUID_PARTS = [0, 4, 9, 14, 19, 24, 28, 32];
const HYPHENS = [8, 13, 18, 23];
const HYPHEN = 45;
/** A key's bits on their way into an id. */
const WORDS = new Int32Array(4);

const HEX = new Int8Array(128).fill(-1);
for (const [value, digit] of [..."0123456789"].entries()) HEX[digit.charCodeAt(0)] = value;
for (const [value, digit] of [..."abcdef"].entries()) {
  HEX[digit.charCodeAt(0)] = HEX[digit.toUpperCase().charCodeAt(0)] = 10 + value;
}

function readUuid(key: string, words: Int32Array): boolean {
  if (key.length !== 36) return false;
  for (const index of HYPHENS) if (key.charCodeAt(index) !== HYPHEN) return false;
  let invalid = 0;
  for (let word = 0; word < 4; word++) {
    const high = hex16(key, UUID_PARTS[2 * word] as number);
    const low = hex16(key, UUID_PARTS[2 * word + 1] as number);
    invalid |= high | low;
    words[word] = high << 16 | low;
  }
  return invalid >= 0;
}

/** Four hexadecimal digits; negative if one of them is none. */
function hex16(key: string, index: number): number {
  return hexAt(key, index) << 12 | hexAt(key, index + 1) << 8 | hexAt(key, index + 2) << 4 |
    hexAt(key, index + 3);
}

function hexAt(key: string, index: number): number {
  return HEX[key.charCodeAt(index)] ?? -1;
}

function readHash(key: string, words: Int32Array): void {
  const hash = createHash("sha256").update(key, "utf8").digest();
  for (let word = 0; word < 4; word++) words[word] = hash.readInt32BE(word * 4);
  const second = words[1] as number;
  const looksTimed = (second >>> 12 & 15) === TIMED_VERSION &&
    (words[2] as number) >>> 30 === UUID_VARIANT;
  if (looksTimed) words[1] = second & ~0xf000 | HASHED_VERSION << 12;
}
