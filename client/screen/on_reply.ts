import type { ChatConversation, ChatMessage, ChatUser, NodeStatus } from "../../codec/message.ts";
import { printable } from "../../codec/printable.ts";
import type { Sent } from "../connection.ts";
import { statusLines } from "../text/status_lines.ts";
import { andThen, type Change, changed, say } from "./change.ts";
import {
  type Conversation,
  newConversation,
  type Shown,
  withMessage,
  withoutTwin,
  withTwinsAfter,
} from "./conversation.ts";
import { listConversations, readOpen } from "./load.ts";
import { pendingKey } from "./message_rows.ts";
import {
  answerCame,
  awaitAnswer,
  changeConversation,
  conversationWith,
  keepMeanwhile,
  type Model,
  type Panel,
  withPanel,
} from "./model.ts";

/** Whom one talks with, as the server has it. */
export function onConversations(model: Model, listed: readonly ChatConversation[]): Change {
  const known = new Map(model.conversations.map((one) => [one.name, one]));
  const fresh = listed.map(({ name, unread, online, time }): Conversation => {
    const one = known.get(name) ?? newConversation(name, time);
    return { ...one, unread, isOnline: online, time: Math.max(time, pendingTime(one)) };
  });
  const names = new Set(listed.map(({ name }) => name));
  const kept = model.conversations
    .filter((one) => !names.has(one.name) && (one.name === model.open || isInUse(one)))
    .map((one): Conversation => ({ ...one, unread: 0 }));
  const conversations = [...fresh, ...kept].sort((a, b) => b.time - a.time);
  const after = readOpen({ ...model, conversations, listing: "none" });
  return model.listing === "outdated" ? andThen(after, listConversations) : after;
}

/** Whether the person has something in it that no server has. */
function isInUse({ pending, draft }: Conversation): boolean {
  return pending.length > 0 || draft.text !== "";
}

function pendingTime({ pending }: Conversation): number {
  return Math.max(0, ...pending.map(({ time }) => time));
}

/** What was sent is stored. */
export function onSent(
  model: Model,
  me: string,
  { number, to, sent: { id, time, copies } }: {
    readonly number: number;
    readonly to: string;
    readonly sent: Sent;
  },
): Change {
  const conversation = conversationWith(model, to);
  const answered = conversation?.pending.find((pending) => pending.number === number);
  if (conversation === undefined || answered === undefined) return changed(answerCame(model));
  const { content } = answered;
  const message: Shown = { id, sender: me, recipient: to, content, time, status: "unread", copies };
  const isDeleted = model.meanwhile.deleted.has(id);
  const after = changeConversation(model, to, ({ anchor, ...one }) => {
    const settled: Conversation = {
      ...one,
      // What was refused before has been seen by now.
      pending: one.pending.filter((each) => each !== answered && each.failure === undefined),
      stretch: one.stretch && !isDeleted ? withMessage(one.stretch, message) : one.stretch,
      anchor: anchor?.key === pendingKey(answered) ? { ...anchor, key: id } : anchor,
    };
    return withTwinsAfter(settled, answered, id);
  });
  return changed(keepMeanwhile(answerCame(after), { arrived: [message] }));
}

/** What was sent is not stored, and will not be. */
export function onNotSent(
  model: Model,
  { number, to, why }: { readonly number: number; readonly to: string; readonly why: string },
): Change {
  const settled = answerCame(model);
  const refused = conversationWith(model, to)?.pending.find((one) => one.number === number);
  if (refused === undefined) return changed(settled);
  return changed(changeConversation(settled, to, (one) => {
    const pending = one.pending.map((each) =>
      each === refused ? { ...withoutTwin(each), failure: why } : each
    );
    return withTwinsAfter({ ...one, pending }, refused, undefined);
  }));
}

export function onPeople(model: Model, pattern: string, people: readonly ChatUser[]): Change {
  if (people.length === 0) return say(model, `Nobody is called ${printable(pattern)}`);
  return changed(withPanel(model, { kind: "people", pattern, people, selected: 0 }));
}

/** A page of what was searched. */
export function onFound(
  model: Model,
  { text, messages, next }: {
    readonly text: string;
    readonly messages: readonly ChatMessage[];
    readonly next: string | undefined;
  },
): Change {
  const { panel, meanwhile } = model;
  const settled = answerCame(model);
  if (panel?.kind !== "found" || panel.text !== text) return changed(settled);
  const known = new Set([...meanwhile.deleted, ...panel.messages.map(({ id }) => id)]);
  const all = [...panel.messages, ...messages.filter(({ id }) => !known.has(id))];
  const found: Panel = { ...panel, messages: all, next, isSearching: false };
  return searchOn({ ...settled, panel: found }, FOUND_AT_FIRST);
}

/** Results that are sought without being asked for. */
const FOUND_AT_FIRST = 50;
/** More are sought when fewer than these are left below the one that is chosen. */
const FOUND_AHEAD = 20;

/** Searches on if what was found so far is not enough: at least `wanted`, and some to scroll to. */
export function searchOn(model: Model, wanted = 0): Change {
  const { panel } = model;
  if (panel?.kind !== "found" || panel.isSearching || panel.next === undefined) {
    return changed(model);
  }
  const { messages, selected, text, next } = panel;
  if (messages.length >= Math.max(wanted, selected + FOUND_AHEAD)) return changed(model);
  const searching: Panel = { ...panel, isSearching: true };
  return changed(
    awaitAnswer({ ...model, panel: searching }),
    { kind: "search", text, before: next },
  );
}

/** A search that the server refused. */
export function onNotFound(model: Model, why: string): Change {
  return andThen(say({ ...answerCame(model), panel: undefined }, why), readOpen);
}

export function onStatus(model: Model, status: NodeStatus, isForPerson: boolean): Change {
  const after = { ...model, status, isSilent: false };
  if (!isForPerson) return changed(after);
  return changed(
    withPanel(after, { kind: "text", title: "Status", lines: statusLines(status), top: 0 }),
  );
}
