import type { Row } from "./message_table.ts";
import type { Provenance } from "./operation.ts";
import { OriginTable } from "./origin_table.ts";
import type { Uint32List } from "./uint32_list.ts";
import type { VersionVector } from "./version_vector.ts";

/** What an operation made visible to somebody. */
export type FeedEvent =
  | {
    readonly kind: "message";
    readonly row: Row;
    /** Of a message that was told before, of another operation with its identity: which. */
    readonly insteadOf?: EventSource;
  }
  | { readonly kind: "read"; readonly reader: number; readonly rows: readonly Row[] }
  | { readonly kind: "deleted"; readonly rows: readonly Row[] };

/** Which operation an event is from. */
export type EventSource = Pick<Provenance, "origin" | "seq">;

const CAPACITY_MIN = 1024;

/**
 * Every visible event in order of arrival, 16 bytes for one of a message: what a client missed is
 * found by walking its account's events and leaving out those its cursor covers. A cursor is a
 * version vector, so it means the same on every node, whatever the order of arrival there.
 */
export class EventFeed {
  readonly #origins = new OriginTable();
  #length = 0;
  #origin = new Uint32Array(CAPACITY_MIN);
  #seq = new Float64Array(CAPACITY_MIN);
  /** A message's row, or -1 - index into #others. */
  #what = new Int32Array(CAPACITY_MIN);
  readonly #others: FeedEvent[] = [];

  /** Events so far: their numbers are below this. */
  get length(): number {
    return this.#length;
  }

  /** Returns the event's number. */
  add(event: FeedEvent, from: EventSource): number {
    if (this.#length === this.#origin.length) this.#grow();
    const number = this.#length++;
    this.#origin[number] = this.#origins.numberOf(from.origin);
    this.#seq[number] = from.seq;
    const isPlain = event.kind === "message" && event.insteadOf === undefined;
    this.#what[number] = isPlain ? event.row : -this.#others.push(event);
    return number;
  }

  /** Those of `numbers` that `cursor` does not cover. */
  *missing(numbers: Uint32List, cursor: VersionVector): Generator<number> {
    const seqs = this.#origins.names.map((origin) => cursor.seqOf(origin));
    for (let index = 0; index < numbers.length; index++) {
      const number = numbers.at(index);
      // An origin may be newer than this walk, and than its cursor.
      if (this.seqOf(number) > (seqs[this.#origin[number] as number] ?? 0)) yield number;
    }
  }

  originOf(number: number): string {
    return this.#origins.nameOf(this.#origin[number] as number);
  }

  seqOf(number: number): number {
    return this.#seq[number] as number;
  }

  /** The operation that the event is from. */
  sourceOf(number: number): EventSource {
    return { origin: this.originOf(number), seq: this.seqOf(number) };
  }

  eventOf(number: number): FeedEvent {
    const what = this.#what[number] as number;
    return what >= 0 ? { kind: "message", row: what } : this.#others[-1 - what] as FeedEvent;
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
