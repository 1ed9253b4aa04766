import { createHash } from "node:crypto";
import type { AccountId, MessageId } from "./operation.ts";

/**
 * A message's identity is (sender account, key), and its id is just that: the account's 12
 * characters, a dot, and the key as 128 bits in base64url (22 characters). So the same key on any
 * node, after any failover, is the same id, and no node needs to remember keys. A UUID is taken as
 * the 128 bits it is; of any other key it is the beginning of its SHA-256. Collisions would need
 * 2^64 keys of one sender, and would cost only that sender.
 */
export function messageIdOf(sender: AccountId, key: string): MessageId {
  return messageIdFrom(sender, uuidWords(key) ?? hashWords(key));
}

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
  let text = `${sender}.`;
  for (let index = 0; index < 22; index++) text += DIGITS[sixBits(words, index)];
  return text;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < 64; value++) VALUES[DIGITS.charCodeAt(value)] = value;

function sixBits(words: Int32Array, index: number): number {
  const bit = index * 6;
  const word = bit >>> 5;
  const shift = 26 - (bit & 31);
  if (shift >= 0) return ((words[word] as number) >>> shift) & 63;
  const next = word < 3 ? (words[word + 1] as number) >>> (32 + shift) : 0;
  return (((words[word] as number) << -shift) | next) & 63;
}

function uuidWords(key: string): Int32Array | undefined {
  if (key.length !== 36) return undefined;
  const words = new Int32Array(4);
  let digits = 0;
  for (let index = 0; index < 36; index++) {
    const code = key.charCodeAt(index);
    if (index === 8 || index === 13 || index === 18 || index === 23) {
      if (code !== 45) return undefined;
      continue;
    }
    const digit = hexDigit(code);
    if (digit < 0) return undefined;
    const word = digits >>> 3;
    words[word] = (words[word] as number) << 4 | digit;
    digits++;
  }
  return words;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function hashWords(key: string): Int32Array {
  const hash = createHash("sha256").update(key, "utf8").digest();
  return Int32Array.from({ length: 4 }, (_, word) => hash.readInt32BE(word * 4));
}
