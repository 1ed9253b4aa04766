import type { Account } from "./account_table.ts";
import { type Change, markDeleted, markRead, NOTHING_VISIBLE, takeEffect } from "./effects.ts";
import type { FeedEvent } from "./event_feed.ts";
import type { Row } from "./message_table.ts";
import type { ChatState } from "./state.ts";
import type { AccountState, DeletedState, MessageState, StateRecord } from "./state_record.ts";
import { VersionVector } from "./version_vector.ts";

/**
 * Merges a part of another state, and never replaces by it: what this one knows besides stays. A record
 * has the same effects as the operations that it stands for, but its events come in another order.
 */
export function merge(state: ChatState, record: StateRecord): Change {
  const events = state.feed.length;
  const change = mergeRecord(state, record);
  if (state.feed.length > events) state.lastMerged = state.feed.length - 1;
  return change;
}

function mergeRecord(state: ChatState, record: StateRecord): Change {
  switch (record.kind) {
    case "account_state":
      return mergeAccount(state, record);
    case "message_state":
      return mergeMessage(state, record);
    case "deleted_state":
      return mergeDeleted(state, record);
    case "loose_operation":
      return takeEffect(state, record.operation);
    case "checkpoint":
      state.history.add(record.timeMs, VersionVector.of(record.vector));
      return NOTHING_VISIBLE;
    case "coverage":
      state.vector.include(VersionVector.of(record.vector));
      return NOTHING_VISIBLE;
    default:
      return record satisfies never;
  }
}

function mergeAccount(
  state: ChatState,
  { account: id, claim, password, deletion }: AccountState,
): Change {
  const account = state.accounts.get(id);
  let change: Change = NOTHING_VISIBLE;
  state.changeAccount(account, () => {
    if (claim !== undefined) {
      const { name, generation, at } = claim;
      const known = account.claim;
      state.accounts.claim(account, { name, generation, at });
      // Whoever loses the name by it has to be told.
      if (account.claim !== known) change = { kind: "account_created", account };
    }
    const isNew = password !== undefined && state.accounts.setPassword(account, password);
    if (isNew && change === NOTHING_VISIBLE) change = { kind: "password_changed", account };
  });
  if (deletion === undefined) return change;
  const gone = takeEffect(state, { kind: "account_deleted", account: id, ...deletion });
  return gone === NOTHING_VISIBLE ? change : gone;
}

function mergeMessage(state: ChatState, record: MessageState): Change {
  // What has come here and is not there any more was deleted, and is forgotten.
  if (state.vector.covers(record.at) && state.messages.find(record.id) === undefined) {
    return NOTHING_VISIBLE;
  }
  const { id, sender, recipient, recipientAccount, content, at, read } = record;
  const sent = takeEffect(state, {
    kind: "message_sent",
    id,
    sender,
    recipient,
    recipientAccount,
    content,
    ...at,
  });
  const row = read === undefined ? undefined : state.messages.find(id);
  if (read === undefined || row === undefined || !markRead(state, row)) return sent;
  const to = state.recipient(row);
  const event: FeedEvent = { kind: "read", reader: to.number, rows: [row] };
  const concerned = new Set([state.sender(row), to]);
  state.tell(event, read, concerned);
  // One change tells sessions to look, and they find both.
  return sent.kind === "visible" ? sent : { kind: "visible", event, concerned };
}

function mergeDeleted(state: ChatState, { by, sentMs, recipients, deleted }: DeletedState): Change {
  const accounts = recipients.map((id) => state.accounts.get(id));
  const concerned = new Set<Account>();
  const rows: Row[] = [];
  for (const { id, recipient, seq } of deleted) {
    const row = state.messages.findOrAdd(id);
    const to = accounts[recipient];
    if (row === undefined || to === undefined) continue;
    const isNew = markDeleted(state, row);
    const hasCome = state.messages.hasCome(row);
    if (!hasCome) bury(state, row, to, { sentMs, origin: by, seq });
    if (!isNew && hasCome) continue;
    const parties = new Set([state.sender(row), state.recipient(row)]);
    if (!hasCome) state.tellEarly(row, [...parties]);
    if (isNew) state.tell({ kind: "deleted", rows: [row] }, { origin: by, seq }, parties);
    for (const account of parties) concerned.add(account);
    rows.push(row);
  }
  if (rows.length === 0) return NOTHING_VISIBLE;
  return { kind: "visible", event: { kind: "deleted", rows }, concerned };
}

/** Of a message that was deleted elsewhere, only whose it was is known, and about when it was sent. */
function bury(
  { messages }: ChatState,
  row: Row,
  recipient: Account,
  { sentMs, origin, seq }: { sentMs: number; origin: string; seq: number },
): void {
  const stub = {
    kind: "message_sent" as const,
    id: messages.idOf(row),
    sender: "",
    recipient: "",
    recipientAccount: recipient.id,
    content: "",
    timeMs: sentMs,
    tick: 0,
    origin,
    seq,
  };
  messages.put(row, stub, recipient.number);
}
