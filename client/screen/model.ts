import type { ChatMessage, ChatUser, NodeStatus } from "../../codec/message.ts";
import {
  type Conversation,
  isAtEnd,
  newConversation,
  type Shown,
  whenLeft,
} from "./conversation.ts";
import { type Editor, EMPTY_EDITOR } from "./editor.ts";
import type { InputHistory } from "./input_history.ts";

/** Of the terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What is shown in the place of messages until Escape. */
export type Panel =
  | {
    readonly kind: "text";
    readonly title: string;
    readonly lines: readonly string[];
    readonly top: number;
  }
  | {
    readonly kind: "people";
    readonly pattern: string;
    readonly people: readonly ChatUser[];
    readonly selected: number;
  }
  | {
    readonly kind: "found";
    readonly text: string;
    /** The newest first. */
    readonly messages: readonly ChatMessage[];
    readonly selected: number;
    readonly isSearching: boolean;
    /** Where to search on; undefined when all was searched. */
    readonly next: string | undefined;
  };

/** What a person is asked. */
export interface Question {
  readonly text: string;
  readonly isHidden: boolean;
  readonly editor: Editor;
}

export type Connection =
  | { readonly state: "connected"; readonly node: string; readonly host: string }
  | { readonly state: "lost"; readonly host: string; readonly why: string };

/** Somebody who is looked up to be talked with. */
export interface Address {
  /** Their name, and what to send to them. */
  readonly text: string;
  /** What was entered since: it is for them. */
  readonly waiting: readonly string[];
}

/** What came while answers that hold messages were under way: they may be older than that. */
export interface Meanwhile {
  /** Loads and sends that are not answered. */
  readonly underWay: number;
  readonly arrived: readonly Shown[];
  readonly read: ReadonlySet<string>;
  readonly deleted: ReadonlySet<string>;
}

/** Of each. An answer so late shows what was deleted before all these, until it is loaded anew. */
const MEANWHILE_MAX = 10_000;

export const NOTHING_MEANWHILE: Meanwhile = {
  underWay: 0,
  arrived: [],
  read: new Set(),
  deleted: new Set(),
};

/**
 * Whether the list of conversations is under way; `outdated`: something came meanwhile of which
 * nobody knows whether the list has it, so it is to be asked for anew.
 */
export type Listing = "none" | "under_way" | "outdated";

/** All that the screen shows, and what it takes to go on from there. */
export interface Model {
  readonly size: Size;
  /** Undefined before sign-in. */
  readonly me: string | undefined;
  /** What the person is told at first. */
  readonly intro: readonly string[];
  /** What the person was told before sign-in, and how much of it before the last question. */
  readonly told: readonly string[];
  readonly toldBefore: number;
  readonly question: Question | undefined;
  readonly editor: Editor;
  readonly inputs: InputHistory;
  /** The latest first. */
  readonly conversations: readonly Conversation[];
  /** The name of the conversation that is open. */
  readonly open: string | undefined;
  readonly address: Address | undefined;
  readonly panel: Panel | undefined;
  /** The id of the message that is chosen to be deleted. */
  readonly chosen: string | undefined;
  /** Said to the person until the next key. */
  readonly notice: string | undefined;
  readonly connection: Connection | undefined;
  /** Whether the node has been asked something for longer than it ought to take. */
  readonly isSilent: boolean;
  readonly status: NodeStatus | undefined;
  /** Whether the conversations are listed; undefined: where there is room. */
  readonly isListShown: boolean | undefined;
  readonly listing: Listing;
  readonly meanwhile: Meanwhile;
  /** The last number that was given to a load or a message. */
  readonly lastNumber: number;
}

export function openConversation(model: Model): Conversation | undefined {
  return model.open === undefined ? undefined : conversationWith(model, model.open);
}

/** The conversation of which the person sees the newest message. */
export function seenToEnd(model: Model): Conversation | undefined {
  const conversation = openConversation(model);
  const isSeen = conversation !== undefined && model.panel === undefined && isAtEnd(conversation);
  return isSeen ? conversation : undefined;
}

export function conversationWith({ conversations }: Model, name: string): Conversation | undefined {
  return conversations.find((conversation) => conversation.name === name);
}

/** Changes a conversation, a new one if there is none of this name; keeps the latest first. */
export function withConversation(
  model: Model,
  name: string,
  nowMs: number,
  change: (conversation: Conversation) => Conversation,
): Model {
  const old = conversationWith(model, name);
  const conversation = change(old ?? newConversation(name, nowMs));
  const others = model.conversations.filter((one) => one !== old);
  const isInPlace = old !== undefined && old.time === conversation.time;
  if (isInPlace) {
    const conversations = model.conversations.map((one) => one === old ? conversation : one);
    return { ...model, conversations };
  }
  const place = others.findIndex(({ time }) => time <= conversation.time);
  const conversations = others.toSpliced(place < 0 ? others.length : place, 0, conversation);
  return { ...model, conversations };
}

/** Changes a conversation that is there. */
export function changeConversation(
  model: Model,
  name: string,
  change: (conversation: Conversation) => Conversation,
): Model {
  if (conversationWith(model, name) === undefined) return model;
  return withConversation(model, name, 0, change);
}

/** Closes what is open: its draft stays with it, and the editor is empty. */
export function leaveConversation(model: Model): Model {
  if (model.open === undefined) return model;
  const left = changeConversation(model, model.open, (one) => whenLeft(one, model.editor));
  return { ...left, open: undefined, editor: EMPTY_EDITOR, chosen: undefined };
}

/** How many are unread, or the latest message, changes: a list that is under way may not have it. */
export function outdateListing(model: Model): Model {
  return model.listing === "under_way" ? { ...model, listing: "outdated" } : model;
}

/** An answer that will hold messages is under way. */
export function awaitAnswer(model: Model): Model {
  const { meanwhile } = model;
  return { ...model, meanwhile: { ...meanwhile, underWay: meanwhile.underWay + 1 } };
}

/** It has come. What came meanwhile is forgotten with the last one. */
export function answerCame(model: Model): Model {
  const { meanwhile } = model;
  const underWay = meanwhile.underWay - 1;
  return { ...model, meanwhile: underWay <= 0 ? NOTHING_MEANWHILE : { ...meanwhile, underWay } };
}

/** What arrives, is read or deleted while an answer is under way may not be so in it. */
export function keepMeanwhile(
  model: Model,
  { arrived = [], read = NO_IDS, deleted = NO_IDS }: {
    readonly arrived?: readonly Shown[];
    readonly read?: ReadonlySet<string>;
    readonly deleted?: ReadonlySet<string>;
  },
): Model {
  const { meanwhile } = model;
  if (meanwhile.underWay === 0) return model;
  return {
    ...model,
    meanwhile: {
      ...meanwhile,
      arrived: [...meanwhile.arrived, ...arrived].slice(-MEANWHILE_MAX),
      read: withIds(meanwhile.read, read),
      deleted: withIds(meanwhile.deleted, deleted),
    },
  };
}

function withIds(known: ReadonlySet<string>, more: ReadonlySet<string>): ReadonlySet<string> {
  return more.size === 0 ? known : new Set([...known, ...more].slice(-MEANWHILE_MAX));
}

const NO_IDS: ReadonlySet<string> = new Set();

/** Shows something in the place of messages. */
export function withPanel(model: Model, panel: Panel | undefined): Model {
  return { ...model, panel, chosen: undefined };
}
