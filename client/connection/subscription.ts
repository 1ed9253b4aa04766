import type { Event } from "../../codec/message.ts";
import { ClosedError } from "./errors.ts";
import { EventQueue, type QueueLimits } from "./event_queue.ts";
import { type Link, LinkLostError } from "./link.ts";
import { payloadOf } from "./reply.ts";

/**
 * An event as a client tells it. `late`: it happened before this connection was subscribed, and was
 * made up for; a person need not be alarmed by it any more.
 */
export type ClientEvent = Event & { readonly late: boolean };

/** Messages that are remembered as told; a sender repeats itself within seconds of a failover. */
const TOLD_MAX = 10_000;

/**
 * The events of one account over any number of connections: each subscribes from the cursor of the
 * last event that came, so that none is missed and none comes twice.
 */
export class Subscription implements AsyncIterable<ClientEvent> {
  readonly #queue: EventQueue<ClientEvent>;
  readonly #started = Promise.withResolvers<void>();
  /** Ids of messages that came, or that are gone, oldest first. */
  readonly #told = new Set<string>();
  #cursor: string | undefined;
  #link: Link | undefined;
  #isLate = false;

  constructor(since: string | undefined, limits: QueueLimits) {
    this.#cursor = since;
    this.#queue = new EventQueue(limits);
    // Whoever waits for it sees the failure; so does whoever takes the events.
    this.#started.promise.catch(() => undefined);
  }

  /** Resolves when a server has subscribed the client: what happens from then on is told. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Where the events that were received so far end; undefined before it is known. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Leaving the loop ends the subscription. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ClientEvent, void> {
    try {
      yield* this.#queue;
    } finally {
      this.end();
    }
  }

  /** Goes on over a connection that is signed in. */
  async attach(link: Link): Promise<void> {
    this.#link = link;
    // Requests may go on over this connection meanwhile: the consumer may be waiting for one.
    await this.#queue.room();
    if (this.#link !== link || this.#queue.hasEnded) return;
    const since = this.#cursor;
    this.#isLate = since !== undefined;
    try {
      const payload = since === undefined ? {} : { since };
      const reply = await link.request({ kind: "subscribe", payload });
      // With `since`, the reply's cursor would skip what is still to be made up for.
      const { cursor } = payloadOf(reply, "done");
      this.#cursor ??= cursor;
      this.#started.resolve();
      // What was missed comes before the answer to what is asked next.
      await link.request({ kind: "ping", payload: null }, () => this.#isLate = false);
    } catch (error) {
      if (!(error instanceof LinkLostError)) this.end(error);
    }
  }

  /** Takes an event from a connection; the promise, if any, is when it will take more. */
  accept(event: Event, bytes: number): Promise<void> | undefined {
    this.#cursor = event.payload.cursor;
    if (event.kind === "message" && this.#wasTold(event.payload.id)) return undefined;
    // Whoever is behind may tell a message that is gone, and its deletion not again.
    if (event.kind === "deleted") { for (const id of event.payload.ids) this.#wasTold(id); }
    this.#queue.push({ ...event, late: this.#isLate }, bytes);
    return this.#queue.isFull ? this.#queue.room() : undefined;
  }

  /**
   * Tells that the account's name has changed, when it is a sign-in that says so: nodes send that
   * event only to those who are there when it happens.
   */
  rename(from: string, to: string): void {
    // Before the start nothing was told under the old name.
    if (this.#cursor === undefined) return;
    const payload = { from, to, cursor: this.#cursor };
    this.#queue.push({ kind: "renamed", payload, late: true }, 0);
  }

  /**
   * Whether a message was told before; from now on it was. One that was told by a node that died, and
   * then sent again by way of another, is news to that other node: no cursor can say that it is none.
   */
  #wasTold(id: string): boolean {
    if (this.#told.has(id)) return true;
    this.#told.add(id);
    const [oldest] = this.#told;
    if (this.#told.size > TOLD_MAX && oldest !== undefined) this.#told.delete(oldest);
    return false;
  }

  /** What came can still be taken; then comes the end, or `error`. */
  end(error?: unknown): void {
    this.#link = undefined;
    this.#queue.end(error);
    this.#started.reject(error ?? new ClosedError("Cannot subscribe: the client was closed"));
  }
}
