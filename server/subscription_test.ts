import { assertEquals } from "@std/assert";
import { FrameDecoder } from "../codec/frame.ts";
import { type Event, PAYLOAD_BYTES_MAX, readServerMessage } from "../codec/message.ts";
import type { Account } from "./core/account_table.ts";
import { apply } from "./core/apply.ts";
import { messageIdOf } from "./core/message_id.ts";
import type { Fact } from "./core/operation.ts";
import { ChatState } from "./core/state.ts";
import { VersionVector } from "./core/version_vector.ts";
import { Subscription } from "./subscription.ts";

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
