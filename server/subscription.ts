import { encodeMessage, type Event, LIST_ITEMS_MAX, writeEvent } from "../codec/message.ts";
import type { Account } from "./core/account_table.ts";
import { Cursor } from "./core/cursor.ts";
import type { EventSource, FeedEvent } from "./core/event_feed.ts";
import type { ChatState } from "./core/state.ts";
import type { VersionVector } from "./core/version_vector.ts";
import { describeMessage } from "./requests/message.ts";

/**
 * What one session is told, frame by frame: first what it missed, then what happens, without a seam.
 * It walks its account's feed, so what waits for a slow reader takes no memory of its own.
 *
 * Its client may come from another node, and know messages that this one lacks: what became of these is
 * nothing that this node can tell, though it may know it. Until it knows all that its client does, and
 * has told all that it knows, its cursors leave what became of messages unsettled. What was on one disk
 * alone, and is lost with it, is not waited for.
 */
export class Subscription {
  readonly #state: ChatState;
  readonly #account: Account;
  readonly #isLost: () => boolean;
  /** What the client was told when it subscribed: no message of that is told again. */
  readonly #told: VersionVector;
  /** What became of its client's messages, of which nothing is told again. */
  readonly #settled: VersionVector;
  /** From this place in the feed on, all that its client was told is settled. */
  #settledFrom = 0;
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

  /**
   * Without `since`, from now on. `isLost`: whether what this node lacks of what its client was told, if
   * anything, is nowhere any more.
   */
  constructor(
    state: ChatState,
    account: Account,
    since?: Cursor,
    isLost: () => boolean = () => false,
  ) {
    this.#state = state;
    this.#account = account;
    this.#isLost = isLost;
    this.#told = (since?.told ?? state.vector).copy();
    this.#settled = (since?.settled ?? state.vector).copy();
    this.#seen = this.#told.copy();
    this.#newFrom = account.feed.length;
    this.#at = since === undefined ? this.#newFrom : 0;
    this.#tellable = since === undefined ? new Float64Array() : this.#findTellable();
    const isSettled = since?.isSettled !== false && state.vector.includes(this.#told);
    if (!isSettled) this.#settledFrom = Infinity;
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
      const event = this.#eventAt(this.#at);
      this.#at++;
      if (event !== undefined) {
        if (event.kind === "message") this.#unsettle();
        this.#frames = event.kind === "message"
          ? [this.#encodeMessage(event, number)]
          : this.#encode(event, this.#state.feed.sourceOf(number));
      }
    }
    return this.#frames.shift();
  }

  /** Where its client would go on from, once all frames were taken: it may be ahead of the node. */
  get cursor(): string {
    this.#includeRest();
    this.#settle();
    return this.#cursorText(this.#at);
  }

  /** `at` this place in the feed. */
  #cursorText(at: number): string {
    const isSettled = at >= this.#settledFrom;
    return (isSettled ? this.#seen : new Cursor(this.#seen, this.#settled)).toString();
  }

  /** Up to date, on a node that has all its messages, the client knows what became of each. */
  #settle(): void {
    if (this.#at >= this.#settledFrom || this.#at < this.#account.feed.length) return;
    const hasAll = this.#state.vector.includes(this.#told);
    if (hasAll || this.#isLost()) this.#settledFrom = this.#at;
  }

  /** A message is told as it is here: what became of it elsewhere is to be told, even if it was before. */
  #unsettle(): void {
    if (this.#at <= this.#settledFrom) this.#settled.limit(this.#state.vector);
  }

  #findTellable(): Float64Array {
    const { feed } = this.#state;
    const tellable = new Float64Array(this.#newFrom);
    const untold = new Map<string, number>();
    for (let at = this.#newFrom - 1; at >= 0; at--) {
      const number = this.#account.feed.at(at);
      const source = feed.sourceOf(number);
      const next = untold.get(source.origin) ?? Infinity;
      tellable[at] = next - 1;
      if (this.#told.covers(source)) continue;
      if (source.seq < next) untold.set(source.origin, source.seq);
      if (this.#settledFrom === 0 && this.#state.mayBeLate(number)) this.#settledFrom = at + 1;
    }
    return tellable;
  }

  #eventAt(at: number): FeedEvent | undefined {
    const number = this.#account.feed.at(at);
    const source = this.#state.feed.sourceOf(number);
    if (this.#settled.covers(source)) return undefined;
    const event = this.#state.eventFor(this.#account, number, this.#told);
    if (event?.kind !== "message" || !this.#told.covers(source)) return event;
    // To whom it went, its client may have been told otherwise since: rather twice than wrong.
    return this.#state.wentToSeveral(event.row) ? event : undefined;
  }

  /** No further than what is wholly told: what a state brings is not in the order of its origins. */
  #advance(source: EventSource): void {
    const { origin, seq } = source;
    const { feed } = this.#account;
    const next = Math.max(this.#at, this.#newFrom);
    if (next < feed.length && feed.at(next) <= this.#state.lastMerged) return;
    const tellable = this.#tellable[this.#at - 1] ?? this.#tellableLive(source);
    const told = Math.min(Math.max(seq, this.#seen.seqOf(origin)), tellable);
    const known = Math.min(told, this.#state.vector.seqOf(origin));
    if (known > this.#seen.seqOf(origin)) this.#seen.advance(origin, known);
  }

  /** Up to date, the client has also seen all that is not its business. */
  #includeRest(): void {
    if (this.#at === this.#account.feed.length) this.#seen.include(this.#state.vector);
  }

  /** An operation on several conversations has an event for each, one after the other. */
  #tellableLive({ origin, seq }: EventSource): number {
    const { feed } = this.#account;
    if (this.#at === feed.length) return Infinity;
    const next = feed.at(this.#at);
    const isSame = this.#state.feed.seqOf(next) === seq &&
      this.#state.feed.originOf(next) === origin;
    return isSame ? seq - 1 : Infinity;
  }

  /** Told to many devices at once, and to both sides, it is the same frame: it may be long. */
  #encodeMessage(event: MessageEvent, number: number): Uint8Array {
    const { feed } = this.#state;
    this.#advance(feed.sourceOf(number));
    const { cursor } = this;
    const last = lastFrames.get(this.#state);
    // Whatever changes a message is an event, too.
    const isLast = last?.number === number && last.events === feed.length && last.cursor === cursor;
    if (isLast) return last.frame;
    const payload = { ...describeMessage(this.#state, event.row), cursor };
    const frame = encodeMessage(writeEvent, { kind: "message", payload });
    lastFrames.set(this.#state, { number, events: feed.length, cursor, frame });
    return frame;
  }

  /** A client that is cut off between two frames of one event resumes from before it. */
  #encode(event: RowsEvent, source: EventSource): Uint8Array[] {
    const parts = describeEvent(this.#state, event);
    const before = parts.length > 1 ? this.#cursorText(this.#at - 1) : "";
    this.#advance(source);
    const after = this.cursor;
    return parts.map((part, index) => {
      const cursor = index === parts.length - 1 ? after : before;
      return encodeMessage(writeEvent, withCursor(part, cursor));
    });
  }
}

type MessageEvent = Extract<FeedEvent, { readonly kind: "message" }>;
type RowsEvent = Exclude<FeedEvent, MessageEvent>;

/** The frame of the message that was told last, to whoever has got so far. */
interface LastFrame {
  /** Of its event, and how many events there were. */
  readonly number: number;
  readonly events: number;
  readonly cursor: string;
  readonly frame: Uint8Array;
}

const lastFrames = new WeakMap<ChatState, LastFrame>();

type EventWithoutCursor = Event extends infer E
  ? E extends { kind: infer K; payload: infer P } ? { kind: K; payload: Omit<P, "cursor"> } : never
  : never;

function withCursor(event: EventWithoutCursor, cursor: string): Event {
  return { kind: event.kind, payload: { ...event.payload, cursor } } as Event;
}

/** An event as clients see it, in parts of at most 1,000 ids. */
function describeEvent(state: ChatState, event: RowsEvent): EventWithoutCursor[] {
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
