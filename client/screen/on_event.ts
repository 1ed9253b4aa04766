import type { ChatMessage, EventPayload } from "../../codec/message.ts";
import type { ClientEvent } from "../connection.ts";
import { renamedText } from "../text/wording.ts";
import { andThen, type Change, changed } from "./change.ts";
import {
  type Conversation,
  isUnreadBy,
  orUnknown,
  partnerOf,
  type Shown,
  withinLimit,
  withMessage,
  withoutIds,
  withRead,
  withTwin,
} from "./conversation.ts";
import { listConversations, loadAhead, readOpen } from "./load.ts";
import {
  changeConversation,
  conversationWith,
  keepMeanwhile,
  type Model,
  outdateListing,
  type Panel,
  seenToEnd,
  withConversation,
} from "./model.ts";
import { reanchored } from "./scroll.ts";

/** What a server tells. `me` is who is signed in. */
export function onEvent(model: Model, me: string, event: ClientEvent): Change {
  switch (event.kind) {
    case "message":
      return onMessage(model, me, event.payload, event.late);
    case "read":
      return onRead(model, me, event.payload);
    case "deleted":
      return onDeleted(model, new Set(event.payload.ids));
    case "presence":
      return onPresence(model, event.payload);
    case "renamed":
      return onRenamed(model, event.payload);
    default:
      return event satisfies never;
  }
}

function onMessage(model: Model, me: string, told: ChatMessage, isLate: boolean): Change {
  // Without what an event has besides.
  const { id, sender, recipient, content, time, status } = told;
  const message: Shown = { id, sender, recipient, content, time, status };
  const name = partnerOf(message, me);
  const known = conversationWith(model, name);
  const isOpen = model.open === name;
  const after = withConversation(
    outdateListing(keepMeanwhile(model, { arrived: [message] })),
    name,
    time,
    (one) => withArrived({ ...one, time: Math.max(one.time, time) }, message, me, isOpen),
  );
  // Whether somebody new is there, nobody has told.
  if (known === undefined) return tellOf(listConversations(after), message, me, isLate);
  if (!isNewsTo(known, message, me)) return changed(after);
  if (seenToEnd(after)?.name === name) return readOpen(after);
  // Unless it is the newest, the list that was there before may have counted it.
  const counted = time <= (known?.time ?? 0) ? listConversations(after) : changed(after);
  return isOpen && model.panel === undefined ? counted : tellOf(counted, message, me, isLate);
}

/** Tells the person of a message that is not seen, if it is news. */
function tellOf(change: Change, message: Shown, me: string, isLate: boolean): Change {
  const { sender, content } = message;
  if (isLate || sender === me || !isUnreadBy(message, me)) return change;
  return andThen(change, (last) => changed(last, { kind: "notify", from: sender, text: content }));
}

/** Whether `me` has not read a message, as far as is known here. */
function isNewsTo(conversation: Conversation | undefined, message: Shown, me: string): boolean {
  const known = conversation?.stretch?.messages.find(({ id }) => id === message.id);
  return isUnreadBy(message, me) && known?.status !== "read";
}

function withArrived(
  conversation: Conversation,
  message: Shown,
  me: string,
  isOpen: boolean,
): Conversation {
  const { stretch, unreadLine, anchor } = conversation;
  const isNews = isNewsTo(conversation, message, me);
  const after = {
    ...conversation,
    stretch: stretch && withinLimit(withMessage(stretch, message), { isOpen, anchor }),
    unread: conversation.unread + (isNews ? 1 : 0),
  };
  if (message.sender === me) return withTwin(after, message);
  const isLooked = anchor !== undefined || stretch?.hasNewest === false;
  return {
    ...after,
    newer: after.newer + (isLooked ? 1 : 0),
    unreadLine: unreadLine ?? (isLooked && isNews ? { id: message.id, missing: 0 } : undefined),
  };
}

function onRead(model: Model, me: string, { reader, ids }: EventPayload<"read">): Change {
  const read = new Set(ids);
  const unknown = new Set(reader === me ? ids : []);
  const conversations = model.conversations.map((conversation): Conversation => {
    const { stretch, unread } = conversation;
    if (stretch === undefined) return conversation;
    // What a page had as read may have been counted before.
    const isSettled = ({ status }: Shown) => status === "read" && unread === 0;
    for (const message of stretch.messages) if (isSettled(message)) unknown.delete(message.id);
    return { ...conversation, stretch: withRead(stretch, read) };
  });
  const after = keepMeanwhile({ ...model, conversations }, { read });
  // How many are unread now, only the server can say: its list may know of this reading, or not.
  return unknown.size > 0 ? listConversations(after) : changed(after);
}

function onDeleted(model: Model, deleted: ReadonlySet<string>): Change {
  const conversations = model.conversations.map((conversation): Conversation => {
    const { stretch } = conversation;
    if (!stretch?.messages.some(({ id }) => deleted.has(id))) return conversation;
    const after = {
      ...conversation,
      stretch: orUnknown(withoutIds(stretch, deleted)),
      unreadLine: movedLine(conversation, deleted),
    };
    return { ...after, anchor: reanchored(conversation, after) };
  });
  const isGone = model.chosen !== undefined && deleted.has(model.chosen);
  const after = keepMeanwhile(
    { ...model, conversations, ...(isGone && { chosen: undefined }) },
    { deleted },
  );
  // Whether they were unread, and which message is the last one now, only the server can say.
  return andThen(
    listConversations({ ...after, panel: withoutFound(after.panel, deleted) }),
    loadAhead,
  );
}

function withoutFound(
  panel: Panel | undefined,
  deleted: ReadonlySet<string>,
): Panel | undefined {
  if (panel?.kind !== "found") return panel;
  const messages = panel.messages.filter(({ id }) => !deleted.has(id));
  const selected = Math.max(0, Math.min(panel.selected, messages.length - 1));
  return { ...panel, messages, selected };
}

/** The line stays above what was below it. */
function movedLine(
  { stretch, unreadLine }: Conversation,
  deleted: ReadonlySet<string>,
): Conversation["unreadLine"] {
  if (unreadLine?.id === undefined || !deleted.has(unreadLine.id)) return unreadLine;
  const messages = stretch?.messages ?? [];
  const from = messages.findIndex(({ id }) => id === unreadLine.id);
  const next = messages.slice(from).find(({ id }) => !deleted.has(id));
  return next === undefined ? undefined : { ...unreadLine, id: next.id };
}

function onPresence(model: Model, { name, online }: EventPayload<"presence">): Change {
  return changed(changeConversation(model, name, (one) => ({ ...one, isOnline: online })));
}

/** What is loaded has the old name in it. */
function onRenamed(model: Model, told: EventPayload<"renamed">): Change {
  const conversations = model.conversations.map((one): Conversation => ({
    ...one,
    stretch: undefined,
    load: undefined,
    anchor: undefined,
  }));
  const after = { ...model, me: told.to, conversations, notice: renamedText(told) };
  return andThen(listConversations(after), loadAhead);
}
