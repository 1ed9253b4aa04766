import { TIMED_KEY_KEPT_MS } from "../../codec/timed_key.ts";
import type { Account } from "./account_table.ts";
import type { Conversation } from "./conversation.ts";
import type { FeedEvent } from "./event_feed.ts";
import { keyTimeOf } from "./message_id.ts";
import type { Row } from "./message_table.ts";
import {
  type AccountCreated,
  type AccountDeleted,
  compareProvenance,
  type Fact,
  type MessageId,
  type MessagesDeleted,
  type MessageSent,
  type MessagesRead,
  type PasswordChanged,
  type Provenance,
  type UnknownFact,
} from "./operation.ts";
import type { ChatState } from "./state.ts";

/**
 * What an operation did, for those who tell others about it. `concerned` are the accounts whose feeds
 * have more to tell: see {@linkcode ChatState.missed}. `event` is all that happened, also to messages
 * of other conversations than one's own.
 */
export type Change =
  | { readonly kind: "duplicate" }
  /** An earlier operation of its origin is missing: nothing was done. */
  | { readonly kind: "gap"; readonly expectedSeq: number }
  | { readonly kind: "nothing_visible" }
  | { readonly kind: "visible"; readonly event: FeedEvent; readonly concerned: Iterable<Account> }
  | { readonly kind: "account_created"; readonly account: Account }
  | { readonly kind: "password_changed"; readonly account: Account }
  | {
    readonly kind: "account_deleted";
    readonly account: Account;
    readonly event: FeedEvent;
    readonly concerned: Iterable<Account>;
  };

export const NOTHING_VISIBLE: Change = { kind: "nothing_visible" };

/**
 * What a fact does to a state, whether or not its place in its origin's sequence is reached. Total, the
 * same in any order, and nothing at all if the state has it already.
 */
export function takeEffect(state: ChatState, fact: (Fact | UnknownFact) & Provenance): Change {
  switch (fact.kind) {
    case "message_sent":
      return sendMessage(state, fact);
    case "messages_read":
      return readMessages(state, fact);
    case "messages_deleted":
      return deleteMessages(state, fact);
    case "account_created":
      return createAccount(state, fact);
    case "password_changed":
      return changePassword(state, fact);
    case "account_deleted":
      return deleteAccount(state, fact);
    case "unknown":
      state.keepUnknown(fact);
      return NOTHING_VISIBLE;
    default:
      return fact satisfies never;
  }
}

function sendMessage(state: ChatState, operation: MessageSent & Provenance): Change {
  if (isForgotten(operation.id, operation.timeMs)) return NOTHING_VISIBLE;
  const row = state.messages.findOrAdd(operation.id);
  if (row === undefined) return NOTHING_VISIBLE;
  const recipient = state.accounts.get(operation.recipientAccount);
  const events = state.feed.length;
  const concerned = partiesOf(state.sender(row), recipient);
  const isRepeated = state.messages.hasCome(row);
  const change = (isRepeated ? repeatMessage : putMessage)(state, operation, row, recipient);
  if (!isRepeated) state.tellEarly(row, concerned);
  if (change.kind === "visible" || state.feed.length === events) return change;
  // Who was told of it elsewhere is told here that it is gone.
  return { kind: "visible", event: { kind: "deleted", rows: [row] }, concerned };
}

/**
 * Whether a message with this id may have been deleted and forgotten by this time: then it must not come
 * (again), on no node, and what was sent so late was sent by nobody who was told that it is there.
 */
export function isForgotten(id: MessageId, timeMs: number): boolean {
  const keyTimeMs = keyTimeOf(id);
  return keyTimeMs !== undefined && timeMs - keyTimeMs > TIMED_KEY_KEPT_MS;
}

/** Two with one identity are one message: the earlier stamp's, in all that it says. */
function repeatMessage(
  state: ChatState,
  operation: MessageSent & Provenance,
  row: Row,
  recipient: Account,
): Change {
  const known = state.messages.provenanceOf(row);
  const knownRecipient = state.recipient(row);
  state.noteRepeat(row, operation, recipient);
  const wins = compareProvenance(operation, known) < 0;
  const withdrawal = recipient === knownRecipient
    ? NOTHING_VISIBLE
    : wins
    ? withdraw(state, row, operation, knownRecipient)
    : withdraw(state, row, known, recipient);
  if (!wins) return withdrawal;
  if (recipient !== knownRecipient) state.retell(row, recipient);
  takeOut(state, row);
  const change = putMessage(state, operation, row, recipient, recipient === knownRecipient);
  if (withdrawal.kind !== "visible") return change;
  return { ...withdrawal, concerned: new Set([...withdrawal.concerned, recipient]) };
}

/** Whoever got the later of two, here or on another node, has it no more. */
function withdraw(state: ChatState, row: Row, from: Provenance, loser: Account): Change {
  const event: FeedEvent = { kind: "deleted", rows: [row], isWithdrawal: true };
  const concerned = partiesOf(state.sender(row), loser);
  state.tellLate(event, from, concerned);
  return { kind: "visible", event, concerned };
}

function putMessage(
  state: ChatState,
  operation: MessageSent & Provenance,
  row: Row,
  recipient: Account,
  isRepeat = false,
): Change {
  const { messages } = state;
  const sender = state.sender(row);
  const concerned = partiesOf(sender, recipient);
  const deletion = sender.deletion ?? recipient.deletion;
  state.changeMessage(row, () => {
    messages.put(row, operation, recipient.number);
    if (deletion !== undefined) messages.erase(row);
  });
  if (deletion !== undefined) {
    state.tellLate({ kind: "deleted", rows: [row] }, deletion, concerned);
  }
  // Origins interleave freely, so a delete may have overtaken its message.
  if (!messages.isPresent(row)) return NOTHING_VISIBLE;
  state.listMessage(row);
  if (!messages.isRead(row)) changeUnread(state.conversationOf(row), recipient, 1);
  const event: FeedEvent = isRepeat ? { kind: "message", row, isRepeat } : { kind: "message", row };
  state.tell(event, operation, concerned);
  return { kind: "visible", event, concerned };
}

function readMessages(state: ChatState, operation: MessagesRead & Provenance): Change {
  const reader = state.accounts.get(operation.by).number;
  const rows = rowsOf(state, operation.ids, (row) => markRead(state, row));
  return tellOfRows(state, operation, rows, (rows) => ({ kind: "read", reader, rows }));
}

function deleteMessages(state: ChatState, operation: MessagesDeleted & Provenance): Change {
  const rows = rowsOf(state, operation.ids, (row) => markDeleted(state, row));
  return tellOfRows(state, operation, rows, (rows) => ({ kind: "deleted", rows }));
}

function createAccount(state: ChatState, operation: AccountCreated & Provenance): Change {
  const account = state.accounts.get(operation.account);
  state.changeAccount(account, () => state.accounts.create(operation));
  return { kind: "account_created", account };
}

function changePassword(state: ChatState, operation: PasswordChanged & Provenance): Change {
  const account = state.accounts.get(operation.account);
  state.changeAccount(account, () => state.accounts.changePassword(operation));
  return { kind: "password_changed", account };
}

/** Its messages go too, both ways; those that come later are dropped as they come. */
function deleteAccount(state: ChatState, operation: AccountDeleted & Provenance): Change {
  const account = state.accounts.get(operation.account);
  const isNew = state.changeAccount(account, () => state.accounts.delete(account, operation));
  if (!isNew) return NOTHING_VISIBLE;
  const concerned = new Set<Account>([account]);
  const deleted: Row[] = [];
  for (const [number, conversation] of [...account.conversations]) {
    const friend = state.accounts.at(number);
    const rows = [...conversation.newestFirst()];
    for (const row of rows) {
      eraseMessage(state, row);
      deleted.push(row);
    }
    state.tell({ kind: "deleted", rows }, operation, partiesOf(account, friend));
    concerned.add(friend);
  }
  return { kind: "account_deleted", account, event: { kind: "deleted", rows: deleted }, concerned };
}

/** The rows that `change` said yes to, of those whose ids are any. */
function rowsOf(
  state: ChatState,
  ids: readonly MessageId[],
  change: (row: Row) => boolean,
): Row[] {
  const rows: Row[] = [];
  for (const id of ids) {
    const row = state.messages.findOrAdd(id);
    if (row !== undefined && change(row)) rows.push(row);
  }
  return rows;
}

/** Tells both sides of a conversation what became of its messages, and nobody of others'. */
function tellOfRows(
  state: ChatState,
  from: Provenance,
  rows: readonly Row[],
  eventOf: (rows: readonly Row[]) => FeedEvent,
): Change {
  const come: Row[] = [];
  for (const row of rows) {
    if (state.messages.hasCome(row)) come.push(row);
    else state.tellOnceCome(row, eventOf([row]), from);
  }
  if (come.length === 0) return NOTHING_VISIBLE;
  const concerned = new Set<Account>();
  for (const [a, b, ofPair] of byPair(state, come)) {
    const pair = partiesOf(a, b);
    state.tell(eventOf(ofPair), from, pair);
    for (const account of pair) concerned.add(account);
  }
  return { kind: "visible", event: eventOf(come), concerned };
}

function byPair(state: ChatState, rows: readonly Row[]): Iterable<[Account, Account, Row[]]> {
  const pairs = new Map<string, [Account, Account, Row[]]>();
  for (const row of rows) {
    const [a, b] = [state.sender(row), state.recipient(row)];
    const key = a.number < b.number ? `${a.number} ${b.number}` : `${b.number} ${a.number}`;
    const pair = pairs.get(key);
    if (pair === undefined) pairs.set(key, [a, b, [row]]);
    else pair[2].push(row);
  }
  return pairs.values();
}

/** True if it was not marked before, its message come or not. */
export function markRead(state: ChatState, row: Row): boolean {
  const { messages } = state;
  if (messages.isDeleted(row) || messages.isRead(row)) return false;
  if (messages.isPresent(row)) changeUnread(state.conversationOf(row), state.recipient(row), -1);
  state.changeMessage(row, () => messages.markRead(row));
  return true;
}

/** True if it was not marked before, its message come or not. */
export function markDeleted(state: ChatState, row: Row): boolean {
  const { messages } = state;
  if (messages.isDeleted(row)) return false;
  eraseMessage(state, row);
  messages.markDeleted(row);
  return true;
}

function eraseMessage(state: ChatState, row: Row): void {
  const { messages } = state;
  if (!messages.isPresent(row)) return;
  if (!messages.isRead(row)) changeUnread(state.conversationOf(row), state.recipient(row), -1);
  state.changeMessage(row, () => messages.erase(row));
  state.noteDeleted(row);
}

/** Before the row's stamp and recipient change. */
function takeOut(state: ChatState, row: Row): void {
  const { messages } = state;
  if (messages.isPresent(row) && !messages.isRead(row)) {
    changeUnread(state.conversationOf(row), state.recipient(row), -1);
  }
  state.unlistMessage(row);
}

function changeUnread(conversation: Conversation, recipient: Account, by: number): void {
  recipient.unread += by;
  conversation.changeUnread(recipient.number, by);
}

function partiesOf(a: Account, b: Account): Account[] {
  return a === b ? [a] : [a, b];
}
