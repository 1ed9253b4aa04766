import { encodeMessage, type Event, LIST_ITEMS_MAX, writeEvent } from "../codec/message.ts";
import type { Account } from "./core/account_table.ts";
import type { EventSource, FeedEvent } from "./core/event_feed.ts";
import type { ChatState } from "./core/state.ts";
import type { VersionVector } from "./core/version_vector.ts";
import { describeMessage } from "./requests/message.ts";

/**
 * What one session is told, frame by frame: first what it missed, then what happens, without a seam.
 * It walks its account's feed, so what waits for a slow reader takes no memory of its own.
 */
export class Subscription {
  readonly #state: ChatState;
  readonly #account: Account;
  /** What the client had when it subscribed: nothing of that is told again. */
  readonly #since: VersionVector;
  /** What it has, once it has got the frames that were taken so far. */
  readonly #seen: VersionVector;
  #at: number;
  /**
   * By the place in the account's feed from its start: how much of its origin has been told once that is
   * told, if all before it was. What a state brought is not in the order of its origins.
   */
  readonly #tellable: Float64Array;
  /** The first event that is new since the client subscribed. */
  readonly #newFrom: number;
  #frames: Uint8Array[] = [];

  /** Without `since`, from now on. */
  constructor(state: ChatState, account: Account, since?: VersionVector) {
    this.#state = state;
    this.#account = account;
    this.#since = (since ?? state.vector).copy();
    this.#seen = this.#since.copy();
    this.#newFrom = account.feed.length;
    this.#at = since === undefined ? this.#newFrom : 0;
    this.#tellable = since === undefined ? new Float64Array() : this.#findTellable();
  }

  /** How many events are left, in frames. */
  count(): number {
    let count = 0;
    for (let at = this.#at; at < this.#account.feed.length; at++) {
      const event = this.#eventAt(at);
      if (event === undefined) continue;
      count += event.kind === "message" ? 1 : Math.ceil(event.rows.length / LIST_ITEMS_MAX);
    }
    return count;
  }

  /** The next frame; undefined while there is nothing to tell. */
  next(): Uint8Array | undefined {
    while (this.#frames.length === 0 && this.#at < this.#account.feed.length) {
      const number = this.#account.feed.at(this.#at);
      const event = this.#eventAt(this.#at++);
      if (event !== undefined) {
        this.#frames = this.#encode(event, this.#state.feed.sourceOf(number));
      }
    }
    return this.#frames.shift();
  }

  #findTellable(): Float64Array {
    const { feed } = this.#state;
    const tellable = new Float64Array(this.#newFrom);
    const untold = new Map<string, number>();
    for (let at = this.#newFrom - 1; at >= 0; at--) {
      const source = feed.sourceOf(this.#account.feed.at(at));
      const next = untold.get(source.origin) ?? Infinity;
      tellable[at] = next - 1;
      if (source.seq < next && !this.#since.covers(source)) untold.set(source.origin, source.seq);
    }
    return tellable;
  }

  #eventAt(at: number): FeedEvent | undefined {
    const number = this.#account.feed.at(at);
    if (this.#since.covers(this.#state.feed.sourceOf(number))) {
      return at < this.#newFrom ? undefined : this.#correction(number);
    }
    const event = this.#state.eventFor(this.#account, number);
    // Only its time may have changed.
    const hasIt = event?.kind === "message" && event.insteadOf !== undefined &&
      this.#seen.covers(event.insteadOf);
    return hasIt ? undefined : event;
  }

  /**
   * What the client saw happen to a message on another node, and is told again as it was told the
   * message again: its sender had repeated it on this node, which was behind.
   */
  #correction(number: number): FeedEvent | undefined {
    const event = this.#state.eventFor(this.#account, number);
    if (event === undefined || event.kind === "message") return undefined;
    const { messages } = this.#state;
    const rows = event.rows.filter((row) =>
      messages.hasCome(row) && !this.#since.covers(messages.provenanceOf(row))
    );
    return rows.length === 0 ? undefined : { ...event, rows };
  }

  /** No further than what is wholly told: what a state brings is not in the order of its origins. */
  #advance({ origin, seq }: EventSource): void {
    const { feed } = this.#account;
    const next = Math.max(this.#at, this.#newFrom);
    if (next < feed.length && feed.at(next) <= this.#state.lastMerged) return;
    const tellable = this.#tellable[this.#at - 1] ?? Infinity;
    const told = Math.min(Math.max(seq, this.#seen.seqOf(origin)), tellable);
    const known = Math.min(told, this.#state.vector.seqOf(origin));
    if (known > this.#seen.seqOf(origin)) this.#seen.advance(origin, known);
  }

  /** A client that is cut off between two frames of one event resumes from before it. */
  #encode(event: FeedEvent, source: EventSource): Uint8Array[] {
    const before = this.#seen.toString();
    this.#advance(source);
    // Up to date, the client has also seen all that is not its business.
    if (this.#at === this.#account.feed.length) this.#seen.include(this.#state.vector);
    const after = this.#seen.toString();
    const parts = describeEvent(this.#state, event);
    return parts.map((part, index) => {
      const cursor = index === parts.length - 1 ? after : before;
      return encodeMessage(writeEvent, withCursor(part, cursor));
    });
  }
}

type EventWithoutCursor = Event extends infer E
  ? E extends { kind: infer K; payload: infer P } ? { kind: K; payload: Omit<P, "cursor"> } : never
  : never;

function withCursor(event: EventWithoutCursor, cursor: string): Event {
  return { kind: event.kind, payload: { ...event.payload, cursor } } as Event;
}

/** An event as clients see it, in parts of at most 1,000 ids. */
function describeEvent(state: ChatState, event: FeedEvent): EventWithoutCursor[] {
  if (event.kind === "message") {
    return [{ kind: "message", payload: describeMessage(state, event.row) }];
  }
  const parts: EventWithoutCursor[] = [];
  for (let start = 0; start < event.rows.length; start += LIST_ITEMS_MAX) {
    const ids = event.rows.slice(start, start + LIST_ITEMS_MAX)
      .map((row) => state.messages.idOf(row));
    if (event.kind === "read") {
      const reader = state.accounts.nameOf(state.accounts.at(event.reader));
      parts.push({ kind: "read", payload: { reader, ids } });
    } else {
      parts.push({ kind: "deleted", payload: { ids } });
    }
  }
  return parts;
}
