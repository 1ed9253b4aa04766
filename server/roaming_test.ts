/** What a client is shown that goes from node to node, while senders repeat what nobody answered. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { apply } from "./core/apply.ts";
import { messageIdOf } from "./core/message_id.ts";
import type { Fact, MessageId, Operation } from "./core/operation.ts";
import { ChatState } from "./core/state.ts";
import { Cursor } from "./core/cursor.ts";
import { Subscription } from "./subscription.ts";
import { eventIn } from "./testing/exchange.ts";
import { RUNS } from "./testing/histories.ts";

const [ALICE, BOB] = ["alicealiceal", "bobbobbobbob"] as const;
const NODES = [0, 1, 2];
const IDS = Array.from({ length: 2 }, (_, number) => messageIdOf(ALICE, `key ${number}`));

/** Clocks are apart: a message that is sent again may be the earlier one. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("send", "read", "delete"),
      node: fc.constantFrom(...NODES),
      id: fc.constantFrom(...IDS),
      passedMs: fc.nat(3),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("hear" as const),
      node: fc.constantFrom(...NODES),
      from: fc.constantFrom(...NODES),
      count: fc.nat(3),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("tell" as const), count: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("go" as const), to: fc.constantFrom(...NODES) }),
  },
);

Deno.test("a client that goes from node to node is shown in the end what there is", () => {
  fc.assert(
    // Without a size most would be too short for a client to go anywhere.
    fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
      const nodes = NODES.map((number) => new Node(`node${number}`));
      const nodeAt = (number: number) => nodes[number] ?? new Node("none");
      const client = new Client(nodeAt(0));
      for (const step of steps) {
        switch (step.kind) {
          case "hear":
            nodeAt(step.node).hear(nodeAt(step.from), step.count);
            break;
          case "tell":
            for (let left = step.count; left > 0; left--) client.take();
            break;
          case "go":
            client.goTo(nodeAt(step.to));
            break;
          default:
            nodeAt(step.node).do(step);
        }
      }
      for (const node of nodes) for (const other of nodes) node.hear(other, Infinity);
      while (client.take());
      assertEquals(client.shown, nodeAt(0).view(), client.trace.join("\n"));
    }),
    RUNS,
  );
});

class Node {
  readonly state = new ChatState();
  readonly #name: string;
  readonly #log: Operation[] = [];
  #timeMs = 1;

  constructor(name: string) {
    this.#name = name;
  }

  do({ kind, id, passedMs }: { kind: string; id: MessageId; passedMs: number }): void {
    const { messages } = this.state;
    const row = messages.find(id);
    const isThere = row !== undefined && messages.isPresent(row);
    this.#timeMs += passedMs;
    if (kind === "send" && !(row !== undefined && messages.hasCome(row))) {
      const content = `what ${id} says`;
      const names = { sender: "alice", recipient: "bob", recipientAccount: BOB };
      this.#submit({ kind: "message_sent", id, ...names, content });
    } else if (kind === "read" && isThere && !messages.isRead(row)) {
      this.#submit({ kind: "messages_read", by: BOB, ids: [id] });
    } else if (kind === "delete" && isThere) {
      this.#submit({ kind: "messages_deleted", by: ALICE, ids: [id] });
    }
  }

  /** As over a link: in the order in which the other one has it, from the first that is missing. */
  hear(other: Node, count: number): void {
    const missing = other.#log.filter((operation) => !this.state.vector.covers(operation));
    for (const operation of missing.slice(0, count)) this.#take(operation);
  }

  view(): Map<MessageId, string> {
    const { messages } = this.state;
    return new Map(IDS.flatMap((id) => {
      const row = messages.find(id);
      if (row === undefined || !messages.isPresent(row)) return [];
      return [[id, messages.isRead(row) ? "read" : "unread"]];
    }));
  }

  #submit(fact: Fact): void {
    const origin = `${this.#name}.x`;
    const seq = this.state.vector.seqOf(origin) + 1;
    this.#take({ ...fact, origin, seq, timeMs: this.#timeMs, tick: seq });
  }

  #take(operation: Operation): void {
    apply(this.state, operation);
    this.#log.push(operation);
  }
}

/** Bob's, who keeps to what docs/PROTOCOL.md says of cursors. */
class Client {
  readonly trace: string[] = [];
  readonly #shown = new Map<MessageId, string>();
  /** Or told to be gone. */
  readonly #had = new Set<MessageId>();
  #cursor = "";
  #subscription: Subscription;

  constructor(node: Node) {
    this.#subscription = this.#subscribe(node);
  }

  get shown(): Map<MessageId, string> {
    return new Map(IDS.flatMap((id) => {
      const shown = this.#shown.get(id);
      return shown === undefined ? [] : [[id, shown]];
    }));
  }

  goTo(node: Node): void {
    this.#subscription = this.#subscribe(node);
    this.trace.push(`goes on from ${this.#cursor}`);
  }

  /** Whether there was an event. */
  take(): boolean {
    const bytes = this.#subscription.next();
    if (bytes === undefined) return false;
    const event = eventIn(bytes);
    this.trace.push(JSON.stringify(event));
    this.#cursor = event.payload.cursor;
    if (event.kind === "message") {
      const { id, status } = event.payload;
      if (!this.#had.has(id)) this.#shown.set(id, status);
      this.#had.add(id);
    } else if (event.kind === "read") {
      for (const id of event.payload.ids) if (this.#shown.has(id)) this.#shown.set(id, "read");
    } else if (event.kind === "deleted") {
      for (const id of event.payload.ids) {
        this.#shown.delete(id);
        this.#had.add(id);
      }
    }
    return true;
  }

  #subscribe({ state }: Node): Subscription {
    const since = Cursor.parse(this.#cursor);
    return new Subscription(state, state.accounts.get(BOB), since);
  }
}
