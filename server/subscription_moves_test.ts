/** Clients that are cut off, and move between nodes. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { apply } from "./core/apply.ts";
import { Cursor } from "./core/cursor.ts";
import type { MessageId, Operation } from "./core/operation.ts";
import { recordsOf } from "./core/snapshot.ts";
import { ChatState } from "./core/state.ts";
import { type Entry, NO_PLACE } from "./core/state_record.ts";
import { VersionVector } from "./core/version_vector.ts";
import { Subscription } from "./subscription.ts";
import { eventIn } from "./testing/exchange.ts";
import {
  ACCOUNTS,
  arrivals,
  extent,
  fold,
  type History,
  history,
  idsToSeveral,
  interleave,
  repeatedAsTheyWere,
  RUNS,
  toOneRecipient,
  viewOf,
  within,
} from "./testing/histories.ts";
import { model } from "./testing/model.ts";

Deno.test("a client that is cut off again and again, before, in and after a merge, misses nothing", () => {
  fc.assert(
    fc.property(
      history,
      extent,
      extent,
      arrivals,
      choices,
      (history, theirs, ours, arrivals, choices) => {
        const fair = repeatedAsTheyWere(history);
        const other = fold(interleave(within(fair, theirs), arrivals));
        const node = new Peer(fair, arrivals);
        for (const operation of interleave(within(fair, ours), arrivals)) node.hear(operation);
        const clients = ACCOUNTS.map((id) => new Roamer(id, [node], fair, choices));
        for (const entry of [...snapshotOf(other), ...fair]) {
          node.hear(entry);
          for (const client of clients) client.act();
        }
        for (const client of clients) client.assertUpToDate();
      },
    ),
    RUNS,
  );
});

const orders = fc.tuple(arrivals, arrivals, arrivals);

Deno.test("a client that moves between nodes that are behind each other misses nothing", () => {
  fc.assert(
    fc.property(history.map(toOneRecipient), orders, choices, (history, orders, choices) => {
      roam(history, orders, choices, "with merges");
    }),
    RUNS,
  );
});

Deno.test("a client that moves misses nothing of messages whose recipient's name meant several people", () => {
  fc.assert(
    // A state says nothing of sendings that lost, and so of who had such a message and has it no more.
    fc.property(history, orders, choices, (history, orders, choices) => {
      roam(history, orders, choices, "without merges");
    }),
    RUNS,
  );
});

/** Of so many steps a node merges another's state in one. */
const MERGES_EVERY = 20;

/** Nodes hear of a history, each in its order, while clients move between them and are cut off. */
function roam(
  history: History,
  orders: readonly (readonly number[])[],
  choices: Iterator<number>,
  how: "with merges" | "without merges",
): void {
  const fair = repeatedAsTheyWere(history);
  const nodes = orders.map((arrivals) => new Peer(fair, arrivals));
  const clients = ACCOUNTS.map((id) => new Roamer(id, nodes, fair, choices));
  while (nodes.some((node) => node.lacks > 0)) {
    for (const node of nodes) {
      for (let left = choose(choices, 3); left > 0; left--) node.hearNext();
      const merges = how === "with merges" && choose(choices, MERGES_EVERY) === 0;
      if (merges) node.mergeFrom(nodes[choose(choices, nodes.length)]);
    }
    for (const client of clients) client.act();
  }
  for (const client of clients) client.assertUpToDate();
}

const choices = fc.infiniteStream(fc.nat({ max: 2 ** 30 }));

/** A number below `count`. */
function choose(choices: Iterator<number>, count: number): number {
  return (choices.next().value ?? 0) % count;
}

/** All of a state, as a node sends it to another. */
function snapshotOf(state: ChatState): Entry[] {
  const records = [...recordsOf(state)].filter((record) => record !== undefined);
  const vector = new Map(state.vector.entries());
  const clock = { timeMs: 0, tick: 0 };
  return [...records, { kind: "coverage", ...NO_PLACE, vector, clock }];
}

/** A node that hears of all of a history, in an order of its own. */
class Peer {
  readonly state = new ChatState();
  /** Messages' operations that came as such, by their ids: of a state only the result comes. */
  readonly sendings = new Map<MessageId, Operation[]>();
  readonly #waiting: Operation[];

  constructor(history: History, arrivals: readonly number[]) {
    this.#waiting = [...interleave(history, arrivals)];
  }

  get lacks(): number {
    return this.#waiting.length;
  }

  hearNext(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) this.hear(next);
  }

  hear(entry: Entry): void {
    const { kind } = apply(this.state, entry);
    if (entry.kind !== "message_sent" || kind === "duplicate" || kind === "gap") return;
    this.sendings.set(entry.id, [...this.sendings.get(entry.id) ?? [], entry]);
  }

  mergeFrom(other: Peer | undefined): void {
    if (other !== undefined) { for (const entry of snapshotOf(other.state)) this.hear(entry); }
  }
}

/** A client that is cut off now and then, and goes on from the cursor of its last event, anywhere. */
class Roamer {
  readonly #account: string;
  readonly #nodes: readonly Peer[];
  readonly #history: History;
  /** Messages whose recipient's name meant several accounts. */
  readonly #moved: ReadonlySet<MessageId>;
  readonly #choices: Iterator<number>;
  readonly #shown = new Map<string, string>();
  readonly #trail: string[] = [];
  /** Of messages that were told since it subscribed last, the contents. */
  readonly #told = new Map<string, string>();
  #cursor = new Cursor(new VersionVector());
  #since = this.#cursor;
  /** Whether there was nothing more to read when it looked last. */
  #isIdle = false;
  #node: Peer;
  #subscription: Subscription;

  constructor(
    account: string,
    nodes: readonly Peer[],
    history: History,
    choices: Iterator<number>,
  ) {
    this.#account = account;
    this.#nodes = nodes;
    this.#history = history;
    this.#moved = idsToSeveral(history);
    this.#choices = choices;
    [this.#node, this.#subscription] = this.#subscribe();
  }

  act(): void {
    // Mostly it is slow: what is told waits for it.
    if (this.#choose(5) === 0) {
      for (let left = this.#choose(5); left > 0; left--) {
        this.#readOne();
      }
    }
    // Somebody came online: told with a cursor, too.
    if (this.#choose(5) === 0 && this.#isIdle) this.#takeCursor(this.#subscription.cursor);
    if (this.#choose(5) === 0) [this.#node, this.#subscription] = this.#subscribe();
  }

  /** Once all nodes know of all the history. */
  assertUpToDate(): void {
    const expected = model(this.#history);
    if (expected.accounts.some(({ id, deleted }) => id === this.#account && deleted)) return;
    for (let moves = 0; moves <= this.#nodes.length; moves++) {
      while (this.#readOne());
      const view = new Map([...this.#shown].sort());
      assertEquals(view, viewOf(expected, this.#account), this.#trail.join("\n"));
      this.#takeCursor(this.#subscription.cursor);
      assert(this.#cursor.isSettled, this.#trail.join("\n"));
      [this.#node, this.#subscription] = this.#subscribe();
    }
  }

  #subscribe(): [Peer, Subscription] {
    const number = this.#choose(this.#nodes.length);
    const node = this.#nodes[number];
    if (node === undefined) throw new Error("Cannot subscribe: there is no such node");
    this.#trail.push(`${this.#account} subscribes on ${number} since ${this.#cursor}`);
    this.#since = this.#cursor;
    this.#isIdle = false;
    this.#told.clear();
    const { state } = node;
    return [node, new Subscription(state, state.accounts.get(this.#account), this.#cursor)];
  }

  #readOne(): boolean {
    const frame = this.#subscription.next();
    this.#isIdle = frame === undefined;
    if (frame === undefined) return false;
    const event = eventIn(frame);
    this.#trail.push(JSON.stringify(event));
    if (event.kind === "message") {
      const { id, content, status } = event.payload;
      this.#assertNew(id, content);
      const isRead = status === "read" || this.#shown.get(id)?.startsWith("read ");
      this.#shown.set(id, `${isRead ? "read" : "unread"} ${content}`);
    } else if (event.kind === "deleted") {
      for (const id of event.payload.ids) this.#forget(id);
    } else if (event.kind === "read") {
      for (const id of event.payload.ids) {
        const shown = this.#shown.get(id);
        if (shown !== undefined) this.#shown.set(id, shown.replace(/^unread/, "read"));
      }
    }
    this.#takeCursor(event.payload.cursor);
    return true;
  }

  #takeCursor(text: string): void {
    this.#trail.push(`${this.#account} is at ${text}`);
    const cursor = Cursor.parse(text);
    assert(cursor !== undefined, `no cursor: ${text}`);
    this.#cursor = cursor;
  }

  #assertNew(id: string, content: string): void {
    // Rather twice than not at all.
    if (this.#moved.has(id)) return;
    const trail = this.#trail.join("\n");
    assert(this.#told.get(id) !== content, `told twice:\n${trail}`);
    this.#told.set(id, content);
    const sendings = this.#node.sendings.get(id) ?? [];
    assert(!sendings.some((sending) => this.#since.told.covers(sending)), `told again:\n${trail}`);
  }

  #forget(id: string): void {
    this.#shown.delete(id);
    this.#told.delete(id);
  }

  #choose(count: number): number {
    return choose(this.#choices, count);
  }
}
