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

/** The key's 128 bits in a message's id, into `words`; false if `id` is no message's id. */
export function readKeyWords(id: MessageId, words: Uint32Array): boolean {
  if (id.length !== MESSAGE_ID_LENGTH) return false;
  words.fill(0);
  for (let index = 0; index < 22; index++) {
    const digit = VALUES[id.charCodeAt(ACCOUNT_ID_LENGTH + 1 + index)] ?? 255;
    if (digit === 255) return false;
    const bit = index * 6;
    const word = bit >>> 5;
    const shift = 26 - (bit & 31);
    if (shift >= 0) {
      words[word]! |= digit << shift;
    } else {
      words[word]! |= digit >>> -shift;
      // The last digit has four bits too many, which are zero in an id that was made here.
      if (word === 3) return (digit & 15) === 0;
      words[word + 1]! |= digit << (32 + shift);
    }
  }
  return true;
}

/** The id of a row that holds a sender and a key's bits. */
export function messageIdFrom(sender: AccountId, words: Uint32Array): MessageId {
  let text = `${sender}.`;
  for (let index = 0; index < 22; index++) text += DIGITS[sixBits(words, index)];
  return text;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Uint8Array(256).fill(255);
for (let value = 0; value < 64; value++) VALUES[DIGITS.charCodeAt(value)] = value;

function sixBits(words: Uint32Array, index: number): number {
  const bit = index * 6;
  const word = bit >>> 5;
  const shift = 26 - (bit & 31);
  if (shift >= 0) return (words[word]! >>> shift) & 63;
  const next = word < 3 ? words[word + 1]! >>> (32 + shift) : 0;
  return ((words[word]! << -shift) | next) & 63;
}

function uuidWords(key: string): Uint32Array | undefined {
  if (key.length !== 36) return undefined;
  const words = new Uint32Array(4);
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
    words[word] = words[word]! << 4 | digit;
    digits++;
  }
  return words;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function hashWords(key: string): Uint32Array {
  const hash = createHash("sha256").update(key, "utf8").digest();
  return Uint32Array.from({ length: 4 }, (_, word) => hash.readUInt32BE(word * 4));
}
