import type { Row } from "./message_table.ts";
import type { Provenance } from "./operation.ts";
import { OriginTable } from "./origin_table.ts";
import type { Uint32List } from "./uint32_list.ts";
import { Uint32Log } from "./uint32_log.ts";
import type { VersionVector } from "./version_vector.ts";

/** What an operation made visible to somebody. */
export type FeedEvent =
  | {
    readonly kind: "message";
    readonly row: Row;
    /** Its recipient had it before, of another operation with its identity: only its time changed. */
    readonly isRepeat?: true;
  }
  | { readonly kind: "read"; readonly reader: number; readonly rows: readonly Row[] }
  | {
    readonly kind: "deleted";
    readonly rows: readonly Row[];
    /** It is gone only for somebody to whom another message of the same identity did not go. */
    readonly isWithdrawal?: true;
  };

/** Which operation an event is from. */
export type EventSource = Pick<Provenance, "origin" | "seq">;

const PAGE_BITS = 12;
const PAGE_EVENTS = 1 << PAGE_BITS;

/** Kinds of events. The column `what` has the message's row. */
const MESSAGE = 0;
/** `what` is an index into what is kept as it came: rare. */
const OTHER = 1;
/** `what` is where these begin in the details: the reader, how many rows, the rows. */
const READ = 2;
/** `what` is where these begin in the details: how many rows, the rows. */
const DELETED = 3;

/**
 * Every visible event in order of arrival, in columns: 17 bytes for a message, 29 for the read of
 * one, 25 for its delete, and nothing for the garbage collector to visit. What a client missed is
 * found by walking its account's events and leaving out those its cursor covers. A cursor is a
 * version vector, so it means the same on every node, whatever the order of arrival there.
 */
export class EventFeed {
  readonly #origins = new OriginTable();
  readonly #pages: EventPage[] = [];
  readonly #details = new Uint32Log();
  readonly #others: FeedEvent[] = [];
  #length = 0;

  /** Events have the numbers below this. */
  get length(): number {
    return this.#length;
  }

  /** Returns the event's number. */
  add(event: FeedEvent, from: EventSource): number {
    const number = this.#length++;
    const at = number % PAGE_EVENTS;
    if (at === 0) this.#pages.push(new EventPage());
    const page = this.#pageOf(number);
    page.origin[at] = this.#origins.numberOf(from.origin);
    page.seq[at] = from.seq;
    switch (event.kind) {
      case "message":
        page.kind[at] = event.isRepeat ? OTHER : MESSAGE;
        page.what[at] = event.isRepeat ? this.#others.push(event) - 1 : event.row;
        break;
      case "read":
        page.kind[at] = READ;
        page.what[at] = this.#details.length;
        this.#details.push(event.reader);
        this.#addRows(event.rows);
        break;
      case "deleted":
        page.kind[at] = event.isWithdrawal ? OTHER : DELETED;
        page.what[at] = event.isWithdrawal ? this.#others.push(event) - 1 : this.#details.length;
        if (!event.isWithdrawal) this.#addRows(event.rows);
        break;
      default:
        event satisfies never;
    }
    return number;
  }

  /** Those of `numbers` that `cursor` does not cover. */
  *missing(numbers: Uint32List, cursor: VersionVector): Generator<number> {
    const seqs = this.#origins.names.map((origin) => cursor.seqOf(origin));
    for (let index = 0; index < numbers.length; index++) {
      const number = numbers.at(index);
      const { origin, seq } = this.#pageOf(number);
      const at = number % PAGE_EVENTS;
      // An origin may be newer than this walk, and than its cursor.
      if (seq[at] as number > (seqs[origin[at] as number] ?? 0)) yield number;
    }
  }

  originOf(number: number): string {
    return this.#origins.nameOf(this.#pageOf(number).origin[number % PAGE_EVENTS] as number);
  }

  seqOf(number: number): number {
    return this.#pageOf(number).seq[number % PAGE_EVENTS] as number;
  }

  /** The operation that the event is from. */
  sourceOf(number: number): EventSource {
    return { origin: this.originOf(number), seq: this.seqOf(number) };
  }

  eventOf(number: number): FeedEvent {
    const page = this.#pageOf(number);
    const what = page.what[number % PAGE_EVENTS] as number;
    switch (page.kind[number % PAGE_EVENTS]) {
      case MESSAGE:
        return { kind: "message", row: what };
      case OTHER:
        return this.#others[what] as FeedEvent;
      case READ:
        return { kind: "read", reader: this.#details.at(what), rows: this.#rowsAt(what + 1) };
      default:
        return { kind: "deleted", rows: this.#rowsAt(what) };
    }
  }

  #pageOf(number: number): EventPage {
    return this.#pages[number >>> PAGE_BITS] as EventPage;
  }

  #addRows(rows: readonly Row[]): void {
    this.#details.push(rows.length);
    for (const row of rows) this.#details.push(row);
  }

  #rowsAt(place: number): Row[] {
    const count = this.#details.at(place);
    return Array.from({ length: count }, (_, index) => this.#details.at(place + 1 + index));
  }
}

class EventPage {
  readonly origin = new Uint32Array(PAGE_EVENTS);
  readonly seq = new Float64Array(PAGE_EVENTS);
  readonly kind = new Uint8Array(PAGE_EVENTS);
  readonly what = new Uint32Array(PAGE_EVENTS);
}
