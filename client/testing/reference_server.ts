import type { ChatConversation, ChatMessage, Event } from "../../codec/message.ts";
import type { ClientEvent } from "../connection.ts";
import type { Position } from "../screen/conversation.ts";
import type { Effect } from "../screen/effect.ts";
import type { Happening } from "../screen/update.ts";

export const ME = "alice";
/** Whom alice writes with: also herself. */
export const PEOPLE = ["bob", "carol", "dora", ME] as const;
export const START_MS = new Date(2026, 10, 26, 23, 59).getTime();

/** Between any two messages, in ms: time for one that comes late to stand between them. */
const STEP_MS = 1_000;
/** READ and DELETED events that a next node may tell again. */
const REPEATED_MAX = 3;

interface Stored extends ChatMessage {
  readonly isDeleted: boolean;
}

/** What an effect asks of the server, and what it has answered of it so far. */
interface Asked {
  readonly effect: Effect;
  readonly first?: readonly ChatMessage[];
}

interface Answered {
  readonly asked: Asked;
  readonly happening: Happening | undefined;
}

/**
 * A chat server in its simplest form, for one client of alice's, and the wires to it: requests,
 * replies and events each keep their order, and whoever holds it decides what goes on next.
 */
export class ReferenceServer {
  nowMs = START_MS;
  /** Messages of a page at most, however many are asked for. */
  readonly #pageMax: number;
  /** By time. */
  #messages: readonly Stored[] = [];
  #lateCount = 0;
  #asked: Asked[] = [];
  #replies: Answered[] = [];
  #events: ClientEvent[] = [];
  #told: ClientEvent[] = [];
  #refusals = 0;
  /** The id of what was sent from the client, by its number. */
  readonly sent = new Map<number, string>();

  constructor(pageMax: number) {
    this.#pageMax = pageMax;
  }

  get isQuiet(): boolean {
    return this.#asked.length + this.#replies.length + this.#events.length === 0;
  }

  /** What alice and `friend` have, oldest first. */
  conversation(friend: string): readonly ChatMessage[] {
    return this.#placed(friend).filter(({ isDeleted }) => !isDeleted).map(shown);
  }

  /** The latest first. */
  conversations(): readonly ChatConversation[] {
    return PEOPLE.flatMap((name): ChatConversation[] => {
      const messages = this.conversation(name);
      const { time } = messages.at(-1) ?? {};
      if (time === undefined) return [];
      const unread = messages.filter(isUnreadByMe).length;
      return [{ name, unread, online: true, time }];
    }).sort((a, b) => b.time - a.time);
  }

  /** Somebody else's doing, or that of another device: a message. `isLate`: written some time ago. */
  write(sender: string, recipient: string, content: string, isLate = false): string {
    const time = isLate ? this.#lateTime() : this.nowMs += STEP_MS;
    const id = `m${this.#messages.length}`;
    const message: Stored = {
      id,
      sender,
      recipient,
      content,
      time,
      status: "unread",
      isDeleted: false,
    };
    this.#messages = [...this.#messages, message].sort((a, b) => a.time - b.time);
    this.#tell({ kind: "message", payload: { ...shown(message), cursor: "" } });
    return id;
  }

  /** Reads what `isWanted` of what is there for `reader`. */
  read(reader: string, isWanted: (message: ChatMessage) => boolean): void {
    const ids = this.#change(
      (one) => one.recipient === reader && one.status === "unread" && isWanted(one),
      { status: "read" },
    );
    if (ids.length > 0) this.#tell({ kind: "read", payload: { reader, ids, cursor: "" } });
  }

  delete(isWanted: (message: ChatMessage) => boolean): number {
    const ids = this.#change(isWanted, { isDeleted: true });
    if (ids.length > 0) this.#tell({ kind: "deleted", payload: { ids, cursor: "" } });
    return ids.length;
  }

  tellPresence(name: string, online: boolean): void {
    this.#tell({ kind: "presence", payload: { name, online, cursor: "" } });
  }

  ask(effect: Effect): void {
    this.#asked.push({ effect });
  }

  /** The next loads and messages are refused, so many of them. */
  refuse(count: number): void {
    this.#refusals = count;
  }

  /** Answers the request that was made first, or goes on with it. */
  answer(): void {
    const asked = this.#asked.shift();
    if (asked === undefined) return;
    const happening = this.#answerTo(asked);
    if (happening === "more") return;
    this.#replies.push({ asked: { effect: asked.effect }, happening });
  }

  nextReply(): Happening | undefined {
    return this.#replies.shift()?.happening;
  }

  nextEvent(): ClientEvent | undefined {
    const event = this.#events.shift();
    if (event !== undefined && event.kind !== "message" && event.kind !== "presence") {
      this.#told = [...this.#told, event].slice(-REPEATED_MAX);
    }
    return event;
  }

  /** The next node: what was not answered is asked anew, and what was told may be told again. */
  failOver(): void {
    this.#asked = [
      ...this.#replies.map(({ asked }) => asked),
      ...this.#asked.map(({ effect }) => ({ effect })),
    ];
    this.#replies = [];
    this.#events = [...this.#told, ...this.#events].map((event) => ({ ...event, late: true }));
  }

  #answerTo({ effect, first }: Asked): Happening | "more" | undefined {
    switch (effect.kind) {
      case "load_conversations":
        return { kind: "conversations", listed: this.conversations() };
      case "load_messages": {
        const { number, with: friend, position, limit } = effect;
        if (this.#isRefused()) return { kind: "no_page", number, with: friend, why: "busy" };
        if (position.at !== "around") {
          const messages = this.#page(friend, position, limit);
          return { kind: "page", number, with: friend, position, messages };
        }
        const half = Math.ceil(limit / 2);
        if (first === undefined) {
          const older = this.#page(friend, { at: "before", id: position.message.id }, half);
          this.#asked.unshift({ effect, first: older });
          return "more";
        }
        const last = first.at(-1);
        const rest = last === undefined
          ? { at: "oldest" } as const
          : { at: "after", id: last.id } as const;
        const messages = [...first, ...this.#page(friend, rest, half)];
        return { kind: "page", number, with: friend, position, messages };
      }
      case "send": {
        const { number, to, content } = effect;
        const known = this.sent.get(number);
        if (known === undefined && this.#isRefused()) {
          return { kind: "not_sent", number, to, why: "busy" };
        }
        const id = known ?? this.write(ME, to, content);
        this.sent.set(number, id);
        const time = this.#messages.find((one) => one.id === id)?.time ?? 0;
        return { kind: "sent", number, to, sent: { id, time, copies: 2 } };
      }
      case "mark_read": {
        const { which } = effect;
        this.read(
          ME,
          ({ id, sender }) => typeof which === "string" ? sender === which : which.includes(id),
        );
        return undefined;
      }
      case "address": {
        const [name = "", ...words] = effect.text.split(" ");
        const { text } = effect;
        return { kind: "addressed", text, person: person(name), content: words.join(" ") };
      }
      case "list_people":
        return { kind: "people", pattern: effect.pattern, people: PEOPLE.map(person) };
      case "search":
        return this.#found(effect);
      case "delete_message": {
        const count = this.delete(({ id }) => id === effect.id);
        return { kind: "told", lines: [count === 0 ? "It was gone already" : "Deleted"] };
      }
      default:
        return undefined;
    }
  }

  #found(
    { text, before }: Extract<Effect, { kind: "search" }>,
  ): Extract<Happening, { kind: "found" }> {
    const end = this.#messages.findIndex(({ id }) => id === before);
    const found = this.#messages.slice(0, end < 0 ? undefined : end)
      .filter(({ content, isDeleted }) => !isDeleted && content.includes(text));
    const messages = found.slice(-this.#pageMax).reverse().map(shown);
    const next = found.length > messages.length ? messages.at(-1)?.id : undefined;
    return { kind: "found", text, messages, next };
  }

  #page(
    friend: string,
    position: Exclude<Position, { at: "around" }>,
    limit: number,
  ): readonly ChatMessage[] {
    const placed = this.#placed(friend);
    const count = Math.min(limit, this.#pageMax);
    const at = "id" in position ? placed.findIndex(({ id }) => id === position.id) : -1;
    if ("id" in position && at < 0) throw new Error(`Cannot list from ${position.id}: no message`);
    const isThere = ({ isDeleted }: Stored) => !isDeleted;
    switch (position.at) {
      case "newest":
        return placed.filter(isThere).slice(-count).map(shown);
      case "oldest":
        return placed.filter(isThere).slice(0, count).map(shown);
      case "before":
        return placed.slice(0, at).filter(isThere).slice(-count).map(shown);
      case "after":
        return placed.slice(at + 1).filter(isThere).slice(0, count).map(shown);
      default:
        return position satisfies never;
    }
  }

  #placed(friend: string): readonly Stored[] {
    return this.#messages.filter(({ sender, recipient }) =>
      (sender === friend && recipient === ME) || (sender === ME && recipient === friend)
    );
  }

  #change(isWanted: (message: Stored) => boolean, change: Partial<Stored>): string[] {
    const ids = this.#messages.filter((one) => !one.isDeleted && isWanted(one))
      .map(({ id }) => id);
    this.#messages = this.#messages.map((one) =>
      ids.includes(one.id) ? { ...one, ...change } : one
    );
    return ids;
  }

  /** A time that no other message has. */
  #lateTime(): number {
    const backSteps = this.#lateCount++ * 7 % (this.#messages.length + 1);
    return this.nowMs - backSteps * STEP_MS + this.#lateCount / 1_000;
  }

  #isRefused(): boolean {
    return this.#refusals > 0 && this.#refusals-- > 0;
  }

  #tell(event: Event): void {
    this.#events.push({ ...event, late: false });
  }
}

function shown({ id, sender, recipient, content, time, status }: Stored): ChatMessage {
  return { id, sender, recipient, content, time, status };
}

function isUnreadByMe({ recipient, status }: ChatMessage): boolean {
  return recipient === ME && status === "unread";
}

function person(name: string) {
  return { name, unread: 0, online: true };
}
