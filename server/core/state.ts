import { type Account, AccountTable } from "./account_table.ts";
import { Conversation } from "./conversation.ts";
import { type MemberHash, SetDigest } from "./digest.ts";
import { EventFeed, type EventSource, type FeedEvent } from "./event_feed.ts";
import { History } from "./history.ts";
import { MessageTable, type Row } from "./message_table.ts";
import type { Provenance, UnknownFact } from "./operation.ts";
import { VersionVector } from "./version_vector.ts";

/** What is to be told, and of which operation it is. */
export interface ToldFrom {
  readonly event: FeedEvent;
  readonly from: EventSource;
}

/** All that a node knows: the fold of its operations, made by `apply` alone. */
export class ChatState {
  readonly accounts = new AccountTable();
  readonly messages: MessageTable;
  readonly feed = new EventFeed();
  readonly vector = new VersionVector();
  readonly history = new History();
  readonly #digest = new SetDigest();
  readonly #early = new Map<Row, readonly ToldFrom[]>();

  /** The last event that a merged state brought: those before it may be in any order. */
  lastMerged = -1;
  readonly #unknown = new Map<string, UnknownFact & Provenance>();

  /** The seed changes nothing that can be seen: see {@linkcode MessageTable}. */
  constructor(indexSeed = 0) {
    this.messages = new MessageTable(this.accounts, indexSeed);
  }

  /**
   * 16 hexadecimal digits, equal on nodes whose vectors are equal: of all accounts, and of the
   * messages that are there. What is only kept so that nothing comes back has no part in it.
   */
  get digest(): string {
    return this.#digest.toString();
  }

  /** Facts that only newer versions understand, for them and for other nodes. */
  get unknown(): Iterable<UnknownFact & Provenance> {
    return this.#unknown.values();
  }

  keepUnknown(fact: UnknownFact & Provenance): void {
    this.#unknown.set(`${fact.origin}:${fact.seq}`, fact);
  }

  /** What is to be told of messages that have not come. */
  get early(): Iterable<readonly [Row, readonly ToldFrom[]]> {
    return this.#early;
  }

  conversation(a: Account, b: Account): Conversation | undefined {
    return a.conversations.get(b.number);
  }

  /** The conversation of two accounts, a new one if they have none. */
  openConversation(a: Account, b: Account): Conversation {
    let conversation = this.conversation(a, b);
    if (conversation === undefined) {
      conversation = new Conversation(this.messages);
      a.conversations.set(b.number, conversation);
      b.conversations.set(a.number, conversation);
    }
    return conversation;
  }

  /** Of a message that is there. */
  conversationOf(row: Row): Conversation {
    return this.openConversation(this.sender(row), this.recipient(row));
  }

  /** Two accounts have a conversation while it has messages, whatever the order of arrival. */
  closeIfEmpty(a: Account, b: Account): void {
    if (this.conversation(a, b)?.presentCount !== 0) return;
    a.conversations.delete(b.number);
    b.conversations.delete(a.number);
  }

  sender(row: Row): Account {
    return this.accounts.at(this.messages.senderOf(row));
  }

  /** Only of a row whose message has come. */
  recipient(row: Row): Account {
    return this.accounts.at(this.messages.recipientOf(row));
  }

  /** Runs a change of a message's row, and keeps the digest in step: of messages that are there. */
  changeMessage(row: Row, change: () => void): void {
    if (this.messages.isPresent(row)) this.#digest.remove(this.#messageHash(row));
    change();
    if (this.messages.isPresent(row)) this.#digest.add(this.#messageHash(row));
  }

  /** Runs a change of an account, and keeps the digest in step. */
  changeAccount<T>(account: Account, change: () => T): T {
    if (isKnown(account)) this.#digest.remove(this.accounts.hashOf(account));
    const result = change();
    if (isKnown(account)) this.#digest.add(this.accounts.hashOf(account));
    return result;
  }

  /** Adds an event to the feeds of those it concerns. */
  tell(event: FeedEvent, from: EventSource, concerned: Iterable<Account>): void {
    const number = this.feed.add(event, from);
    for (const account of concerned) account.feed.push(number);
  }

  /** Keeps what is to be told of a message that has not come: whom it concerns is not known yet. */
  tellOnceCome(row: Row, event: FeedEvent, from: EventSource): void {
    const { origin, seq } = from;
    this.#early.set(row, [...this.#early.get(row) ?? [], { event, from: { origin, seq } }]);
  }

  /** Tells what was kept of a message that has come now. */
  tellEarly(row: Row, concerned: readonly Account[]): void {
    const early = this.#early.get(row);
    if (early === undefined) return;
    for (const { event, from } of early) this.tell(event, from, concerned);
    this.#early.delete(row);
  }

  /** Tells `account` what its sender was told of a message, because it is `account`'s now. */
  retell(row: Row, account: Account): void {
    const sender = this.sender(row);
    if (account === sender) return;
    const told = sender.feed;
    for (let index = 0, { length } = told; index < length; index++) {
      const number = told.at(index);
      const event = this.feed.eventOf(number);
      if (event.kind === "message" || !event.rows.includes(row)) continue;
      this.tell({ ...event, rows: [row] }, this.feed.sourceOf(number), [account]);
    }
  }

  /**
   * What `account` missed since `cursor`, in order of arrival here. Events say what to look at, the
   * state how it is now: of a message that was deleted or replaced since, only that is told.
   */
  *missed(account: Account, cursor: VersionVector): Generator<FeedEvent> {
    for (const number of this.feed.missing(account.feed, cursor)) {
      const event = this.eventFor(account, number);
      if (event !== undefined) yield event;
    }
  }

  eventFor(account: Account, number: number): FeedEvent | undefined {
    const event = this.feed.eventOf(number);
    const { messages } = this;
    if (event.kind === "message") {
      const { row } = event;
      return messages.isPresent(row) && messages.isPutBy(row, this.feed.sourceOf(number))
        ? event
        : undefined;
    }
    const has = event.kind === "read";
    const rows = event.rows.filter((row) => this.#has(account, row) === has);
    return rows.length === 0 ? undefined : { ...event, rows };
  }

  /** Whether `account` has a message that is there: sent or received it. */
  #has({ number }: Account, row: Row): boolean {
    const { messages } = this;
    return messages.isPresent(row) &&
      (messages.senderOf(row) === number || messages.recipientOf(row) === number);
  }

  #messageHash(row: Row): MemberHash {
    return this.messages.hashOf(row, this.sender(row).idHash);
  }
}

/** An account that was only mentioned adds nothing to the digest. */
function isKnown(account: Account): boolean {
  return account.claim !== undefined || account.deleted || account.password !== undefined;
}
