import { MemberHash } from "./digest.ts";
import { messageIdFrom, readKeyWords, senderOf } from "./message_id.ts";
import type { AccountId, MessageId, MessageSent, Provenance } from "./operation.ts";
import { OriginTable } from "./origin_table.ts";

/** Rows are numbered in order of arrival and never move. */
export type Row = number;

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
const CAPACITY_MIN = 1024;

/**
 * All messages, in columns: about 60 bytes each besides its text, of which the garbage collector
 * sees only the text. A row stands for an identity: it may be known as read or deleted before its
 * message comes, and outlives it, so that a repeated key never brings a deleted message back.
 */
export class MessageTable {
  readonly #accounts: AccountNumbers;
  readonly #indexSeed: number;
  readonly #origins = new OriginTable();
  #length = 0;
  #present = 0;
  #sender = new Uint32Array(CAPACITY_MIN);
  #recipient = new Uint32Array(CAPACITY_MIN);
  #key = new Int32Array(CAPACITY_MIN * 4);
  #timeMs = new Float64Array(CAPACITY_MIN);
  #tick = new Uint32Array(CAPACITY_MIN);
  #origin = new Uint32Array(CAPACITY_MIN);
  #seq = new Float64Array(CAPACITY_MIN);
  #flags = new Uint8Array(CAPACITY_MIN);
  readonly #contents: (string | undefined)[] = [];
  /** Open addressing with linear probing: row + 1, or 0 where free; at most half full. */
  #index = new Uint32Array(CAPACITY_MIN * 2);
  /** The identity that was read last: a request looks a message up, then applies it. */
  #readId: MessageId | undefined;
  #readSender: AccountId = "";
  readonly #words = new Int32Array(4);
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
    const number = this.#accounts.existingNumberOf(this.#readSender);
    if (number === undefined) return undefined;
    const found = this.#index[this.#slotOf(number)] as number;
    return found === 0 ? undefined : found - 1;
  }

  /** The row of `id`, a new one if need be; undefined only if `id` is no message's id. */
  findOrAdd(id: MessageId): Row | undefined {
    if (!this.#read(id)) return undefined;
    const sender = this.#accounts.numberOf(this.#readSender);
    const slot = this.#slotOf(sender);
    const found = this.#index[slot] as number;
    if (found !== 0) return found - 1;
    if (this.#length === this.#sender.length) this.#grow();
    const row = this.#length++;
    this.#sender[row] = sender;
    for (let word = 0; word < 4; word++) this.#key[row * 4 + word] = this.#words[word] as number;
    this.#index[slot] = row + 1;
    this.#contents.push(undefined);
    if (this.#length * 2 > this.#index.length) this.#reindex();
    return row;
  }

  idOf(row: Row): MessageId {
    return messageIdFrom(this.senderIdOf(row), this.#key.subarray(row * 4, row * 4 + 4));
  }

  senderOf(row: Row): number {
    return this.#sender[row] as number;
  }

  senderIdOf(row: Row): AccountId {
    return this.#accounts.idOf(this.senderOf(row));
  }

  /** Only of a row whose message has come. */
  recipientOf(row: Row): number {
    return this.#recipient[row] as number;
  }

  timeMsOf(row: Row): number {
    return this.#timeMs[row] as number;
  }

  contentOf(row: Row): string {
    return this.#contents[row] ?? "";
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
    return this.#seq[row] !== 0;
  }

  /** Whether the row is as operation `seq` of `origin` put it. */
  isPutBy(row: Row, { origin, seq }: Pick<Provenance, "origin" | "seq">): boolean {
    return this.#seq[row] === seq && this.#originOf(row) === origin;
  }

  provenanceOf(row: Row): Provenance {
    return {
      timeMs: this.timeMsOf(row),
      tick: this.#tick[row] as number,
      origin: this.#originOf(row),
      seq: this.#seq[row] as number,
    };
  }

  /** The message itself has come, or an earlier one of the same identity. */
  put(row: Row, message: MessageSent & Provenance, recipient: number): void {
    this.#timeMs[row] = message.timeMs;
    this.#tick[row] = message.tick;
    this.#origin[row] = this.#origins.numberOf(message.origin);
    this.#seq[row] = message.seq;
    this.#recipient[row] = recipient;
    if (this.isDeleted(row)) return;
    if (!this.isPresent(row)) this.#present++;
    this.#contents[row] = message.content;
    this.#flags[row] = this.#flagsOf(row) | PRESENT;
  }

  markRead(row: Row): void {
    this.#flags[row] = this.#flagsOf(row) | READ;
  }

  /** Deleted by its identity, for good. */
  markDeleted(row: Row): void {
    this.erase(row);
    this.#flags[row] = DELETED;
  }

  /** The text goes at once; the identity and its stamp stay. */
  erase(row: Row): void {
    if (!this.isPresent(row)) return;
    this.#present--;
    this.#contents[row] = undefined;
    this.#flags[row] = this.#flagsOf(row) & ~PRESENT;
  }

  /** Negative if `a` comes before `b` in a conversation. */
  compare(a: Row, b: Row): number {
    const time = this.timeMsOf(a) - this.timeMsOf(b);
    if (time !== 0) return time;
    const tick = (this.#tick[a] as number) - (this.#tick[b] as number);
    if (tick !== 0) return tick;
    if (this.#origin[a] !== this.#origin[b]) {
      return this.#originOf(a) < this.#originOf(b) ? -1 : 1;
    }
    return (this.#seq[a] as number) - (this.#seq[b] as number);
  }

  /** What a message that is there adds to the state's digest. */
  hashOf(row: Row, senderHash: number): MemberHash {
    const hash = this.#hash.start().int32(senderHash);
    for (let word = 0; word < 4; word++) hash.int32(this.#key[row * 4 + word] as number);
    return hash
      .int32(this.#flagsOf(row))
      .integer(this.timeMsOf(row))
      .int32(this.#tick[row] as number)
      .int32(this.#origins.hashOf(this.#origin[row] as number))
      .integer(this.#seq[row] as number);
  }

  #originOf(row: Row): string {
    return this.#origins.nameOf(this.#origin[row] as number);
  }

  #flagsOf(row: Row): number {
    return this.#flags[row] as number;
  }

  /** Reads the sender and the key's bits of `id`; false if it is no message's id. */
  #read(id: MessageId): boolean {
    if (id === this.#readId) return true;
    this.#readId = undefined;
    const sender = senderOf(id);
    if (sender === undefined || !readKeyWords(id, this.#words)) return false;
    this.#readSender = sender;
    this.#readId = id;
    return true;
  }

  /** Where (sender, #words) stands in the index, or would. */
  #slotOf(sender: number): number {
    const mask = this.#index.length - 1;
    const w0 = this.#words[0] as number;
    const w1 = this.#words[1] as number;
    const w2 = this.#words[2] as number;
    const w3 = this.#words[3] as number;
    for (
      let slot = slotHash(this.#indexSeed ^ sender, w0, w1, w2, w3) & mask;;
      slot = (slot + 1) & mask
    ) {
      const row = (this.#index[slot] as number) - 1;
      if (row < 0) return slot;
      if (
        this.#key[row * 4] === w0 && this.#key[row * 4 + 1] === w1 &&
        this.#key[row * 4 + 2] === w2 && this.#key[row * 4 + 3] === w3 &&
        this.#sender[row] === sender
      ) return slot;
    }
  }

  #grow(): void {
    const capacity = this.#sender.length * 2;
    this.#sender = enlarge(this.#sender, new Uint32Array(capacity));
    this.#recipient = enlarge(this.#recipient, new Uint32Array(capacity));
    this.#key = enlarge(this.#key, new Int32Array(capacity * 4));
    this.#timeMs = enlarge(this.#timeMs, new Float64Array(capacity));
    this.#tick = enlarge(this.#tick, new Uint32Array(capacity));
    this.#origin = enlarge(this.#origin, new Uint32Array(capacity));
    this.#seq = enlarge(this.#seq, new Float64Array(capacity));
    this.#flags = enlarge(this.#flags, new Uint8Array(capacity));
  }

  #reindex(): void {
    this.#index = new Uint32Array(this.#index.length * 2);
    this.#readId = undefined;
    for (let row = 0; row < this.#length; row++) {
      for (let word = 0; word < 4; word++) this.#words[word] = this.#key[row * 4 + word] as number;
      this.#index[this.#slotOf(this.senderOf(row))] = row + 1;
    }
  }
}

function enlarge<T extends Uint8Array | Int32Array | Uint32Array | Float64Array>(
  from: T,
  to: T,
): T {
  to.set(from);
  return to;
}

/** Every word is mixed in: keys may be counters, or differ in any one of their words. */
function slotHash(seed: number, w0: number, w1: number, w2: number, w3: number): number {
  let bits = Math.imul(seed ^ w0, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 15) ^ w1, 0x85ebca77);
  bits = Math.imul(bits ^ (bits >>> 13) ^ w2, 0xc2b2ae3d);
  bits = Math.imul(bits ^ (bits >>> 16) ^ w3, 0x27d4eb2f);
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca77);
  return (bits ^ (bits >>> 13)) >>> 0;
}
