import type { ChatMessage } from "../../codec/message.ts";
import { type Editor, EMPTY_EDITOR } from "./editor.ts";

/** A message, and on how many nodes it was durable when it was sent, if it was sent from here. */
export interface Shown extends ChatMessage {
  readonly copies?: number;
}

/** What was sent from here and is not stored as far as is known. */
export interface Pending {
  /** 1, 2, 3… in the order of sending. */
  readonly number: number;
  readonly content: string;
  /** ms since 1970. */
  readonly time: number;
  /** Why it was refused. */
  readonly failure?: string;
  /** The message that this became, when its event came before the answer. */
  readonly twin?: string;
}

/** Messages that follow each other without a gap. */
export interface Stretch {
  readonly messages: readonly Shown[];
  /** Whether it begins with the conversation's first message. */
  readonly hasOldest: boolean;
  /** Whether it ends with the conversation's last message. */
  readonly hasNewest: boolean;
}

/** The row at the bottom of what is seen: one of a message, with `hidden` more rows of it below. */
export interface Anchor {
  /** A message's id, or the key of a pending one. */
  readonly key: string;
  readonly hidden: number;
}

/** Where the line stands that parts what was unread when the conversation was opened. */
export interface UnreadLine {
  /** The first message below it. */
  readonly id: string | undefined;
  /** How many unread messages stand above it, not loaded yet. */
  readonly missing: number;
}

/** One conversation as this client knows it. */
export interface Conversation {
  readonly name: string;
  readonly isOnline: boolean;
  /** Messages to oneself that are not read. */
  readonly unread: number;
  /** Of the newest message, ms since 1970. */
  readonly time: number;
  /** What is loaded of it. */
  readonly stretch: Stretch | undefined;
  /** The load that is under way. */
  readonly load: number | undefined;
  readonly pending: readonly Pending[];
  readonly unreadLine: UnreadLine | undefined;
  /** Undefined: the newest is seen, also when more comes. */
  readonly anchor: Anchor | undefined;
  /** Messages that came while older ones were looked at. */
  readonly newer: number;
  /** The message that was jumped to. */
  readonly marked: string | undefined;
  readonly draft: Editor;
}

/** Which messages of a conversation to load. */
export type Position =
  | { readonly at: "newest" }
  | { readonly at: "oldest" }
  | { readonly at: "before"; readonly id: string }
  | { readonly at: "after"; readonly id: string }
  /** This message, and those on both sides of it. */
  | { readonly at: "around"; readonly message: ChatMessage };

/** Loaded messages that are kept: beyond, those at the other end are let go. */
export const KEPT_MAX = 5_000;
/** Of a conversation that is not open. */
const KEPT_CLOSED_MAX = 200;

export function newConversation(name: string, time: number): Conversation {
  return {
    name,
    isOnline: false,
    unread: 0,
    time,
    stretch: undefined,
    load: undefined,
    pending: [],
    unreadLine: undefined,
    anchor: undefined,
    newer: 0,
    marked: undefined,
    draft: EMPTY_EDITOR,
  };
}

/** Whom `me` talks with in a message; oneself, in what one wrote to oneself. */
export function partnerOf({ sender, recipient }: ChatMessage, me: string): string {
  return sender === me ? recipient : sender;
}

/** Whether a message is to `me`, and not read. */
export function isUnreadBy({ recipient, status }: ChatMessage, me: string): boolean {
  return status === "unread" && recipient === me;
}

/** Whether the newest message is what is seen while the conversation is open. */
export function isAtEnd({ stretch, anchor }: Conversation): boolean {
  return stretch?.hasNewest === true && anchor === undefined;
}

/** A stretch to go on from; undefined if nothing is left of one that has not all. */
export function orUnknown(stretch: Stretch): Stretch | undefined {
  const { messages, hasOldest, hasNewest } = stretch;
  return messages.length > 0 || (hasOldest && hasNewest) ? stretch : undefined;
}

/** Adds a message, or what is newly known of one, at its place in time. */
export function withMessage(stretch: Stretch, message: Shown): Stretch {
  const { messages } = stretch;
  const known = messages.findLastIndex(({ id }) => id === message.id);
  if (known >= 0) {
    const old = messages[known];
    return { ...stretch, messages: messages.with(known, { ...message, ...knownOf(old, message) }) };
  }
  let place = messages.length;
  while (place > 0 && (messages[place - 1]?.time ?? 0) > message.time) place--;
  // What is older, or newer, than all that is loaded stands where more is to be loaded.
  if (place === 0 && !stretch.hasOldest && messages.length > 0) return stretch;
  if (place === messages.length && !stretch.hasNewest) return stretch;
  return { ...stretch, messages: messages.toSpliced(place, 0, message) };
}

/** What is never unlearned of a message. */
function knownOf(old: Shown | undefined, { copies }: Shown): Partial<Shown> {
  return {
    ...(old?.status === "read" && { status: "read" }),
    ...(copies === undefined && old?.copies !== undefined && { copies: old.copies }),
  };
}

/** Adds a page of older messages. */
export function withOlder(stretch: Stretch, page: readonly Shown[]): Stretch {
  const messages = [...without(page, stretch.messages), ...stretch.messages];
  if (messages.length <= KEPT_MAX) return { ...stretch, messages };
  return { ...stretch, messages: messages.slice(0, KEPT_MAX), hasNewest: false };
}

/** Adds a page of newer messages. */
export function withNewer(stretch: Stretch, page: readonly Shown[]): Stretch {
  const messages = [...stretch.messages, ...without(page, stretch.messages)];
  if (messages.length <= KEPT_MAX) return { ...stretch, messages };
  return { ...stretch, messages: messages.slice(-KEPT_MAX), hasOldest: false };
}

/**
 * Lets go of what is beyond the limit as more comes: the oldest, or, while something older is looked
 * at, the newest.
 */
export function withinLimit(
  stretch: Stretch,
  { isOpen, anchor }: { readonly isOpen: boolean; readonly anchor: Anchor | undefined },
): Stretch {
  const max = isOpen ? KEPT_MAX : KEPT_CLOSED_MAX;
  const { messages } = stretch;
  if (messages.length <= max) return stretch;
  return anchor === undefined
    ? { ...stretch, messages: messages.slice(-max), hasOldest: false }
    : { ...stretch, messages: messages.slice(0, max), hasNewest: false };
}

/** What of a page is not loaded already: mostly all of it. */
function without(page: readonly Shown[], messages: readonly Shown[]): readonly Shown[] {
  const ids = new Set(page.map(({ id }) => id));
  const known = new Set<string>();
  for (const { id } of messages) if (ids.has(id)) known.add(id);
  return known.size === 0 ? page : page.filter(({ id }) => !known.has(id));
}

export function withoutIds(stretch: Stretch, ids: ReadonlySet<string>): Stretch {
  const messages = stretch.messages.filter(({ id }) => !ids.has(id));
  return messages.length === stretch.messages.length ? stretch : { ...stretch, messages };
}

export function withRead(stretch: Stretch, ids: ReadonlySet<string>): Stretch {
  if (!stretch.messages.some(({ id, status }) => status === "unread" && ids.has(id))) {
    return stretch;
  }
  const messages = stretch.messages.map((message): Shown =>
    message.status === "unread" && ids.has(message.id) ? { ...message, status: "read" } : message
  );
  return { ...stretch, messages };
}

/** The event of what was sent from here may come before the answer: it must not stand there twice. */
export function withTwin(
  conversation: Conversation,
  { id, content }: Pick<Shown, "id" | "content">,
): Conversation {
  const { pending } = conversation;
  const twin = pending.findIndex((one) =>
    one.twin === undefined && one.failure === undefined && one.content === content
  );
  const one = pending[twin];
  if (one === undefined) return conversation;
  return { ...conversation, pending: pending.with(twin, { ...one, twin: id }) };
}

/** After an answer: what stands for `answered`, if that is `id`, stands for nothing else. */
export function withTwinsAfter(
  conversation: Conversation,
  { twin, content }: Pending,
  id: string | undefined,
): Conversation {
  const pending = conversation.pending.map((one) => one.twin === id ? withoutTwin(one) : one);
  const after = { ...conversation, pending };
  return twin === undefined || twin === id ? after : withTwin(after, { id: twin, content });
}

export function withoutTwin({ twin: _twin, ...pending }: Pending): Pending {
  return pending;
}

/** What is kept of a conversation that is left. */
export function whenLeft(conversation: Conversation, draft: Editor): Conversation {
  const { stretch } = conversation;
  return {
    ...conversation,
    draft,
    stretch: stretch?.hasNewest
      ? withinLimit(stretch, { isOpen: false, anchor: undefined })
      : undefined,
    load: undefined,
    unreadLine: undefined,
    anchor: undefined,
    newer: 0,
    marked: undefined,
  };
}

/**
 * Where the line goes when `unread` messages from a friend were unread as `page` came, or were said
 * to be unread above it.
 */
export function unreadLineOver(
  page: readonly Shown[],
  friend: string,
  { id, missing }: UnreadLine,
): UnreadLine | undefined {
  let line = id;
  let left = missing;
  for (const message of page.toReversed()) {
    if (left === 0) break;
    if (message.sender !== friend) continue;
    line = message.id;
    left--;
  }
  return line === undefined && left === 0 ? undefined : { id: line, missing: left };
}
