import { CodecError } from "./error.ts";
import { type Frame, writeFrame } from "./frame.ts";
import {
  anyForm,
  dict,
  dictOf,
  either,
  flag,
  form,
  type Infer,
  int,
  list,
  nothing,
  optional,
  pair,
  type Shape,
  str,
  word,
} from "./shape.ts";
import { ValueReader, ValueWriter } from "./value.ts";

/** Payload limit before sign-in, in bytes. */
export const PAYLOAD_BYTES_MAX_ANONYMOUS = 4 * 1024;
/** Payload limit once signed in, and of all that a server sends, in bytes. */
export const PAYLOAD_BYTES_MAX = 1024 * 1024;
/** Elements of a list that a reply holds at most; the client asks on from the last. */
export const LIST_ITEMS_MAX = 1000;

/** The lowest number that an event may have. */
const EVENT_TYPE_MIN = 200;

/** The codes of ERROR replies. A client must expect others, from newer servers. */
export type RefusalCode =
  | "account_disabled"
  | "already_signed_in"
  | "bad_content"
  | "bad_cursor"
  | "bad_invitation"
  | "bad_key"
  | "key_too_old"
  | "bad_name"
  | "bad_password"
  | "bad_payload"
  | "bad_query"
  | "bad_request"
  | "bad_value"
  | "busy"
  | "choose_password"
  | "frame_too_large"
  | "frame_truncated"
  | "invitation_needed"
  | "name_taken"
  | "no_such_message"
  | "no_such_user"
  | "not_signed_in"
  | "registration_closed"
  | "slow_down"
  | "too_many_attempts"
  | "too_many_connections"
  | "unknown_type"
  | "wrong_password";

/** A message, as MESSAGES lists it. */
const chatMessage = {
  id: str,
  sender: str,
  recipient: str,
  content: str,
  /** ms since 1970. */
  time: int,
  status: word("unread", "read"),
} as const;

/** `cursor` after SUBSCRIBE, `token` after CHANGE_PASSWORD. */
const done = dict({ count: int, copies: int, cursor: optional(str), token: optional(str) });

/** What a node knows of another one. */
const peerStatus = {
  name: str,
  /** `catching_up` while it is being sent what it missed. */
  state: word("connected", "catching_up", "unreachable"),
  /** Why it is unreachable. */
  why: optional(str),
  version: optional(str),
  /** Operations that it has and this node lacks, and the other way round, as far as is known. */
  behind: int,
  ahead: int,
  /** How far its clock is ahead of this node's, in ms. */
  skewMs: optional(int),
  /** To it and back, in microseconds. */
  roundTripUs: optional(int),
} as const;

/** Every request: its number on the wire and its payload. Below 100. */
export const requests = {
  login_name: { type: 1, payload: str },
  /** Creates the account if the name was free. */
  login_password: { type: 2, payload: str },
  send_message: {
    type: 3,
    payload: anyForm(
      dict({ to: str, content: str, key: optional(str) }),
      form(pair(str, str), ([to, content]) => ({ to, content })),
    ),
  },
  /** A friend's name: all of theirs to me. Or ids. */
  read_messages: { type: 4, payload: either(str, list(str), isString) },
  /**
   * The newest with a friend, before message id `before`. Or the oldest after message id `after`, an
   * empty one for the very beginning.
   */
  list_messages: {
    type: 5,
    payload: anyForm(
      dict({ with: str, before: optional(str), limit: optional(int), after: optional(str) }),
      form(str, (name) => ({ with: name })),
    ),
  },
  list_users: {
    type: 6,
    payload: anyForm(
      dict({ pattern: optional(str), after: optional(str), limit: optional(int) }),
      form(str, (pattern) => ({ pattern })),
      form(nothing, () => ({})),
    ),
  },
  delete_messages: { type: 7, payload: list(str) },
  delete_account: { type: 8, payload: nothing },
  logout: { type: 9, payload: nothing },
  /** Old, new. */
  change_password: { type: 10, payload: pair(str, str) },
  /** With `since`: first what was missed since that cursor. */
  subscribe: {
    type: 11,
    payload: anyForm(dict({ since: optional(str) }), form(nothing, () => ({}))),
  },
  ping: { type: 12, payload: nothing },
  status: { type: 13, payload: nothing },
  /** User name, token. */
  resume: { type: 14, payload: pair(str, str) },
  /** The newest of one's own messages, before message id `before`, that have every word of `text`. */
  search_messages: {
    type: 15,
    payload: dict({
      text: str,
      with: optional(str),
      before: optional(str),
      limit: optional(int),
    }),
  },
  list_conversations: {
    type: 16,
    payload: anyForm(dict({ limit: optional(int) }), form(nothing, () => ({}))),
  },
  /** Signs in with a new password: by the operator's one-time token, or up by an invitation. */
  redeem: { type: 17, payload: dict({ user: str, token: str, password: str }) },
} as const;

/** Every reply: 100–199. A request gets exactly one, in the order of the requests. */
export const replies = {
  error: { type: 100, payload: refusalText() },
  user_existing: { type: 101, payload: nothing },
  user_not_existing: { type: 102, payload: nothing },
  /** `copies` if a password was stored by this, `time` on the node, ms since 1970. */
  login_success: {
    type: 103,
    payload: dict({
      user: str,
      node: str,
      unread: int,
      token: str,
      time: optional(int),
      copies: optional(int),
    }),
  },
  login_failed: { type: 104, payload: nothing },
  messages: { type: 105, payload: list(dict(chatMessage)) },
  users: { type: 106, payload: list(dict({ name: str, unread: int, online: flag })) },
  sent: { type: 107, payload: dict({ id: str, time: int, copies: int }) },
  done: { type: 108, payload: done },
  pong: { type: 109, payload: nothing },
  status: {
    type: 110,
    payload: dict({
      node: str,
      version: str,
      /** The node's name and its epoch: who its own operations are from. */
      origin: str,
      uptimeMs: int,
      connections: int,
      usersOnline: int,
      accounts: int,
      messages: int,
      journalBytes: int,
      /** Per origin, how many of its operations this node has. */
      vector: dictOf(int),
      /** Equal on nodes whose vectors are equal. */
      digest: str,
      /** On how many nodes an operation is to be durable before it is acknowledged. */
      copies: int,
      /** The other nodes of its configuration. */
      peers: list(dict(peerStatus)),
      /** What an operator should look at. */
      warnings: list(str),
    }),
  },
  /** Newest first. `next`, if there may be more, is the `before` to go on with. */
  found: { type: 111, payload: dict({ messages: list(dict(chatMessage)), next: optional(str) }) },
  /** Whom one has messages with; `time` is that of the newest one, in ms since 1970. */
  conversations: {
    type: 112,
    payload: list(dict({ name: str, unread: int, online: flag, time: int })),
  },
} as const;

/** Every event: 200 and up, only after SUBSCRIBE, each with the cursor to go on from. */
export const events = {
  message: { type: 200, payload: dict({ ...chatMessage, cursor: str }) },
  read: { type: 201, payload: dict({ reader: str, ids: list(str), cursor: str }) },
  deleted: { type: 202, payload: dict({ ids: list(str), cursor: str }) },
  presence: { type: 203, payload: dict({ name: str, online: flag, cursor: str }) },
  /** The name was claimed earlier on another node: this account goes by an alias from now on. */
  renamed: { type: 204, payload: dict({ from: str, to: str, cursor: str }) },
} as const;

interface MessageTable {
  readonly [kind: string]: { readonly type: number; readonly payload: unknown };
}

/** `{ kind, payload }` for each row of a table. */
type Tagged<T extends MessageTable> = {
  [K in keyof T & string]: { readonly kind: K; readonly payload: Infer<T[K]["payload"]> };
}[keyof T & string];

export type RequestKind = keyof typeof requests;
export type RequestPayload<K extends RequestKind> = Infer<(typeof requests)[K]["payload"]>;
export type Request = Tagged<typeof requests>;

export type ReplyKind = keyof typeof replies;
export type ReplyPayload<K extends ReplyKind> = Infer<(typeof replies)[K]["payload"]>;
export type Reply = Tagged<typeof replies>;

export type EventKind = keyof typeof events;
export type EventPayload<K extends EventKind> = Infer<(typeof events)[K]["payload"]>;
export type Event = Tagged<typeof events>;

export type ChatMessage = ReplyPayload<"messages">[number];
export type ChatUser = ReplyPayload<"users">[number];
export type FoundMessages = ReplyPayload<"found">;
export type ChatConversation = ReplyPayload<"conversations">[number];
export type NodeStatus = ReplyPayload<"status">;
export type PeerStatus = NodeStatus["peers"][number];

/** Decodes a client's frame. Throws {@linkcode CodecError} `unknown_type` or what is wrong in it. */
export function readRequest(frame: Frame): Request {
  return readMessage(requestsByType, frame, "request") as Request;
}

/**
 * Decodes a server's frame: a reply, an event, or undefined for an event that only newer servers
 * have, which is to be passed over. Throws {@linkcode CodecError}.
 */
export function readServerMessage(frame: Frame): Reply | Event | undefined {
  if (frame.type >= EVENT_TYPE_MIN && !serverMessagesByType.has(frame.type)) return undefined;
  return readMessage(serverMessagesByType, frame, "reply") as Reply | Event;
}

export function isEvent(message: Reply | Event): message is Event {
  return Object.hasOwn(events, message.kind);
}

/** Appends the frame of a request. Throws {@linkcode CodecError} on what cannot be encoded. */
export function writeRequest(writer: ValueWriter, request: Request): void {
  writeMessage(writer, requests[request.kind], request.payload);
}

/** Appends the frame of a reply. */
export function writeReply(writer: ValueWriter, reply: Reply): void {
  writeMessage(writer, replies[reply.kind], reply.payload);
}

/** Appends the frame of an event. */
export function writeEvent(writer: ValueWriter, event: Event): void {
  writeMessage(writer, events[event.kind], event.payload);
}

/** What frames are made in: of each, only what it comes to is allocated. */
const scratch = new ValueWriter();

/** One frame on its own, for those who do not batch. */
export function encodeMessage<M>(
  write: (writer: ValueWriter, message: M) => void,
  message: M,
): Uint8Array<ArrayBuffer> {
  scratch.truncate();
  write(scratch, message);
  return scratch.written.slice();
}

/** `code: sentence`, such as `not_signed_in: sign in first`. */
function refusalText(): Shape<{ readonly code: string; readonly sentence: string }> {
  return {
    ...str,
    read(reader) {
      const text = str.read(reader);
      const colon = text.indexOf(": ");
      if (colon < 0) return { code: "error", sentence: text };
      return { code: text.slice(0, colon), sentence: text.slice(colon + 2) };
    },
    write: (writer, { code, sentence }) => str.write(writer, `${code}: ${sentence}`),
  };
}

interface MessageRow {
  readonly kind: string;
  readonly payload: Shape<unknown>;
}

const requestsByType = byType(requests);
const serverMessagesByType = new Map([...byType(replies), ...byType(events)]);

function byType(table: MessageTable): Map<number, MessageRow> {
  return new Map(
    Object.entries(table).map(([kind, row]) => [
      row.type,
      { kind, payload: row.payload as Shape<unknown> },
    ]),
  );
}

function readMessage(
  table: ReadonlyMap<number, MessageRow>,
  frame: Frame,
  what: string,
): { kind: string; payload: unknown } {
  const row = table.get(frame.type);
  if (row === undefined) {
    throw new CodecError("unknown_type", `Cannot understand type ${frame.type}: no ${what} has it`);
  }
  const reader = new ValueReader(frame.payload);
  const payload = row.payload.read(reader);
  reader.end();
  return { kind: row.kind, payload };
}

function writeMessage(
  writer: ValueWriter,
  row: { readonly type: number; readonly payload: unknown },
  payload: unknown,
): void {
  const shape = row.payload as Shape<unknown>;
  writeFrame(writer, row.type, () => shape.write(writer, payload));
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}
