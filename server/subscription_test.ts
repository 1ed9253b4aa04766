import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FrameDecoder } from "../codec/frame.ts";
import { type Event, PAYLOAD_BYTES_MAX, readServerMessage } from "../codec/message.ts";
import type { Account } from "./core/account_table.ts";
import { apply } from "./core/apply.ts";
import { messageIdOf } from "./core/message_id.ts";
import type { Fact } from "./core/operation.ts";
import { recordsOf } from "./core/snapshot.ts";
import { ChatState } from "./core/state.ts";
import { NO_PLACE } from "./core/state_record.ts";
import { VersionVector } from "./core/version_vector.ts";
import { Subscription } from "./subscription.ts";
import {
  ACCOUNTS,
  arrivals,
  extent,
  fold,
  history,
  interleave,
  model,
  RUNS,
  viewOf,
  within,
  withoutRepeats,
} from "./testing/histories.ts";

const [ALICE, BOB] = ["alicealiceal", "bobbobbobbob"];
const ID = messageIdOf(ALICE, "key");

const sent: Fact = {
  kind: "message_sent",
  id: ID,
  sender: "alice",
  recipient: "bob",
  recipientAccount: BOB,
  content: "hello",
};
const read: Fact = { kind: "messages_read", by: BOB, ids: [ID] };
const deleted: Fact = { kind: "messages_deleted", by: ALICE, ids: [ID] };

/** A node that hears of facts from others, and what a subscriber of Bob's is told. */
class Node {
  readonly state = new ChatState();
  readonly #seqs = new Map<string, number>();
  readonly #times = new Map<string, number>();

  hear(origin: string, fact: Fact, timeMs: number): void {
    const seq = (this.#seqs.get(origin) ?? 0) + 1;
    this.#seqs.set(origin, seq);
    this.#times.set(origin, timeMs);
    apply(this.state, { ...fact, origin, seq, timeMs, tick: 0 });
  }

  get bob(): Account {
    return this.state.accounts.get(BOB);
  }

  subscribe(since: string): Subscription {
    return new Subscription(this.state, this.bob, VersionVector.parse(since));
  }
}

function told(subscription: Subscription): Event["kind"][] {
  const kinds: Event["kind"][] = [];
  const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
  for (;;) {
    const bytes = subscription.next();
    if (bytes === undefined) return kinds;
    for (const frame of decoder.push(bytes)) kinds.push((readServerMessage(frame) as Event).kind);
  }
}

function eventIn(bytes: Uint8Array): Event {
  const [frame] = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX }).push(bytes);
  return readServerMessage(frame ?? { type: 0, payload: bytes }) as Event;
}

Deno.test("Subscription tells once what its cursor does not cover, in whatever order it arrives", () => {
  const node = new Node();
  const subscription = node.subscribe("a.x:1");
  node.hear("a.x", sent, 10);
  node.hear("a.x", read, 11);
  assertEquals(told(subscription), ["read"]);
});

Deno.test("Subscription tells what became of a message that it had to tell again", () => {
  for (const fact of [read, deleted]) {
    const node = new Node();
    // The cursor is of a node that had the message from a, and what became of it from c.
    const subscription = node.subscribe("a.x:1,c.x:1");
    node.hear("b.x", sent, 20);
    assertEquals(told(subscription), ["message"]);
    node.hear("c.x", fact, 15);
    assertEquals(told(subscription), [fact === read ? "read" : "deleted"]);
  }
});

Deno.test("Subscription does not tell a message again when an earlier one of its key arrives", () => {
  const node = new Node();
  const subscription = node.subscribe("");
  node.hear("b.x", sent, 20);
  assertEquals(told(subscription), ["message"]);
  node.hear("a.x", sent, 10);
  assertEquals(told(subscription), []);
  // Who comes later is told it once, as it is now.
  assertEquals(told(node.subscribe("")), ["message"]);
});

Deno.test("a client that is cut off again and again, before, in and after a merge, misses nothing", () => {
  const cuts = fc.infiniteStream(fc.nat(4));
  fc.assert(
    fc.property(
      history,
      extent,
      extent,
      arrivals,
      cuts,
      (history, theirs, ours, arrivals, cuts) => {
        const fair = withoutRepeats(history);
        const other = fold(interleave(within(fair, theirs), arrivals));
        const state = fold(interleave(within(fair, ours), arrivals));
        const records = [...recordsOf(other)].filter((record) => record !== undefined);
        const coverage = {
          kind: "coverage" as const,
          ...NO_PLACE,
          vector: new Map(other.vector.entries()),
          clock: { timeMs: 0, tick: 0 },
        };
        const accounts = ACCOUNTS.map((id) => state.accounts.get(id));
        const clients = accounts.map((account) => new CutOff(state, account, cuts));
        for (const entry of [...records, coverage, ...fair]) {
          apply(state, entry);
          for (const client of clients) client.readSome();
        }
        for (const [index, client] of clients.entries()) {
          client.readAll();
          const account = accounts[index];
          if (account === undefined || account.deleted) continue;
          assertEquals(client.view, viewOf(model(fair), account.id));
        }
      },
    ),
    RUNS,
  );
});

/** A client that is cut off now and then, and goes on from the cursor of its last event. */
class CutOff {
  readonly #state: ChatState;
  readonly #account: Account;
  readonly #cuts: Iterator<number>;
  readonly #shown = new Map<string, string>();
  #cursor = new VersionVector();
  #subscription: Subscription;

  constructor(state: ChatState, account: Account, cuts: Iterator<number>) {
    this.#state = state;
    this.#account = account;
    this.#cuts = cuts;
    this.#subscription = new Subscription(state, account, this.#cursor);
  }

  get view(): Map<string, string> {
    return new Map([...this.#shown].sort());
  }

  readSome(): void {
    // Mostly it is slow: what is told waits for it.
    if (this.#next() === 0) { for (let left = this.#next(); left > 0; left--) this.#readOne(); }
    if (this.#next() === 0) {
      this.#subscription = new Subscription(this.#state, this.#account, this.#cursor);
    }
  }

  readAll(): void {
    while (this.#readOne());
  }

  #readOne(): boolean {
    const frame = this.#subscription.next();
    if (frame === undefined) return false;
    const event = eventIn(frame);
    if (event.kind === "message") {
      const { id, content, status } = event.payload;
      this.#shown.set(id, `${status} ${content}`);
    } else if (event.kind === "deleted") {
      for (const id of event.payload.ids) this.#shown.delete(id);
    } else if (event.kind === "read") {
      for (const id of event.payload.ids) {
        const shown = this.#shown.get(id);
        if (shown !== undefined) this.#shown.set(id, shown.replace(/^unread/, "read"));
      }
    }
    this.#cursor = VersionVector.parse(event.payload.cursor) ?? this.#cursor;
    return true;
  }

  #next(): number {
    return this.#cuts.next().value ?? 0;
  }
}
