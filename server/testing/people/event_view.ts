import type { ChatMessage, Event, EventPayload } from "../../../codec/message.ts";
import type { Fault } from "./findings.ts";

/** A message as its subscriber was told of it. */
export interface ToldMessage {
  readonly id: string;
  readonly sender: string;
  readonly recipient: string;
  readonly content: string;
}

/** Of a cursor, so many characters are kept for reports. */
const CURSOR_SHOWN_MAX = 200;

/** `what` is wrong with a message, which was told of so: a line for each event. */
export type ReportTold = (fault: Fault, message: ToldMessage, what: string) => void;

/**
 * What one person would see who only follows events: none is missed exactly if that is what there
 * is in the end, and none comes twice if no message is told twice.
 */
export class EventView {
  /** Events so far. */
  events = 0;
  readonly #me: string;
  readonly #nowMs: () => number;
  readonly #report: ReportTold;
  readonly #messages = new Map<string, ToldMessage>();
  /** Ids in the order in which they were first told. */
  readonly #order: string[] = [];
  readonly #read = new Set<string>();
  readonly #deleted = new Set<string>();
  /** What was told of each message, by which node, and up to where: for reports. */
  readonly #trails = new Map<string, string[]>();

  /** `nowMs` is a clock that nobody sets, in ms. */
  constructor(me: string, nowMs: () => number, report: ReportTold) {
    this.#me = me;
    this.#nowMs = nowMs;
    this.#report = report;
  }

  /** `node` is who told it. */
  take(event: Event, node: string): void {
    this.events++;
    switch (event.kind) {
      case "message":
        this.#trace([event.payload.id], `message of ${event.payload.time}`, event, node);
        return this.#takeMessage(event.payload);
      case "read":
        this.#trace(event.payload.ids, "read", event, node);
        for (const id of event.payload.ids) this.#read.add(id);
        return;
      case "deleted":
        this.#trace(event.payload.ids, "deletion", event, node);
        for (const id of event.payload.ids) this.#deleted.add(id);
        return;
      case "presence":
      case "renamed":
        return;
      default:
        event satisfies never;
    }
  }

  /** So many, at most, of those that are there: told of last comes first. */
  newest(count: number): ToldMessage[] {
    const newest: ToldMessage[] = [];
    for (let at = this.#order.length - 1; at >= 0 && newest.length < count; at--) {
      const message = this.#messages.get(this.#order[at] ?? "");
      if (message !== undefined && !this.#deleted.has(message.id)) newest.push(message);
    }
    return newest;
  }

  isRead(id: string): boolean {
    return this.#read.has(id);
  }

  /** Compares what was told with all that this person's conversations hold. */
  compare(conversations: Iterable<ChatMessage>): void {
    const listed = new Set<string>();
    for (const message of conversations) {
      const { id, status } = message;
      listed.add(id);
      if (!this.#messages.has(id)) this.#tell("missed event", message, "not told of it");
      else if (this.#deleted.has(id)) this.#tell("resurrected", message, "told as deleted");
      else if (status === "unread" && this.#read.has(id)) {
        this.#tell("unread again", message, "told as read");
      } else if (status === "read" && !this.#read.has(id)) {
        this.#tell("missed event", message, "not told that it was read");
      }
    }
    for (const message of this.#messages.values()) {
      if (listed.has(message.id) || this.#deleted.has(message.id)) continue;
      this.#tell("missed event", message, "told of it, and not of its deletion");
    }
  }

  /**
   * Forgets how it came to what it shows, once that was compared: of deleted messages it keeps only
   * that they were told of.
   */
  forgetPast(): void {
    this.#trails.clear();
    for (const id of this.#deleted) {
      const message = this.#messages.get(id);
      if (message !== undefined) this.#messages.set(id, { ...message, content: "" });
    }
    const order = this.#order.splice(0).filter((id) => !this.#deleted.has(id));
    this.#order.push(...order);
  }

  /** Believes what there is, after a disk was lost: what was told of what it alone had is void. */
  adopt(conversations: Iterable<ChatMessage>): void {
    this.#deleted.clear();
    this.#read.clear();
    const listed = new Map([...conversations].map((message) => [message.id, message]));
    for (const id of this.#messages.keys()) if (!listed.has(id)) this.#deleted.add(id);
    for (const message of listed.values()) {
      if (!this.#messages.has(message.id)) this.#order.push(message.id);
      this.#messages.set(message.id, message);
      if (message.status === "read") this.#read.add(message.id);
    }
  }

  #takeMessage(message: ChatMessage): void {
    const { id, sender, recipient, content, status } = message;
    if (sender !== this.#me && recipient !== this.#me) this.#tell("foreign", message, "told of it");
    const known = this.#messages.get(id);
    if (known === undefined) this.#order.push(id);
    else if (known.content === content || known.content === "") {
      this.#tell("doubled event", message, "told of it again");
    } else this.#tell("altered", message, `told of it as ${known.content}`);
    this.#messages.set(id, { id, sender, recipient, content });
    // What is told last holds: whoever tells of a deleted message has to tell of its deletion again.
    this.#deleted.delete(id);
    if (status === "read") this.#read.add(id);
    else this.#read.delete(id);
  }

  #trace(ids: readonly string[], what: string, { payload }: TracedEvent, node: string): void {
    const atMs = Math.round(this.#nowMs());
    const cursor = payload.cursor.slice(0, CURSOR_SHOWN_MAX);
    const entry = `${what} told to ${this.#me} by ${node} at ${atMs} ms, cursor ${cursor}`;
    for (const id of ids) {
      const trail = this.#trails.get(id);
      if (trail === undefined) this.#trails.set(id, [entry]);
      else trail.push(entry);
    }
  }

  #tell(fault: Fault, message: ToldMessage, what: string): void {
    const { id, sender, recipient, content } = message;
    const trail = this.#trails.get(id) ?? [];
    const lines = [`${this.#me}: ${content} (${id}): ${what}`, ...trail];
    this.#report(fault, { id, sender, recipient, content }, lines.join("\n    "));
  }
}

interface TracedEvent {
  readonly payload: Pick<EventPayload<"message">, "cursor">;
}
