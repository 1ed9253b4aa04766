import { type ChatMessage, LIST_ITEMS_MAX, type RequestPayload } from "../../codec/message.ts";
import type { Account } from "../core/account_table.ts";
import { isForgotten } from "../core/effects.ts";
import { messageIdOf } from "../core/message_id.ts";
import type { Row } from "../core/message_table.ts";
import { IDS_PER_OPERATION_MAX, type MessageId } from "../core/operation.ts";
import type { ChatState } from "../core/state.ts";
import { type CopiesOutcome, done, type Outcome, refuse, type RequestContext } from "./context.ts";
import { MessagePage } from "./message_page.ts";
import { usualName } from "./name.ts";

/** Longest content, in bytes of UTF-8. */
export const CONTENT_BYTES_MAX = 64 * 1024;
/** Longest key, in characters. */
export const KEY_CHARACTERS_MAX = 128;
/** What is taken here is stamped later, and must not be too late then, in ms. */
const FORGOTTEN_MARGIN_MS = 60 * 60 * 1000;

/** What deciding about messages needs: all but who is connected. */
export type MessageContext = Pick<RequestContext, "state" | "submit" | "newKey" | "stampMs">;

export function sendMessage(
  context: MessageContext,
  { to, content, key = context.newKey() }: RequestPayload<"send_message">,
  account: Account,
): Outcome {
  const { messages } = context.state;
  if (!isContent(content)) {
    return refuse("bad_content", `content has 1 byte to ${CONTENT_BYTES_MAX} bytes, and no NUL`);
  }
  if (!isKey(key)) {
    return refuse("bad_key", `a key has 1 to ${KEY_CHARACTERS_MAX} characters, such as a UUID`);
  }
  const id = messageIdOf(account.id, key);
  const known = messages.find(id);
  // The same request again, after a lost reply or on another node: the same message, also if it was
  // deleted meanwhile.
  if (known !== undefined && messages.hasCome(known)) {
    return { ...sent(id, messages.timeMsOf(known)), of: messages.provenanceOf(known) };
  }
  if (isForgotten(id, context.stampMs() + FORGOTTEN_MARGIN_MS)) {
    return refuse(
      "key_too_old",
      "the key tells that it is weeks old: send the message with a new one",
    );
  }
  const friend = findUser(context.state, to);
  if (friend === undefined) return noSuchUser(to);
  const { timeMs } = context.submit({
    kind: "message_sent",
    id,
    sender: context.state.accounts.nameOf(account),
    recipient: context.state.accounts.nameOf(friend),
    recipientAccount: friend.id,
    content,
  });
  return sent(id, timeMs);
}

export function readMessages(
  context: MessageContext,
  which: RequestPayload<"read_messages">,
  account: Account,
): Outcome {
  const { messages } = context.state;
  let rows: Row[];
  if (typeof which === "string") {
    const friend = findUser(context.state, which);
    if (friend === undefined) return noSuchUser(which);
    rows = unreadRows(context.state, account, friend);
  } else {
    rows = rowsOf(context.state, which, (row) => messages.recipientOf(row) === account.number);
    rows = rows.filter((row) => !messages.isRead(row));
  }
  for (const ids of inOperations(context.state, rows)) {
    context.submit({ kind: "messages_read", by: account.id, ids });
  }
  return done(rows.length);
}

export function deleteMessages(
  context: MessageContext,
  ids: readonly MessageId[],
  account: Account,
): Outcome {
  const { messages } = context.state;
  const rows = rowsOf(
    context.state,
    ids,
    (row) =>
      messages.senderOf(row) === account.number || messages.recipientOf(row) === account.number,
  );
  for (const some of inOperations(context.state, rows)) {
    context.submit({ kind: "messages_deleted", by: account.id, ids: some });
  }
  return done(rows.length);
}

export function listMessages(
  context: RequestContext,
  { with: name, before, after, limit = LIST_ITEMS_MAX }: RequestPayload<"list_messages">,
  account: Account,
): Outcome {
  if (before !== undefined && after !== undefined) {
    return refuse("bad_request", "give `before` or `after`, not both");
  }
  const friend = findUser(context.state, name);
  if (friend === undefined) return noSuchUser(name);
  // An empty `after` is the place before all messages.
  const isFromStart = after === "";
  const id = isFromStart ? undefined : before ?? after;
  const { messages } = context.state;
  const isOurs = (row: Row) => [account.number, friend.number].includes(messages.senderOf(row));
  const place = id === undefined ? undefined : findPlace(context.state, id, isOurs);
  if (id !== undefined && place === undefined) {
    const field = after === undefined ? "before" : "after";
    return refuse("no_such_message", `\`${field}\` is no message of this conversation`);
  }
  const conversation = context.state.conversation(account, friend);
  const rows = after === undefined
    ? conversation?.newestFirst(place)
    : conversation?.oldestFirst(place);
  const page = new MessagePage(limit);
  for (const row of rows ?? []) {
    if (!page.add(describeMessage(context.state, row))) break;
  }
  const listed = page.messages;
  return { kind: "messages", payload: after === undefined ? listed.toReversed() : listed };
}

/**
 * The row of message `id`, to go on from, if it `isOurs`: nobody learns anything of others' messages.
 * Those that are deleted keep their place.
 */
export function findPlace(
  { messages }: ChatState,
  id: MessageId,
  isOurs: (row: Row) => boolean,
): Row | undefined {
  const row = messages.find(id);
  if (row === undefined || !messages.hasCome(row)) return undefined;
  return isOurs(row) ? row : undefined;
}

/** A message as clients see it. */
export function describeMessage(state: ChatState, row: Row): ChatMessage {
  const { messages, accounts } = state;
  return {
    id: messages.idOf(row),
    sender: accounts.nameOf(state.sender(row)),
    recipient: accounts.nameOf(state.recipient(row)),
    content: messages.contentOf(row),
    time: messages.timeMsOf(row),
    status: messages.isRead(row) ? "read" : "unread",
  };
}

/** The account that a client means by a name. */
export function findUser(state: ChatState, text: string): Account | undefined {
  const name = usualName(text);
  return name === undefined ? undefined : state.accounts.named(name);
}

export function noSuchUser(name: string): Outcome {
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return refuse("no_such_user", `there is no user ${JSON.stringify(shown)}`);
}

function sent(id: MessageId, time: number): CopiesOutcome {
  return { withCopies: (copies) => ({ kind: "sent", payload: { id, time, copies } }) };
}

/** Whether a message may have this text, of which no character is halved. */
export function isContent(content: string): boolean {
  if (content.length === 0 || content.includes("\0")) return false;
  // A UTF-16 code unit takes at most 3 bytes of UTF-8: most need no closer look.
  return content.length * 3 <= CONTENT_BYTES_MAX || utf8Bytes(content) <= CONTENT_BYTES_MAX;
}

function isKey(key: string): boolean {
  if (key.length <= KEY_CHARACTERS_MAX) return key.length > 0;
  return key.length <= 2 * KEY_CHARACTERS_MAX && [...key].length <= KEY_CHARACTERS_MAX;
}

const encoder = new TextEncoder();

function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}

/** The messages of `ids` that are there and that `mayTouch` allows, each once. */
function rowsOf(
  state: ChatState,
  ids: readonly MessageId[],
  mayTouch: (row: Row) => boolean,
): Row[] {
  const rows = new Set<Row>();
  for (const id of ids) {
    const row = state.messages.find(id);
    if (row !== undefined && state.messages.isPresent(row) && mayTouch(row)) rows.add(row);
  }
  return [...rows];
}

/** What `account` has not read of what `friend` sent, oldest first. */
function unreadRows(state: ChatState, account: Account, friend: Account): Row[] {
  const conversation = state.conversation(account, friend);
  const rows: Row[] = [];
  let left = conversation?.unreadBy(account.number) ?? 0;
  for (const row of conversation?.newestFirst() ?? []) {
    if (left === 0) break;
    if (state.messages.recipientOf(row) !== account.number || state.messages.isRead(row)) continue;
    rows.push(row);
    left--;
  }
  return rows.reverse();
}

function* inOperations(state: ChatState, rows: readonly Row[]): Generator<MessageId[]> {
  for (let start = 0; start < rows.length; start += IDS_PER_OPERATION_MAX) {
    const some = rows.slice(start, start + IDS_PER_OPERATION_MAX);
    yield some.map((row) => state.messages.idOf(row));
  }
}
