import type { ChatConversation, ChatMessage } from "../../codec/message.ts";
import type { ClientEvent } from "../connection.ts";
import type { Conversation } from "../screen/conversation.ts";
import type { Effect } from "../screen/effect.ts";
import { frameOf, frameText } from "../screen/frame.ts";
import { conversationWith, type Model, type Size } from "../screen/model.ts";
import { firstModel, type Happening, update } from "../screen/update.ts";

/** When all of a story happens, ms since 1970. */
export const NOON_MS = new Date(2026, 10, 26, 12, 0).getTime();

/** A message to alice, from bob unless said otherwise. */
export function messageOf(id: string, more: Partial<ChatMessage> = {}): ChatMessage {
  return {
    id,
    sender: "bob",
    recipient: "alice",
    content: `text of ${id}`,
    time: NOON_MS,
    status: "unread",
    ...more,
  };
}

/** Lets things happen to a model, one after the other, and keeps what is to be done of each. */
export class ScreenStory {
  model: Model;
  effects: readonly Effect[] = [];

  /** Alice is signed in, and talks with those who are listed. */
  constructor(size: Size = { columns: 60, rows: 12 }, listed: readonly ChatConversation[] = []) {
    this.model = firstModel(size);
    this.happen({
      kind: "connection",
      state: { state: "connected", host: "127.0.0.1:9001", node: "node1" },
    });
    this.happen({ kind: "signed_in", me: "alice", inputs: [] });
    this.happen({ kind: "conversations", listed });
  }

  happen(happening: Happening): void {
    const { model, effects } = update(this.model, happening, NOON_MS);
    this.model = model;
    this.effects = effects;
  }

  press(...keys: readonly string[]): void {
    for (const key of keys) this.happen({ kind: "pressed", press: { kind: "key", key } });
  }

  type(text: string): void {
    this.happen({ kind: "pressed", press: { kind: "text", text } });
  }

  enter(text: string): void {
    this.type(text);
    this.press("enter");
  }

  event(kind: "message", payload: ChatMessage, late?: boolean): void;
  event(kind: "read", payload: { reader: string; ids: readonly string[] }): void;
  event(kind: "deleted", payload: { ids: readonly string[] }): void;
  event(kind: "presence", payload: { name: string; online: boolean }): void;
  event(kind: "renamed", payload: { from: string; to: string }): void;
  event(kind: ClientEvent["kind"], payload: object, late = false): void {
    const event = { kind, payload: { ...payload, cursor: "c" }, late } as ClientEvent;
    this.happen({ kind: "event", event });
  }

  /** Answers the load that the last happening led to. */
  answerLoad(...messages: readonly ChatMessage[]): void {
    const load = this.effect("load_messages");
    const { number, with: friend, position } = load;
    this.happen({ kind: "page", number, with: friend, position, messages });
  }

  /** The effect of this kind that the last happening had. */
  effect<K extends Effect["kind"]>(kind: K): Extract<Effect, { kind: K }> {
    const effect = this.effects.find((one): one is Extract<Effect, { kind: K }> =>
      one.kind === kind
    );
    if (effect !== undefined) return effect;
    throw new Error(`No ${kind} among ${JSON.stringify(this.effects)}`);
  }

  conversation(name: string): Conversation {
    const conversation = conversationWith(this.model, name);
    if (conversation === undefined) throw new Error(`No conversation with ${name}`);
    return conversation;
  }

  get kinds(): readonly string[] {
    return this.effects.map(({ kind }) => kind);
  }

  get text(): string {
    return frameText(frameOf(this.model));
  }
}

export function listedAs(name: string, unread = 0): ChatConversation {
  return { name, unread, online: true, time: NOON_MS };
}

/** Alice has opened her conversation with bob, of which `messages` are all. */
export function withBob(...messages: readonly ChatMessage[]): ScreenStory {
  const unread = messages.filter(({ status }) => status === "unread").length;
  const story = new ScreenStory(undefined, [listedAs("bob", unread), listedAs("carol")]);
  story.press("alt+1");
  story.answerLoad(...messages);
  return story;
}
