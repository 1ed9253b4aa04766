import { type Account, AccountTable } from "./account_table.ts";
import { Conversation } from "./conversation.ts";
import { MemberHash, SetDigest } from "./digest.ts";
import { EventFeed, type FeedEvent } from "./event_feed.ts";
import { MessageTable, type Row } from "./message_table.ts";
import type { Provenance } from "./operation.ts";
import { VersionVector } from "./version_vector.ts";

/** All that a node knows: the fold of its operations, made by `apply` alone. */
export class ChatState {
  readonly accounts = new AccountTable();
  readonly messages = new MessageTable(this.accounts);
  readonly feed = new EventFeed();
  readonly vector = new VersionVector();
  readonly #digest = new SetDigest();
  readonly #originHashes = new Map<string, number>();

  /** 16 hexadecimal digits, equal on nodes whose vectors are equal. */
  get digest(): string {
    return this.#digest.toString();
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

  conversationOf(row: Row): Conversation {
    return this.openConversation(this.sender(row), this.recipient(row));
  }

  sender(row: Row): Account {
    return this.accounts.at(this.messages.senderOf(row));
  }

  /** Only of a row whose message has come. */
  recipient(row: Row): Account {
    return this.accounts.at(this.messages.recipientOf(row));
  }

  /** Runs a change of a message's row, and keeps the digest in step. */
  changeMessage(row: Row, known: boolean, change: () => void): void {
    if (known) this.#digest.remove(this.#messageHash(row));
    change();
    this.#digest.add(this.#messageHash(row));
  }

  /** Runs a change of an account, and keeps the digest in step. */
  changeAccount<T>(account: Account, change: () => T): T {
    if (isKnown(account)) this.#digest.remove(this.accounts.hashOf(account));
    const result = change();
    if (isKnown(account)) this.#digest.add(this.accounts.hashOf(account));
    return result;
  }

  /** Adds an event to the feeds of those it concerns. */
  tell(event: FeedEvent, from: Provenance, concerned: Iterable<Account>): void {
    const number = this.feed.add(event, from);
    for (const account of concerned) account.feed.push(number);
  }

  #messageHash(row: Row): MemberHash {
    return this.messages.hashOf(row, this.sender(row).idHash, (origin) => this.#hashOf(origin));
  }

  #hashOf(origin: string): number {
    let hash = this.#originHashes.get(origin);
    if (hash === undefined) {
      hash = new MemberHash().start().text(origin).low;
      this.#originHashes.set(origin, hash);
    }
    return hash;
  }
}

/** An account that was only mentioned adds nothing to the digest. */
function isKnown(account: Account): boolean {
  return account.claim !== undefined || account.deleted || account.password !== undefined;
}
