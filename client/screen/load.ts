import { type ChatMessage, type ChatUser, LIST_ITEMS_MAX } from "../../codec/message.ts";
import { andThen, type Change, changed } from "./change.ts";
import {
  type Conversation,
  isUnreadBy,
  newConversation,
  orUnknown,
  partnerOf,
  type Position,
  type Shown,
  type Stretch,
  unreadLineOver,
  withMessage,
  withNewer,
  withOlder,
  withRead,
  withTwin,
} from "./conversation.ts";
import { messageView } from "./geometry.ts";
import { blockCount } from "./message_rows.ts";
import {
  answerCame,
  awaitAnswer,
  changeConversation,
  conversationWith,
  leaveConversation,
  type Meanwhile,
  type Model,
  openConversation,
  outdateListing,
  seenToEnd,
  withConversation,
} from "./model.ts";
import { atTop, seen, showing } from "./scroll.ts";

/** Messages of a page. */
const PAGE = 500;
/** More are loaded when fewer than these are left above, or below, what is seen. */
const AHEAD = 250;

/** A page of messages that was asked for. */
export interface Page {
  /** Of the load. */
  readonly number: number;
  readonly with: string;
  readonly position: Position;
  /** Oldest first. */
  readonly messages: readonly ChatMessage[];
}

/** Asks whom one talks with, and how many messages are unread. */
export function listConversations(model: Model): Change {
  return model.listing === "none"
    ? changed({ ...model, listing: "under_way" }, { kind: "load_conversations" })
    : changed({ ...model, listing: "outdated" });
}

/** Opens a conversation: its newest messages are seen, and read once they are there. */
export function open(model: Model, name: string, nowMs: number): Change {
  return andThen(readOpen(opened(model, name, nowMs)), loadAhead);
}

function opened(model: Model, name: string, nowMs: number): Model {
  if (model.open === name) return { ...model, panel: undefined };
  const left = leaveConversation(model);
  const there = withConversation(left, name, nowMs, (one) => one);
  const { draft, unread, stretch } = conversationWith(there, name) ?? newConversation(name, nowMs);
  const line = unread === 0 ? undefined : { id: undefined, missing: unread };
  const unreadLine = line && unreadLineOver(stretch?.messages ?? [], name, line);
  return changeConversation(
    // What was typed while nothing was open is for whom is opened now.
    { ...there, open: name, panel: undefined, editor: draft.text === "" ? there.editor : draft },
    name,
    (one) => ({ ...one, unreadLine }),
  );
}

/** Opens the conversation with somebody, with whom there may be none so far. */
export function openPerson(model: Model, { name, online }: ChatUser, nowMs: number): Change {
  const known = withConversation(model, name, nowMs, (one) => ({ ...one, isOnline: online }));
  return open(known, name, nowMs);
}

/** Asks for messages, unless some of the conversation are under way. */
export function load(model: Model, name: string, position: Position): Change {
  if (conversationWith(model, name)?.load !== undefined) return changed(model);
  const number = model.lastNumber + 1;
  const after = changeConversation(model, name, (one) => ({ ...one, load: number }));
  return changed({ ...awaitAnswer(after), lastNumber: number }, {
    kind: "load_messages",
    number,
    with: name,
    position,
    limit: position.at === "newest" ? withUnread(conversationWith(model, name)) : PAGE,
  });
}

/** As many messages that the line above the first unread one is there, if it can be. */
function withUnread(conversation: Conversation | undefined): number {
  return Math.min(Math.max(PAGE, (conversation?.unread ?? 0) + AHEAD), LIST_ITEMS_MAX);
}

/** Shows the conversation's end: loads it if another part is there. */
export function toEnd(model: Model): Change {
  const conversation = openConversation(model);
  if (conversation === undefined) return changed(model);
  const { name, stretch } = conversation;
  const after = changeConversation(model, name, (one) => ({
    ...one,
    anchor: undefined,
    newer: 0,
    marked: undefined,
    // What is under way is of elsewhere.
    ...(!stretch?.hasNewest && { stretch: undefined, load: undefined }),
  }));
  return stretch?.hasNewest
    ? andThen(readOpen(after), loadAhead)
    : load(after, name, { at: "newest" });
}

/** Shows the conversation's first message. */
export function toBeginning(model: Model): Change {
  const conversation = openConversation(model);
  if (conversation === undefined) return changed(model);
  const { name, stretch } = conversation;
  if (stretch?.hasOldest) {
    return changed(
      changeConversation(
        model,
        name,
        (one) => ({ ...one, anchor: atTop(one, messageView(model)) }),
      ),
    );
  }
  const fresh = changeConversation(model, name, (one) => ({ ...one, load: undefined }));
  return load(fresh, name, { at: "oldest" });
}

/** Shows the first message that was unread when the conversation was opened, or what is loaded before it. */
export function toUnreadLine(model: Model): Change {
  const conversation = openConversation(model);
  if (conversation?.unreadLine === undefined) return changed(model);
  const { name, unreadLine, stretch } = conversation;
  const id = unreadLine.missing > 0 ? stretch?.messages[0]?.id : unreadLine.id;
  const shown = changeConversation(model, name, (one) => ({
    ...one,
    anchor: showing(one, messageView(model), id ?? ""),
  }));
  return andThen(readOpen(shown), loadAhead);
}

/** Shows a message that was found, whatever conversation it is of. */
export function jump(model: Model, me: string, message: ChatMessage, nowMs: number): Change {
  const name = partnerOf(message, me);
  const isOpen = model.open === name;
  // Nobody has seen the end of what is opened for this.
  const fresh = changeConversation(opened(model, name, nowMs), name, (one) => ({
    ...one,
    load: undefined,
    stretch: isOpen ? one.stretch : undefined,
  }));
  return load(fresh, name, { at: "around", message });
}

/** Takes a page in, unless it was asked for before something else. */
export function onPage(model: Model, me: string, page: Page): Change {
  const { meanwhile } = model;
  const settled = answerCame(model);
  if (conversationWith(model, page.with)?.load !== page.number) return changed(settled);
  const taken: TakenPage = {
    ...page,
    messages: uptodate(page.messages, meanwhile),
    isEnd: page.messages.length === 0,
  };
  const after = changeConversation(
    settled,
    page.with,
    (one) => {
      const paged = withPage({ ...one, load: undefined }, taken);
      return withTwins(withArrivedMeanwhile(paged, meanwhile, me), one, taken, me);
    },
  );
  const placed = model.open === page.with ? changePlace(after, page.position) : after;
  return andThen(readOpen(placed), loadAhead);
}

/** A page will not come. */
export function onPageFailed(model: Model, name: string, number: number): Model {
  const settled = answerCame(model);
  if (conversationWith(model, name)?.load !== number) return settled;
  return changeConversation(settled, name, (one) => ({ ...one, load: undefined }));
}

/** Loads what is open, and on when what is seen comes near to the end of what is loaded. */
export function loadAhead(model: Model): Change {
  const conversation = openConversation(model);
  if (conversation === undefined || conversation.load !== undefined) return changed(model);
  const { stretch } = conversation;
  if (stretch === undefined) return load(model, conversation.name, { at: "newest" });
  const { first, last } = seen(conversation, messageView(model));
  const { messages, hasOldest, hasNewest } = stretch;
  const [oldest, newest] = [messages[0], messages.at(-1)];
  if (!hasOldest && first < AHEAD && oldest !== undefined) {
    return load(model, conversation.name, { at: "before", id: oldest.id });
  }
  if (!hasNewest && blockCount(conversation) - last < AHEAD && newest !== undefined) {
    return load(model, conversation.name, { at: "after", id: newest.id });
  }
  return changed(model);
}

/** What is seen of the open conversation's end is read. */
export function readOpen(model: Model): Change {
  const conversation = seenToEnd(model);
  const stretch = conversation?.stretch;
  if (conversation === undefined || stretch === undefined) return changed(model);
  const { name, unread, newer } = conversation;
  const ids = stretch.messages.filter((one) => isUnreadBy(one, model.me ?? "")).map(({ id }) => id);
  if (unread === 0 && newer === 0 && ids.length === 0) return changed(model);
  const read = { ...conversation, newer: 0, unread: 0, stretch: withRead(stretch, new Set(ids)) };
  const after = changeConversation(model, name, () => read);
  // By name only what is too old to be loaded: it would read, too, what comes until it is there.
  const hasAll = stretch.hasOldest || ids.length >= unread;
  if (hasAll && ids.length === 0) return changed(after);
  const marked = changed(outdateListing(after), { kind: "mark_read", which: hasAll ? ids : name });
  // More than were counted are there: of those that are not, some may be unread, too.
  return ids.length > unread ? andThen(marked, listConversations) : marked;
}

/** A page as it is by now. */
function uptodate(
  messages: readonly ChatMessage[],
  { read, deleted }: Meanwhile,
): readonly Shown[] {
  return messages
    .filter(({ id }) => !deleted.has(id))
    .map((message): Shown => read.has(message.id) ? { ...message, status: "read" } : message);
}

/** A page of which what is gone meanwhile is left out. */
interface TakenPage extends Page {
  readonly messages: readonly Shown[];
  /** Whether the server had nothing there. */
  readonly isEnd: boolean;
}

function withPage(
  conversation: Conversation,
  { position, messages, with: name, isEnd }: TakenPage,
): Conversation {
  const { stretch, unreadLine } = conversation;
  switch (position.at) {
    case "newest":
      return {
        ...conversation,
        stretch: freshStretch(position, messages, isEnd),
        unreadLine: unreadLine && unreadLineOver(messages, name, unreadLine),
      };
    case "oldest":
    case "around":
      return {
        ...conversation,
        stretch: freshStretch(position, messages, isEnd),
        // How many are unread above it can only be counted from the end.
        unreadLine: unreadLine?.id === undefined ? undefined : unreadLine,
        marked: position.at === "around" ? position.message.id : undefined,
      };
    case "before": {
      if (stretch?.messages[0]?.id !== position.id) return conversation;
      if (isEnd) return { ...conversation, stretch: { ...stretch, hasOldest: true } };
      const line = unreadLine && unreadLineOver(messages, name, unreadLine);
      return { ...conversation, stretch: withOlder(stretch, messages), unreadLine: line };
    }
    case "after":
      if (stretch?.messages.at(-1)?.id !== position.id) return conversation;
      if (isEnd) return { ...conversation, stretch: { ...stretch, hasNewest: true } };
      return {
        ...conversation,
        stretch: withNewer(stretch, messages),
        // Whoever has come to the end of what was loaded stays there.
        anchor: conversation.anchor ?? { key: position.id, hidden: 0 },
      };
    default:
      return position satisfies never;
  }
}

function freshStretch(
  { at }: Position,
  messages: readonly Shown[],
  isEnd: boolean,
): Stretch | undefined {
  return orUnknown({
    messages,
    hasOldest: at === "oldest" || isEnd,
    hasNewest: at === "newest",
  });
}

/** What came while the page was under way may not be in it. */
function withArrivedMeanwhile(
  conversation: Conversation,
  meanwhile: Meanwhile,
  me: string,
): Conversation {
  let { stretch } = conversation;
  if (stretch === undefined) return conversation;
  for (const message of uptodate(meanwhile.arrived, meanwhile)) {
    if (partnerOf(message, me) === conversation.name) stretch = withMessage(stretch, message);
  }
  return { ...conversation, stretch };
}

/** What was sent from here may come with a page, asked for anew, before the answer to it. */
function withTwins(
  conversation: Conversation,
  { pending: [oldest], pending, stretch }: Conversation,
  { messages }: TakenPage,
  me: string,
): Conversation {
  if (oldest === undefined) return conversation;
  const known = new Set([
    ...pending.map(({ twin }) => twin),
    ...stretch?.messages.map(({ id }) => id) ?? [],
  ]);
  return messages
    .filter(({ id, sender, time }) => sender === me && time >= oldest.time && !known.has(id))
    .reduce(withTwin, conversation);
}

function changePlace(model: Model, position: Position): Model {
  const view = messageView(model);
  if (position.at === "oldest") {
    return changeConversation(model, model.open ?? "", (one) => ({
      ...one,
      anchor: atTop(one, view),
    }));
  }
  if (position.at !== "around") return model;
  return changeConversation(model, model.open ?? "", (one) => ({
    ...one,
    anchor: showing({ ...one, anchor: undefined }, view, position.message.id),
  }));
}
