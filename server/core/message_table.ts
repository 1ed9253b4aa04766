import { MemberHash } from "./digest.ts";
import { messageIdFrom, readKeyWords, senderOf } from "./message_id.ts";
import type { AccountId, MessageId, MessageSent, Provenance } from "./operation.ts";
import { OriginTable } from "./origin_table.ts";
import { type Row, RowIndex } from "./row_index.ts";
import { TextStore } from "./text_store.ts";

export type { Row };

/** Gives accounts small numbers, which rows hold instead of their ids. */
export interface AccountNumbers {
  /** Gives one to an account that has none yet. */
  numberOf(account: AccountId): number;
  existingNumberOf(account: AccountId): number | undefined;
  idOf(number: number): AccountId;
}

const PRESENT = 1;
const READ = 2;
const DELETED = 4;
const KEY_WORDS = 4;
const IDENTITY_WORDS = KEY_WORDS + 1;
const PAGE_BITS = 12;
const PAGE_ROWS = 1 << PAGE_BITS;

/**
 * All messages, in columns: about 70 bytes each besides its text, of which the garbage collector sees
 * nothing. Columns are cut into pages, because a whole one that grows is moved, for longer than
 * anybody should wait. A row stands for an identity: it may be known as read or deleted before its
 * message comes, and outlives it, so that a repeated key never brings a deleted message back.
 */
export class MessageTable {
  readonly #accounts: AccountNumbers;
  readonly #indexSeed: number;
  readonly #origins = new OriginTable();
  readonly #pages: RowPage[] = [];
  readonly #texts = new TextStore();
  readonly #index = new RowIndex((row) => this.#slotHashOf(row));
  #length = 0;
  #present = 0;
  /** The identity that was read last: a request looks a message up, then applies it. */
  #readId: MessageId | undefined;
  #readSender: AccountId = "";
  /** As a row's identity: the words of the key that was read, and the sender of it that is sought. */
  readonly #sought = new Int32Array(IDENTITY_WORDS);
  readonly #isSought = (row: Row) => this.#isSoughtRow(row);
  readonly #hash = new MemberHash();

  /** `indexSeed` decides where rows stand in the index, so that no sender can choose keys that clash. */
  constructor(accounts: AccountNumbers, indexSeed = 0) {
    this.#accounts = accounts;
    this.#indexSeed = indexSeed;
  }

  /** Rows: identities that were heard of. */
  get length(): number {
    return this.#length;
  }

  /** Messages that are there, without those deleted or not yet come. */
  get presentCount(): number {
    return this.#present;
  }

  /** The row of `id`; undefined if nothing was ever heard of it. */
  find(id: MessageId): Row | undefined {
    if (!this.#read(id)) return undefined;
    const sender = this.#accounts.existingNumberOf(this.#readSender);
    return sender === undefined ? undefined : this.#find(this.#seek(sender));
  }

  /** The row of `id`, a new one if need be; undefined only if `id` is no message's id. */
  findOrAdd(id: MessageId): Row | undefined {
    if (!this.#read(id)) return undefined;
    const sender = this.#accounts.numberOf(this.#readSender);
    const hash = this.#seek(sender);
    return this.#find(hash) ?? this.#add(hash);
  }

  idOf(row: Row): MessageId {
    const at = identityAt(row);
    const key = this.#pageOf(row).identity.subarray(at, at + KEY_WORDS);
    return messageIdFrom(this.senderIdOf(row), key);
  }

  senderOf(row: Row): number {
    return this.#pageOf(row).identity[identityAt(row) + KEY_WORDS] as number;
  }

  senderIdOf(row: Row): AccountId {
    return this.#accounts.idOf(this.senderOf(row));
  }

  /** Only of a row whose message has come. */
  recipientOf(row: Row): number {
    return this.#pageOf(row).recipient[row % PAGE_ROWS] as number;
  }

  timeMsOf(row: Row): number {
    return this.#pageOf(row).timeMs[row % PAGE_ROWS] as number;
  }

  contentOf(row: Row): string {
    return this.#texts.textOf(row);
  }

  /** What is kept for searches takes so many bytes. */
  get filterBytes(): number {
    return this.#texts.filterBytes;
  }

  /** Blocks of texts, each with some rows: see {@linkcode TextStore}. */
  get blockCount(): number {
    return this.#texts.blockCount;
  }

  blockOf(row: Row): number {
    return this.#texts.blockOf(row);
  }

  /** False if no text of the block has all of these trigrams. */
  blockMayHave(block: number, trigrams: Uint32Array): boolean {
    return this.#texts.mayHaveAll(block, trigrams);
  }

  /** Makes the block's filter, if it can have one. Returns what that took, in steps of about 10 ns. */
  makeFilter(block: number): number {
    return this.#texts.makeFilter(block);
  }

  isPresent(row: Row): boolean {
    return (this.#flagsOf(row) & PRESENT) !== 0;
  }

  isRead(row: Row): boolean {
    return (this.#flagsOf(row) & READ) !== 0;
  }

  isDeleted(row: Row): boolean {
    return (this.#flagsOf(row) & DELETED) !== 0;
  }

  /** Whether the message itself ever came, even if it is deleted. */
  hasCome(row: Row): boolean {
    return this.#seqOf(row) !== 0;
  }

  /** Whether the row is as operation `seq` of `origin` put it. */
  isPutBy(row: Row, { origin, seq }: Pick<Provenance, "origin" | "seq">): boolean {
    return this.#seqOf(row) === seq && this.#originOf(row) === origin;
  }

  provenanceOf(row: Row): Provenance {
    return {
      timeMs: this.timeMsOf(row),
      tick: this.#tickOf(row),
      origin: this.#originOf(row),
      seq: this.#seqOf(row),
    };
  }

  /** The message itself has come, or an earlier one of the same identity. */
  put(row: Row, message: MessageSent & Provenance, recipient: number): void {
    const page = this.#pageOf(row);
    const at = row % PAGE_ROWS;
    page.timeMs[at] = message.timeMs;
    page.tick[at] = message.tick;
    page.origin[at] = this.#origins.numberOf(message.origin);
    page.seq[at] = message.seq;
    page.recipient[at] = recipient;
    if (this.isDeleted(row)) return;
    if (!this.isPresent(row)) this.#present++;
    this.#texts.put(row, message.content);
    this.#setFlags(row, this.#flagsOf(row) | PRESENT);
  }

  markRead(row: Row): void {
    this.#setFlags(row, this.#flagsOf(row) | READ);
  }

  /** Deleted by its identity, for good. */
  markDeleted(row: Row): void {
    this.erase(row);
    this.#setFlags(row, DELETED);
  }

  /** The text goes at once; the identity and its stamp stay. */
  erase(row: Row): void {
    if (!this.isPresent(row)) return;
    this.#present--;
    this.#texts.remove(row);
    this.#setFlags(row, this.#flagsOf(row) & ~PRESENT);
  }

  /** Negative if `a` comes before `b` in a conversation. */
  compare(a: Row, b: Row): number {
    const time = this.timeMsOf(a) - this.timeMsOf(b);
    if (time !== 0) return time;
    const tick = this.#tickOf(a) - this.#tickOf(b);
    if (tick !== 0) return tick;
    if (this.#originNumberOf(a) !== this.#originNumberOf(b)) {
      return this.#originOf(a) < this.#originOf(b) ? -1 : 1;
    }
    return this.#seqOf(a) - this.#seqOf(b);
  }

  /** What a message that is there adds to the state's digest. */
  hashOf(row: Row, senderHash: number): MemberHash {
    const hash = this.#hash.start().int32(senderHash);
    const { identity } = this.#pageOf(row);
    const at = identityAt(row);
    for (let word = 0; word < KEY_WORDS; word++) hash.int32(identity[at + word] as number);
    return hash
      .int32(this.#flagsOf(row))
      .integer(this.timeMsOf(row))
      .int32(this.#tickOf(row))
      .int32(this.#origins.hashOf(this.#originNumberOf(row)))
      .integer(this.#seqOf(row));
  }

  #tickOf(row: Row): number {
    return this.#pageOf(row).tick[row % PAGE_ROWS] as number;
  }

  #seqOf(row: Row): number {
    return this.#pageOf(row).seq[row % PAGE_ROWS] as number;
  }

  #originNumberOf(row: Row): number {
    return this.#pageOf(row).origin[row % PAGE_ROWS] as number;
  }

  #originOf(row: Row): string {
    return this.#origins.nameOf(this.#originNumberOf(row));
  }

  #flagsOf(row: Row): number {
    return this.#pageOf(row).flags[row % PAGE_ROWS] as number;
  }

  #setFlags(row: Row, flags: number): void {
    this.#pageOf(row).flags[row % PAGE_ROWS] = flags;
  }

  #pageOf(row: Row): RowPage {
    return this.#pages[row >>> PAGE_BITS] as RowPage;
  }

  /** Reads the sender and the key's bits of `id`; false if it is no message's id. */
  #read(id: MessageId): boolean {
    if (id === this.#readId) return true;
    this.#readId = undefined;
    const sender = senderOf(id);
    if (sender === undefined || !readKeyWords(id, this.#sought)) return false;
    this.#readSender = sender;
    this.#readId = id;
    return true;
  }

  #isSoughtRow(row: Row): boolean {
    const { identity } = this.#pageOf(row);
    const at = identityAt(row);
    for (let word = 0; word < IDENTITY_WORDS; word++) {
      if (identity[at + word] !== this.#sought[word]) return false;
    }
    return true;
  }

  /** The row of the identity sought. */
  #find(hash: number): Row | undefined {
    return this.#index.find(hash, this.#isSought);
  }

  /** A row of the identity sought, which has none. */
  #add(hash: number): Row {
    const row = this.#length++;
    if (row % PAGE_ROWS === 0) this.#pages.push(new RowPage());
    const { identity } = this.#pageOf(row);
    const at = identityAt(row);
    for (let word = 0; word < IDENTITY_WORDS; word++) {
      identity[at + word] = this.#sought[word] as number;
    }
    this.#index.add(hash, row);
    return row;
  }

  /** From now on the identity sought is what was read of `sender`; returns its hash. */
  #seek(sender: number): number {
    this.#sought[KEY_WORDS] = sender;
    return slotHash(this.#indexSeed, this.#sought, 0);
  }

  #slotHashOf(row: Row): number {
    return slotHash(this.#indexSeed, this.#pageOf(row).identity, identityAt(row));
  }
}

class RowPage {
  /** The key's words and the sender, together because they are looked at together. */
  readonly identity = new Int32Array(PAGE_ROWS * IDENTITY_WORDS);
  readonly recipient = new Uint32Array(PAGE_ROWS);
  readonly timeMs = new Float64Array(PAGE_ROWS);
  readonly tick = new Uint32Array(PAGE_ROWS);
  readonly origin = new Uint32Array(PAGE_ROWS);
  readonly seq = new Float64Array(PAGE_ROWS);
  readonly flags = new Uint8Array(PAGE_ROWS);
}

function identityAt(row: Row): number {
  return (row % PAGE_ROWS) * IDENTITY_WORDS;
}

/** Every word is mixed in: keys may be counters, or differ in any one of their words. */
function slotHash(seed: number, identity: Int32Array, at: number): number {
  let bits = seed ^ (identity[at + KEY_WORDS] as number);
  bits = Math.imul(bits ^ (identity[at] as number), 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 15) ^ (identity[at + 1] as number), 0x85ebca77);
  bits = Math.imul(bits ^ (bits >>> 13) ^ (identity[at + 2] as number), 0xc2b2ae3d);
  bits = Math.imul(bits ^ (bits >>> 16) ^ (identity[at + 3] as number), 0x27d4eb2f);
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca77);
  return (bits ^ (bits >>> 13)) >>> 0;
}
