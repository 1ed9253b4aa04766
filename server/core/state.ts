import { type Account, AccountTable } from "./account_table.ts";
import { Conversation } from "./conversation.ts";
import { type MemberHash, SetDigest } from "./digest.ts";
import { EventFeed, type EventSource, type FeedEvent } from "./event_feed.ts";
import { History } from "./history.ts";
import { MessageTable, type Row } from "./message_table.ts";
import type { Provenance, UnknownFact } from "./operation.ts";
import { OrderedRows } from "./ordered_rows.ts";
import { VersionVector } from "./version_vector.ts";

/** What is to be told, and of which operation it is. */
export interface ToldFrom {
  readonly event: FeedEvent;
  readonly from: EventSource;
}

/** An operation that sent a message, and to whom: the number of an account. */
interface Sending extends EventSource {
  readonly recipient: number;
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
  /** Of messages that were sent by more operations than one: all of these that have come. */
  readonly #sendings = new Map<Row, readonly Sending[]>();

  /** The last event that a merged state brought: those before it may be in any order. */
  lastMerged = -1;
  /**
   * The last event of an operation that had been applied before: it may stand for others, too, which did
   * the same.
   */
  #lastLate = -1;
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

  /** Lists a message that has come, or comes anew: in its conversation, and with all of its parties'. */
  listMessage(row: Row): void {
    this.conversationOf(row).add(row);
    for (const account of this.partiesOf(row)) {
      account.mailbox ??= new OrderedRows(this.messages);
      account.mailbox.add(row);
    }
  }

  /** Before its stamp or its recipient changes: a deleted one may still stand in a list. */
  unlistMessage(row: Row): void {
    const [sender, recipient] = [this.sender(row), this.recipient(row)];
    for (const account of this.partiesOf(row)) account.mailbox?.remove(row);
    this.conversation(sender, recipient)?.remove(row);
    this.closeIfEmpty(sender, recipient);
  }

  /** Whose it is: one account, or two. */
  partiesOf(row: Row): readonly Account[] {
    const [sender, recipient] = [this.sender(row), this.recipient(row)];
    return sender === recipient ? [sender] : [sender, recipient];
  }

  /** Once a message that is listed is there no more. */
  noteDeleted(row: Row): void {
    this.conversationOf(row).noteDeleted();
    for (const account of this.partiesOf(row)) account.mailbox?.noteDeleted();
    this.closeIfEmpty(this.sender(row), this.recipient(row));
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

  /** Tells of an operation that was applied before, what only now is there to be told. */
  tellLate(event: FeedEvent, from: EventSource, concerned: Iterable<Account>): void {
    this.tell(event, from, concerned);
    this.#lastLate = this.feed.length - 1;
  }

  /** Whether an event may have come after others of its origin, and stand for operations it does not name. */
  mayBeLate(number: number): boolean {
    return number <= this.#lastLate || number <= this.lastMerged;
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
    for (const { event, from } of early) this.tellLate(event, from, concerned);
    this.#early.delete(row);
  }

  /** An operation with the identity of a message that has come: it may win or lose, or be known. */
  noteRepeat(row: Row, { origin, seq }: EventSource, { number: recipient }: Account): void {
    const { messages } = this;
    const first = { ...messages.provenanceOf(row), recipient: messages.recipientOf(row) };
    const known = this.#sendings.get(row) ?? [first];
    // A state that is merged says again what came as an operation.
    if (known.some((sending) => sending.seq === seq && sending.origin === origin)) return;
    this.#sendings.set(row, [...known, { origin, seq, recipient }]);
  }

  /** Whether operations sent a message to different people, whose name meant one or the other. */
  wentToSeveral(row: Row): boolean {
    const sendings = this.#sendings.get(row) ?? [];
    return sendings.some(({ recipient }) => recipient !== sendings[0]?.recipient);
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
      this.tellLate({ ...event, rows: [row] }, this.feed.sourceOf(number), [account]);
    }
  }

  /**
   * What `account` missed since `cursor`, in order of arrival here. Events say what to look at, the
   * state how it is now: of a message that was deleted or moved since, only that is told.
   */
  *missed(account: Account, cursor: VersionVector): Generator<FeedEvent> {
    for (const number of this.feed.missing(account.feed, cursor)) {
      const event = this.eventFor(account, number, cursor);
      if (event !== undefined) yield event;
    }
  }

  /** What there is to tell of an event that `cursor` does not cover. */
  eventFor(account: Account, number: number, cursor: VersionVector): FeedEvent | undefined {
    const event = this.feed.eventOf(number);
    if (event.kind === "message") {
      return this.#isToBeTold(event, number, cursor) ? event : undefined;
    }
    const has = event.kind === "read";
    const rows = event.rows.filter((row) => this.#has(account, row) === has);
    return rows.length === 0 ? undefined : { ...event, rows };
  }

  /**
   * A message that was repeated is told in the place of the first event of it, as it is now, and not if
   * `cursor` covers any operation that sent it. So a cursor that covers one says that its client was
   * told, whichever of them had come by then, and wherever it was cut off.
   *
   * If they were to several people, because a name meant another account on another node, a client that
   * was told of one may have been told that it is gone: then the one that counts is told in its place.
   */
  #isToBeTold(
    { row, isRepeat }: Extract<FeedEvent, { kind: "message" }>,
    number: number,
    cursor: VersionVector,
  ): boolean {
    if (!this.messages.isPresent(row)) return false;
    const sendings = this.#sendings.get(row);
    if (sendings === undefined) return true;
    if (this.wentToSeveral(row)) {
      return this.messages.isPutBy(row, this.feed.sourceOf(number));
    }
    return !isRepeat && !sendings.some((sending) => cursor.covers(sending));
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
