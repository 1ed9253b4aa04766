import type { ChatMessage } from "../../../codec/message.ts";
import type { Fault } from "./findings.ts";
import {
  type Conversation,
  excerpt,
  type History,
  type Message,
  type Operation,
  type Sighting,
} from "./history.ts";

/**
 * A request that was sent again on another connection, and answered there, may still be under way on
 * the first, and be taken up by a node so much later, in ms: TCP sends again what a cut held up.
 */
const STALE_MS_MAX = 15_000;

/** What a history leaves open about one message, once all nodes know the same. */
export interface Allowed {
  readonly presence: "there" | "gone" | "either";
  /** If it is there. */
  readonly status: "read" | "unread" | "either";
}

/**
 * What may be found of a message: acknowledged and not deleted, it is there; with its deletion
 * acknowledged, or seen, it is gone; of what nobody has answered, either. What was acknowledged with
 * fewer than `safeCopies` may have been lost with a disk, deletions and reads too.
 */
export function allowed(
  message: Message,
  conversation: Conversation,
  safeCopies: number,
): Allowed {
  return {
    presence: allowedPresence(message, safeCopies),
    status: allowedStatus(message, conversation, safeCopies),
  };
}

/** Whether an operation's acknowledgement promises that all it asked for was done, and stays so. */
export function isPromised({ outcome, messages }: Operation, safeCopies: number): boolean {
  if (outcome.kind !== "ok") return false;
  const { copies = 0, count = messages.length } = outcome.answer;
  // A node that has not heard of a message cannot change it, and a change that an earlier try has
  // made already does not count: which of them it was nobody knows.
  return count === messages.length && copies >= safeCopies;
}

/** Reports what a list of all messages of a conversation has that its history does not explain. */
export function checkConversation(
  history: History,
  conversation: Conversation,
  listed: readonly ChatMessage[],
  node: string,
): void {
  const check = new ConversationCheck(history, conversation, node);
  const present = new Set<string>();
  for (const found of listed) {
    if (present.has(found.content)) check.report("doubled", found, "twice in one list");
    present.add(found.content);
    check.found(found);
  }
  for (const message of conversation.messages()) {
    if (!present.has(message.content)) check.missing(message);
  }
}

/**
 * Reports what a node shows in the middle of everything that it cannot show: what is not these two
 * people's, and what it has itself acknowledged as deleted or read, or what all nodes had taken in,
 * before it was asked. Lost disks, which take such knowledge along, leave only the first.
 */
export function checkGlance(
  history: History,
  conversation: Conversation,
  listed: readonly ChatMessage[],
  glance: { readonly operation: Operation; readonly node: string },
): void {
  const check = new ConversationCheck(history, conversation, glance.node);
  const shown = new Set<string>();
  for (const found of listed) {
    if (shown.has(found.id)) check.report("doubled", found, "twice in one list");
    shown.add(found.id);
    check.shown(found, (known) => isKnown(known, glance, history));
  }
}

class ConversationCheck {
  readonly #history: History;
  readonly #conversation: Conversation;
  readonly #node: string;

  constructor(history: History, conversation: Conversation, node: string) {
    this.#history = history;
    this.#conversation = conversation;
    this.#node = node;
  }

  found(found: ChatMessage): void {
    const message = this.#conversation.withContent(found.content);
    if (message === undefined) return this.#foundUnknown(found);
    if (message.sender !== found.sender || message.recipient !== found.recipient) {
      return this.report("altered", found, `now by ${found.sender} to ${found.recipient}`);
    }
    const id = message.id ?? message.seen?.id;
    if (id !== undefined && id !== found.id) {
      return this.report("doubled", found, `here as ${found.id}`);
    }
    const { presence, status } = allowed(message, this.#conversation, this.#history.safeCopies);
    if (presence === "gone") return this.report("resurrected", found, "there");
    if (status === "read" && found.status === "unread") {
      this.report("unread again", found, "unread");
    }
    if (status === "unread" && found.status === "read") this.report("read unasked", found, "read");
    message.seen = this.#sighting(found);
  }

  /** In the middle of everything, where `isKnown` says what this node has to have heard of. */
  shown(found: ChatMessage, isKnown: (change: Operation) => boolean): void {
    const message = this.#conversation.withContent(found.content);
    if (message?.sender !== found.sender || message.recipient !== found.recipient) {
      return this.#foundUnknown(found);
    }
    // An audit comes when all nodes know the same.
    if (message.seenGone !== undefined) return this.report("resurrected", found, "shown");
    const known = message.operations.filter((one) => isPromised(one, 1) && isKnown(one));
    if (known.some(({ kind }) => kind === "delete")) this.report("resurrected", found, "shown");
    if (found.status === "unread" && known.some(({ kind }) => kind === "read")) {
      this.report("unread again", found, "shown as unread");
    }
  }

  missing(message: Message): void {
    const { presence } = allowed(message, this.#conversation, this.#history.safeCopies);
    if (presence === "there") return this.report("lost", message, "not there");
    // Before it was ever seen it may still come: its sender sends it again.
    const isDeleted = presence === "gone" || isAskedToGo(message) && isStored(message, 1);
    if (isDeleted) message.seenGone ??= { atMs: this.#history.nowMs(), node: this.#node };
  }

  /** `what` is wrong with it, on this node. */
  report(fault: Fault, { content }: Pick<Message, "content">, what: string): void {
    const message = this.#conversation.withContent(content);
    const where = `${content}: ${what} on ${this.#node}`;
    const lines = message === undefined ? [where] : [where, excerpt(message)];
    this.#history.findings.report(fault, lines.join("\n"));
  }

  #foundUnknown(found: ChatMessage): void {
    const known = this.#conversation.withId(found.id);
    if (this.#conversation.isForgotten(found.content)) {
      this.report("resurrected", found, "there, and was seen to be gone");
    } else if (known !== undefined) {
      this.report("altered", known, `now with ${found.content}`);
    } else this.report("foreign", found, `by ${found.sender} to ${found.recipient}`);
  }

  #sighting({ id, status }: ChatMessage): Sighting {
    return { atMs: this.#history.nowMs(), node: this.#node, id, isRead: status === "read" };
  }
}

function allowedPresence(message: Message, safeCopies: number): Allowed["presence"] {
  if (message.seenGone !== undefined) return "gone";
  const deletions = message.operations.filter(({ kind }) => kind === "delete");
  if (deletions.some((deletion) => isPromised(deletion, safeCopies))) return "gone";
  return isStored(message, safeCopies) && deletions.length === 0 ? "there" : "either";
}

/** Whether its storage was promised, or seen. */
function isStored({ seen, operations }: Message, safeCopies: number): boolean {
  return seen !== undefined ||
    operations.some((operation) => isSending(operation) && isPromised(operation, safeCopies));
}

function isAskedToGo({ operations }: Message): boolean {
  return operations.some(({ kind }) => kind === "delete");
}

function isSending({ kind }: Operation): boolean {
  return kind === "send" || kind === "repeat" || kind === "resend";
}

function allowedStatus(
  message: Message,
  { readAlls }: Conversation,
  safeCopies: number,
): Allowed["status"] {
  const reads = message.operations.filter(({ kind }) => kind === "read");
  if (message.seen?.isRead === true) return "read";
  if (reads.some((read) => isPromised(read, safeCopies))) return "read";
  const isAsked = reads.length > 0 || readAlls.some((one) => mayRead(one, message));
  return isAsked ? "either" : "unread";
}

/** Whether it is its recipient who read all, and not long before it was written. */
function mayRead({ person, outcome }: Operation, { recipient, operations }: Message): boolean {
  if (person !== recipient) return false;
  const writtenMs = operations[0]?.startMs ?? Infinity;
  return outcome.kind !== "ok" || outcome.atMs + STALE_MS_MAX >= writtenMs;
}

/** Whether a node that is asked now has to know of a change, which was acknowledged before. */
function isKnown(
  { outcome }: Operation,
  { operation, node }: { readonly operation: Operation; readonly node: string },
  { safeCopies, nodes }: Pick<History, "safeCopies" | "nodes">,
): boolean {
  if (outcome.kind !== "ok" || outcome.atMs > operation.startMs || safeCopies > 1) return false;
  return outcome.answer.node === node || outcome.answer.copies === nodes;
}
