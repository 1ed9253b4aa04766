import { assertEquals } from "@std/assert";
import { type Event, LIST_ITEMS_MAX } from "../codec/message.ts";
import type { Account } from "./core/account_table.ts";
import { apply } from "./core/apply.ts";
import { Cursor } from "./core/cursor.ts";
import { messageIdOf } from "./core/message_id.ts";
import type { Fact } from "./core/operation.ts";
import { ChatState } from "./core/state.ts";
import { Subscription } from "./subscription.ts";
import { eventIn } from "./testing/exchange.ts";

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
const nothing: Fact = { kind: "messages_read", by: BOB, ids: [] };
const deleted: Fact = { kind: "messages_deleted", by: ALICE, ids: [ID] };

const KIND_TOLD: Partial<Record<Fact["kind"], Event["kind"]>> = {
  messages_read: "read",
  messages_deleted: "deleted",
};

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
    return new Subscription(this.state, this.bob, Cursor.parse(since));
  }
}

function told(subscription: Subscription): Event["kind"][] {
  return eventsOf(subscription).map(({ kind }) => kind);
}

function eventsOf(subscription: Subscription): Event[] {
  const events: Event[] = [];
  for (;;) {
    const bytes = subscription.next();
    if (bytes === undefined) return events;
    events.push(eventIn(bytes));
  }
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

Deno.test("Subscription tells of a message that was repeated, wherever its client was cut off", () => {
  const node = new Node();
  const other = messageIdOf(ALICE, "other");
  // The client has all that was before, of both nodes, when the message and its repetition come.
  for (let seq = 1; seq <= 12; seq++) node.hear("a.x", nothing, seq);
  for (let seq = 1; seq <= 16; seq++) node.hear("b.x", nothing, seq);
  const before = node.state.vector.toString();
  node.hear("b.x", sent, 40);
  node.hear("b.x", { ...sent, id: other }, 41);
  node.hear("b.x", { kind: "messages_read", by: BOB, ids: [other] }, 42);
  node.hear("a.x", sent, 30);
  const whole = eventsOf(node.subscribe(before));
  assertEquals(whole.map(({ kind }) => kind), ["message", "message", "read"]);
  for (const [index, { payload }] of whole.entries()) {
    const rest = eventsOf(node.subscribe(payload.cursor));
    assertEquals(rest.map(({ kind }) => kind), whole.slice(index + 1).map(({ kind }) => kind));
  }
});

Deno.test("Subscription does not tell again what its client has from a repetition that lost", () => {
  const node = new Node();
  node.hear("a.x", sent, 10);
  const subscription = node.subscribe("b.x:1");
  node.hear("b.x", sent, 20);
  assertEquals(told(subscription), []);
  assertEquals(told(node.subscribe("b.x:1")), []);
  assertEquals(told(node.subscribe("a.x:1")), []);
});

Deno.test("Subscription tells all of an operation on several conversations to who is cut off in it", () => {
  const node = new Node();
  const fromCarol = messageIdOf("carolcarolca", "key");
  node.hear("a.x", sent, 10);
  node.hear("a.x", { ...sent, id: fromCarol }, 11);
  const live = node.subscribe("a.x:2");
  node.hear("a.x", { kind: "messages_deleted", by: BOB, ids: [ID, fromCarol] }, 12);
  const [first, second] = eventsOf(live);
  assertEquals([first?.payload.cursor, second?.payload.cursor], ["a.x:2", "a.x:3"]);
  assertEquals(told(node.subscribe(first?.payload.cursor ?? "")), ["deleted", "deleted"]);
});

Deno.test("Subscription.cursor stays ahead of a node that lacks what its client has", () => {
  const node = new Node();
  const subscription = node.subscribe("b.x:7");
  node.hear("a.x", sent, 10);
  assertEquals(subscription.cursor, "b.x:7");
  assertEquals(told(subscription), ["message"]);
  node.hear("a.x", nothing, 11);
  assertEquals(subscription.cursor, "b.x:7/0,a.x:2/0");
});

for (const fact of [read, deleted]) {
  Deno.test(`a client that was on a node with a message's ${fact.kind}, and without it, is told elsewhere`, () => {
    const [behind, whole] = [new Node(), new Node()];
    behind.hear("c.x", fact, 15);
    const there = behind.subscribe("a.x:1");
    behind.hear("b.x", { ...sent, id: messageIdOf(ALICE, "other") }, 20);
    const [other] = eventsOf(there);
    assertEquals(other?.payload.cursor, "a.x:1/0,b.x:1/0,c.x:1/0");
    whole.hear("a.x", sent, 10);
    whole.hear("c.x", fact, 15);
    const here = whole.subscribe(other?.payload.cursor ?? "");
    assertEquals(here.count(), 1);
    assertEquals(told(here), [KIND_TOLD[fact.kind]]);
  });

  Deno.test(`a client that was told a message by a node without its ${fact.kind} is told elsewhere`, () => {
    const [behind, whole] = [new Node(), new Node()];
    behind.hear("a.x", sent, 10);
    // It comes from a node that knows what became of the message, and not the message.
    const [message] = eventsOf(behind.subscribe("c.x:1"));
    assertEquals(message?.payload.cursor, "c.x:1/0,a.x:1/0");
    whole.hear("c.x", fact, 15);
    whole.hear("a.x", sent, 10);
    const here = whole.subscribe(message?.payload.cursor ?? "");
    assertEquals(told(here), [KIND_TOLD[fact.kind]]);
    assertEquals(here.cursor, "c.x:1,a.x:1");
  });

  Deno.test(`a client is told of a message's ${fact.kind} that two nodes made, whichever came first`, () => {
    const [one, two] = [new Node(), new Node()];
    const other: Fact = { ...sent, id: messageIdOf(ALICE, "other") };
    const unrelated: Fact = { ...sent, id: messageIdOf(ALICE, "unrelated") };
    one.hear("c.x", fact, 15);
    one.hear("b.x", fact, 16);
    one.hear("b.x", other, 20);
    one.hear("a.x", sent, 10);
    one.hear("b.x", unrelated, 21);
    two.hear("a.x", sent, 10);
    two.hear("b.x", fact, 16);
    two.hear("c.x", fact, 15);
    two.hear("b.x", other, 20);
    two.hear("b.x", unrelated, 21);
    const events = eventsOf(one.subscribe("a.x:1"));
    assertEquals(events.map(({ kind }) => kind), ["message", KIND_TOLD[fact.kind], "message"]);
    const rest = two.subscribe(events[0]?.payload.cursor ?? "");
    assertEquals(told(rest), [KIND_TOLD[fact.kind], "message"]);
    assertEquals(events[1]?.payload.cursor, "a.x:1,b.x:2,c.x:1");
  });
}

Deno.test("Subscription.cursor is settled once its node has all that its client knows", () => {
  const node = new Node();
  const subscription = node.subscribe("a.x:2/0,c.x:1/0");
  assertEquals(subscription.cursor, "a.x:2/0,c.x:1/0");
  node.hear("c.x", read, 15);
  node.hear("a.x", sent, 10);
  assertEquals(eventsOf(subscription).map(({ payload }) => payload.cursor), ["a.x:2/0,c.x:1/0"]);
  node.hear("a.x", nothing, 11);
  assertEquals(subscription.cursor, "a.x:2,c.x:1");
  node.hear("a.x", deleted, 12);
  assertEquals(eventsOf(subscription).map(({ payload }) => payload.cursor), ["a.x:3,c.x:1"]);
});

Deno.test("Subscription.cursor is settled without what is lost", () => {
  const node = new Node();
  let isLost = false;
  const since = Cursor.parse("a.x:1,b.x:7");
  const subscription = new Subscription(node.state, node.bob, since, () => isLost);
  node.hear("a.x", sent, 10);
  node.hear("a.x", read, 11);
  assertEquals(eventsOf(subscription)[0]?.payload.cursor, "a.x:2/1,b.x:7");
  isLost = true;
  assertEquals(subscription.cursor, "a.x:2,b.x:7");
});

Deno.test("Subscription settles an event of several frames with the last of them", () => {
  const node = new Node();
  const ids = Array.from({ length: LIST_ITEMS_MAX + 1 }, (_, key) => messageIdOf(ALICE, `${key}`));
  for (const [index, id] of ids.entries()) node.hear("a.x", { ...sent, id }, 10 + index);
  const subscription = node.subscribe("a.x:1001,d.x:1");
  node.hear("d.x", nothing, 5000);
  node.hear("c.x", { kind: "messages_deleted", by: ALICE, ids }, 5001);
  assertEquals(eventsOf(subscription).map(({ payload }) => payload.cursor), [
    "a.x:1001,d.x:1",
    "a.x:1001,d.x:1,c.x:1",
  ]);
});

Deno.test("Subscription tells what is not settled, and no message, to who comes to a whole node", () => {
  const node = new Node();
  node.hear("a.x", sent, 10);
  node.hear("a.x", read, 11);
  const subscription = node.subscribe("a.x:2/0");
  assertEquals(subscription.count(), 1);
  assertEquals(told(subscription), ["read"]);
  assertEquals(subscription.cursor, "a.x:2");
});
