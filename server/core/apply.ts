import type { Account } from "./account_table.ts";
import type { FeedEvent } from "./event_feed.ts";
import type { Row } from "./message_table.ts";
import {
  type AccountCreated,
  type AccountDeleted,
  compareProvenance,
  type MessageId,
  type MessagesDeleted,
  type MessageSent,
  type MessagesRead,
  type Operation,
  type PasswordChanged,
  type Provenance,
} from "./operation.ts";
import type { ChatState } from "./state.ts";

/** What an operation did, for those who tell others about it. */
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

const DUPLICATE: Change = { kind: "duplicate" };
const NOTHING_VISIBLE: Change = { kind: "nothing_visible" };

/**
 * The only code that changes state: live traffic, replay and catch-up share it. Total, and the same
 * whatever the order in which origins' operations come: each origin's own come in sequence.
 */
export function apply(state: ChatState, operation: Operation): Change {
  const expectedSeq = state.vector.seqOf(operation.origin) + 1;
  if (operation.seq < expectedSeq) return DUPLICATE;
  if (operation.seq > expectedSeq) return { kind: "gap", expectedSeq };
  state.vector.advance(operation.origin, operation.seq);
  const change = applyNext(state, operation);
  if ("event" in change) state.tell(change.event, operation, change.concerned);
  return change;
}

function applyNext(state: ChatState, operation: Operation): Change {
  switch (operation.kind) {
    case "message_sent":
      return applyMessageSent(state, operation);
    case "messages_read":
      return applyMessagesRead(state, operation);
    case "messages_deleted":
      return applyMessagesDeleted(state, operation);
    case "account_created":
      return applyAccountCreated(state, operation);
    case "password_changed":
      return applyPasswordChanged(state, operation);
    case "account_deleted":
      return applyAccountDeleted(state, operation);
    case "unknown":
      return NOTHING_VISIBLE;
    default:
      return operation satisfies never;
  }
}

function applyMessageSent(state: ChatState, operation: MessageSent & Provenance): Change {
  const { messages, accounts } = state;
  const lengthBefore = messages.length;
  const row = messages.findOrAdd(operation.id);
  if (row === undefined) return NOTHING_VISIBLE;
  const known = messages.length === lengthBefore;
  // Origins interleave freely, so a delete may have overtaken its message.
  if (messages.isDeleted(row)) {
    if (!messages.hasProvenance(row)) messages.setProvenance(row, operation);
    return NOTHING_VISIBLE;
  }
  // Two with one identity are one message: the earlier stamp's.
  const repeated = messages.isPresent(row);
  if (repeated) {
    if (compareProvenance(messages.provenanceOf(row), operation) <= 0) return NOTHING_VISIBLE;
    takeOutOfConversation(state, row);
  }
  const recipient = accounts.get(operation.recipientAccount);
  state.changeMessage(row, known, () => messages.put(row, operation, recipient.number));
  putIntoConversation(state, row);
  const sender = state.sender(row);
  if (sender.deleted || recipient.deleted) {
    deleteRow(state, row);
    return NOTHING_VISIBLE;
  }
  return { kind: "visible", event: { kind: "message", row }, concerned: concernedBy(state, [row]) };
}

function applyMessagesRead(state: ChatState, { by, ids }: MessagesRead): Change {
  const rows = rowsOf(state, ids, (row) => markRead(state, row));
  if (rows.length === 0) return NOTHING_VISIBLE;
  const reader = state.accounts.get(by).number;
  const concerned = concernedBy(state, rows);
  return { kind: "visible", event: { kind: "read", reader, rows }, concerned };
}

function applyMessagesDeleted(state: ChatState, { ids }: MessagesDeleted): Change {
  const concerned = new Set<Account>();
  const rows = rowsOf(state, ids, (row) => {
    if (!state.messages.isPresent(row)) return deleteRow(state, row);
    concerned.add(state.sender(row)).add(state.recipient(row));
    return deleteRow(state, row);
  });
  if (rows.length === 0) return NOTHING_VISIBLE;
  return { kind: "visible", event: { kind: "deleted", rows }, concerned };
}

function applyAccountCreated(state: ChatState, operation: AccountCreated & Provenance): Change {
  const account = state.accounts.get(operation.account);
  state.changeAccount(account, () => state.accounts.create(operation));
  return { kind: "account_created", account };
}

function applyPasswordChanged(state: ChatState, operation: PasswordChanged & Provenance): Change {
  const account = state.accounts.get(operation.account);
  state.changeAccount(account, () => state.accounts.changePassword(operation));
  return { kind: "password_changed", account };
}

/** Its messages go too, both ways; those that come later are dropped as they come. */
function applyAccountDeleted(state: ChatState, operation: AccountDeleted): Change {
  const account = state.accounts.get(operation.account);
  const isNew = state.changeAccount(account, () => state.accounts.delete(account));
  if (!isNew) return NOTHING_VISIBLE;
  const concerned = new Set<Account>([account]);
  const rows: Row[] = [];
  for (const [friend, conversation] of account.conversations) {
    concerned.add(state.accounts.at(friend));
    for (const row of [...conversation.newestFirst()]) if (deleteRow(state, row)) rows.push(row);
  }
  return { kind: "account_deleted", account, event: { kind: "deleted", rows }, concerned };
}

/** The rows that `change` said yes to, of those whose ids are any. */
function rowsOf(
  state: ChatState,
  ids: readonly MessageId[],
  change: (row: Row) => boolean,
): Row[] {
  const rows: Row[] = [];
  for (const id of ids) {
    const lengthBefore = state.messages.length;
    const row = state.messages.findOrAdd(id);
    if (row === undefined) continue;
    // Every row is in the digest from its first mention, so a new one enters before it is changed.
    if (state.messages.length > lengthBefore) state.changeMessage(row, false, () => {});
    if (change(row)) rows.push(row);
  }
  return rows;
}

function markRead(state: ChatState, row: Row): boolean {
  const { messages } = state;
  if (messages.isDeleted(row) || messages.isRead(row)) return false;
  state.changeMessage(row, true, () => messages.markRead(row));
  // Before its message: kept until it comes, when it will count as read at once.
  if (!messages.isPresent(row)) return false;
  changeUnread(state, row, -1);
  return true;
}

function deleteRow(state: ChatState, row: Row): boolean {
  const { messages } = state;
  if (messages.isDeleted(row)) return false;
  const present = messages.isPresent(row);
  if (present && !messages.isRead(row)) changeUnread(state, row, -1);
  state.changeMessage(row, true, () => messages.markDeleted(row));
  if (present) state.conversationOf(row).noteDeleted();
  return present;
}

function putIntoConversation(state: ChatState, row: Row): void {
  state.conversationOf(row).add(row);
  if (!state.messages.isRead(row)) changeUnread(state, row, 1);
}

function takeOutOfConversation(state: ChatState, row: Row): void {
  state.conversationOf(row).remove(row);
  if (!state.messages.isRead(row)) changeUnread(state, row, -1);
}

function changeUnread(state: ChatState, row: Row, by: number): void {
  const recipient = state.recipient(row);
  recipient.unread += by;
  state.conversationOf(row).changeUnread(recipient.number, by);
}

function concernedBy(state: ChatState, rows: readonly Row[]): Set<Account> {
  const concerned = new Set<Account>();
  for (const row of rows) concerned.add(state.sender(row)).add(state.recipient(row));
  return concerned;
}
