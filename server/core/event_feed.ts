import type { Row } from "./message_table.ts";
import type { Provenance } from "./operation.ts";

/** What an operation made visible to somebody. */
export type FeedEvent =
  | { readonly kind: "message"; readonly row: Row }
  | { readonly kind: "read"; readonly reader: number; readonly rows: readonly Row[] }
  | { readonly kind: "deleted"; readonly rows: readonly Row[] };

const CAPACITY_MIN = 1024;

/**
 * Every visible event in order of arrival, 16 bytes for one of a message: what a client missed is
 * found by walking its account's events and leaving out those its cursor covers. A cursor is a
 * version vector, so it means the same on every node, whatever the order of arrival there.
 */
export class EventFeed {
  readonly #origins: string[] = [];
  readonly #originNumbers = new Map<string, number>();
  #length = 0;
  #origin = new Uint32Array(CAPACITY_MIN);
  #seq = new Float64Array(CAPACITY_MIN);
  /** A message's row, or -1 - index into #others. */
  #what = new Int32Array(CAPACITY_MIN);
  readonly #others: FeedEvent[] = [];

  /** Returns the event's number. */
  add(event: FeedEvent, from: Pick<Provenance, "origin" | "seq">): number {
    if (this.#length === this.#origin.length) this.#grow();
    const number = this.#length++;
    this.#origin[number] = this.#originNumber(from.origin);
    this.#seq[number] = from.seq;
    this.#what[number] = event.kind === "message" ? event.row : -this.#others.push(event);
    return number;
  }

  originOf(number: number): string {
    return this.#origins[this.#origin[number] as number] as string;
  }

  seqOf(number: number): number {
    return this.#seq[number] as number;
  }

  eventOf(number: number): FeedEvent {
    const what = this.#what[number] as number;
    return what >= 0 ? { kind: "message", row: what } : this.#others[-1 - what] as FeedEvent;
  }

  #originNumber(origin: string): number {
    let number = this.#originNumbers.get(origin);
    if (number === undefined) {
      number = this.#origins.push(origin) - 1;
      this.#originNumbers.set(origin, number);
    }
    return number;
  }

  #grow(): void {
    const capacity = this.#length * 2;
    const origin = new Uint32Array(capacity);
    origin.set(this.#origin);
    this.#origin = origin;
    const seq = new Float64Array(capacity);
    seq.set(this.#seq);
    this.#seq = seq;
    const what = new Int32Array(capacity);
    what.set(this.#what);
    this.#what = what;
  }
}
