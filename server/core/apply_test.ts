import { assertEquals, assertNotEquals } from "@std/assert";
import { counted, observe, recount } from "../testing/observe.ts";
import { apply } from "./apply.ts";
import type { Change } from "./effects.ts";
import { messageIdOf } from "./message_id.ts";
import type { AccountId, Fact, MessageId, Operation } from "./operation.ts";
import { ChatState } from "./state.ts";
import { VersionVector } from "./version_vector.ts";

const ALICE = "alicealice22";
const BOB = "bobbobbobb22";
const CAROL = "carolcarol22";
const ID = idOf(ALICE);

Deno.test("apply() keeps a message, unread, in the conversation of both", () => {
  const node = new Node();
  node.hear("a", message());
  assertEquals(node.inbox(ALICE, BOB), ["alice: hello (unread)"]);
  assertEquals(node.inbox(BOB, ALICE), ["alice: hello (unread)"]);
  assertEquals([node.unread(BOB), node.unread(ALICE)], [1, 0]);
});

Deno.test("apply() takes an operation that it has already as a duplicate, and changes nothing", () => {
  const node = new Node();
  const operation = node.hear("a", message()).operation;
  const before = [observe(node.state), node.state.digest];
  assertEquals(apply(node.state, operation), { kind: "duplicate" });
  assertEquals([observe(node.state), node.state.digest], before);
});

Deno.test("apply() says what is missing at a gap, and changes nothing", () => {
  const node = new Node();
  const operation: Operation = { ...message(), timeMs: 1, tick: 0, origin: "a.e", seq: 3 };
  assertEquals(apply(node.state, operation), { kind: "gap", expectedSeq: 1 });
  assertEquals([node.state.messages.length, node.state.vector.seqOf("a.e")], [0, 0]);
});

Deno.test("apply() counts an operation of unknown kind, and shows nothing", () => {
  const node = new Node();
  const { change } = node.hear("a", { kind: "unknown", line: "{}" });
  assertEquals(change, { kind: "nothing_visible" });
  assertEquals(node.state.vector.seqOf("a.e"), 1);
});

Deno.test("apply() merges a key sent twice to one message with the earlier stamp", () => {
  for (const [first, second] of [[1, 2], [2, 1]] as const) {
    const node = new Node();
    node.hear("a", message({ content: `sent at ${first}` }), first);
    node.hear("b", message({ content: `sent at ${second}` }), second);
    assertEquals(node.inbox(BOB, ALICE), ["alice: sent at 1 (unread)"]);
    assertEquals([node.unread(BOB), node.state.messages.presentCount], [1, 1]);
  }
});

Deno.test("apply() moves a repeated message to the earlier one's recipient", () => {
  for (const [first, second] of [[BOB, CAROL], [CAROL, BOB]] as const) {
    const node = new Node();
    node.hear(first, message({ recipientAccount: first }), first === CAROL ? 1 : 2);
    node.hear(second, message({ recipientAccount: second }), second === CAROL ? 1 : 2);
    assertEquals([node.inbox(BOB, ALICE), node.unread(BOB)], [[], 0]);
    assertEquals([node.inbox(CAROL, ALICE).length, node.unread(CAROL)], [1, 1]);
    assertEquals(node.state.accounts.get(BOB).conversations.size, 0);
  }
});

Deno.test("apply() never tells the content of a moved message to who had it before", () => {
  const node = new Node();
  node.hear("a", message({ content: "for bob" }), 2);
  const moved = message({ recipientAccount: CAROL, content: "for carol" });
  const { change } = node.hear("b", moved, 1);
  assertEquals(concernedBy(change), [ALICE, BOB, CAROL]);
  assertEquals(node.missed(BOB), [`deleted ${ID}`]);
  assertEquals(node.missed(CAROL), ["message for carol"]);
  assertEquals(node.missed(ALICE), ["message for carol"]);
});

Deno.test("apply() lets the winner of a repeated key decide whether its message is deleted with an account", () => {
  const operations: [string, Fact, number][] = [
    ["a", message(), 2],
    ["b", message({ recipientAccount: CAROL }), 1],
    ["c", { kind: "account_deleted", account: BOB }, 3],
  ];
  const digests = permutations(operations).map((operations) => {
    const node = new Node();
    for (const operation of operations) node.hear(...operation);
    assertEquals(node.inbox(CAROL, ALICE), ["alice: hello (unread)"]);
    return node.state.digest;
  });
  assertEquals(new Set(digests).size, 1);
});

Deno.test("apply() turns read on, for good, once", () => {
  const node = new Node();
  node.hear("a", message());
  assertEquals(node.hear("b", read()).change.kind, "visible");
  assertEquals(node.hear("c", read()).change.kind, "nothing_visible");
  assertEquals(node.inbox(BOB, ALICE), ["alice: hello (read)"]);
  assertEquals(node.unread(BOB), 0);
});

Deno.test("apply() keeps a read that comes before its message", () => {
  const node = new Node();
  node.hear("b", read());
  node.hear("a", message());
  assertEquals(node.inbox(BOB, ALICE), ["alice: hello (read)"]);
  assertEquals(node.unread(BOB), 0);
});

Deno.test("apply() keeps a message read that is repeated with an earlier stamp", () => {
  const node = new Node();
  node.hear("a", message(), 2);
  node.hear("b", read());
  node.hear("c", message(), 1);
  assertEquals([node.inbox(BOB, ALICE), node.unread(BOB)], [["alice: hello (read)"], 0]);
});

Deno.test("apply() deletes a message for both, and its text from memory", () => {
  const node = new Node();
  node.hear("a", message());
  node.hear("b", deleted());
  assertEquals([node.inbox(ALICE, BOB), node.inbox(BOB, ALICE), node.unread(BOB)], [[], [], 0]);
  assertEquals(node.state.messages.contentOf(node.row(ID)), "");
});

Deno.test("apply() keeps a delete that comes before its message", () => {
  const node = new Node();
  node.hear("b", deleted());
  const { change } = node.hear("a", message());
  // Whoever was told of it on another node follows here, and is to be told that it is gone.
  assertEquals([change.kind, concernedBy(change)], ["visible", [ALICE, BOB].sort()]);
  assertEquals([node.inbox(BOB, ALICE), node.unread(BOB)], [[], 0]);
  assertEquals(node.state.messages.contentOf(node.row(ID)), "");
});

Deno.test("apply() lets delete win over read and repetition in any order of arrival", () => {
  const operations: [string, Fact, number][] = [
    ["a", message(), 3],
    ["b", message({ content: "again" }), 1],
    ["c", read(), 2],
    ["d", deleted(), 2],
  ];
  const digests = permutations(operations).map((operations) => {
    const node = new Node();
    for (const operation of operations) node.hear(...operation);
    assertEquals([node.inbox(BOB, ALICE), node.unread(BOB)], [[], 0]);
    return node.state.digest;
  });
  assertEquals(new Set(digests).size, 1);
});

Deno.test("apply() skips what is no message's id", () => {
  const node = new Node();
  node.hear("a", message());
  node.hear("b", { kind: "messages_deleted", by: BOB, ids: ["nonsense", ID, "", ID] });
  node.hear("b", { kind: "messages_read", by: BOB, ids: ["nonsense"] });
  assertEquals(node.hear("b", message({ id: "nonsense" })).change.kind, "nothing_visible");
  assertEquals([node.state.messages.length, node.state.messages.presentCount], [1, 0]);
});

Deno.test("apply() keeps a message to oneself once, unread until it is read", () => {
  const node = new Node();
  node.hear("a", message({ recipientAccount: ALICE }));
  assertEquals([node.inbox(ALICE, ALICE), node.unread(ALICE)], [["alice: hello (unread)"], 1]);
  assertEquals(node.missed(ALICE), ["message hello"]);
  node.hear("a", read(ALICE));
  assertEquals([node.inbox(ALICE, ALICE), node.unread(ALICE)], [["alice: hello (read)"], 0]);
  node.hear("a", { kind: "account_deleted", account: ALICE });
  assertEquals([node.state.messages.presentCount, node.inbox(ALICE, ALICE)], [0, []]);
});

Deno.test("apply() deletes an account's messages both ways, before and after", () => {
  const node = new Node();
  const fromBob = idOf(BOB, "1");
  node.hear("a", message());
  node.hear("b", message({ id: fromBob, recipientAccount: ALICE }));
  node.hear("b", message({ id: idOf(BOB, "2"), recipientAccount: CAROL }));
  const { change } = node.hear("c", { kind: "account_deleted", account: ALICE });
  assertEquals(change.kind, "account_deleted");
  const late = node.hear("b", message({ id: idOf(BOB, "3"), recipientAccount: ALICE })).change;
  assertEquals([late.kind, concernedBy(late)], ["visible", [ALICE, BOB].sort()]);
  assertEquals([node.inbox(BOB, ALICE), node.unread(BOB)], [[], 0]);
  assertEquals(node.inbox(BOB, CAROL).length, 1);
  assertEquals(node.state.messages.contentOf(node.row(fromBob)), "");
  assertEquals(
    node.hear("d", { kind: "account_deleted", account: ALICE }).change.kind,
    "nothing_visible",
  );
});

Deno.test("apply() gives a name deleted and registered again nothing of the old account", () => {
  const node = new Node();
  node.hear("a", created(BOB, "bob", 1));
  node.hear("a", message());
  node.hear("a", { kind: "account_deleted", account: BOB });
  node.hear("b", created(CAROL, "bob", 2));
  // Sent on another node, before it heard of the deletion.
  node.hear("c", message({ id: idOf(ALICE, "late") }));
  assertEquals(node.state.accounts.named("bob")?.id, CAROL);
  assertEquals([node.inbox(CAROL, ALICE), node.unread(CAROL), node.missed(CAROL)], [[], 0, []]);
});

Deno.test("apply() lets the loser of a name keep their mailbox", () => {
  const node = new Node();
  node.hear("a", created(CAROL, "bob", 1), 2);
  node.hear("a", message({ recipientAccount: CAROL }), 3);
  node.hear("b", created(BOB, "bob", 1), 1);
  assertEquals(node.state.accounts.named("bob")?.id, BOB);
  assertEquals(node.state.accounts.named("bob~carolc")?.id, CAROL);
  assertEquals(node.inbox(CAROL, ALICE).length, 1);
});

Deno.test("apply() changes a password, and says whose", () => {
  const node = new Node();
  node.hear("a", created(BOB, "bob", 1), 1);
  const { change } = node.hear("a", {
    kind: "password_changed",
    account: BOB,
    password: "new",
    version: 2,
  }, 2);
  assertEquals(change, { kind: "password_changed", account: node.state.accounts.get(BOB) });
  assertEquals(node.state.accounts.get(BOB).password?.hash, "new");
});

Deno.test("apply() orders a conversation by stamp, not by arrival", () => {
  const node = new Node();
  for (const timeMs of [3, 1, 2]) {
    node.hear(
      `n${timeMs}`,
      message({ id: idOf(ALICE, `${timeMs}`), content: `${timeMs}` }),
      timeMs,
    );
  }
  assertEquals(node.inbox(BOB, ALICE).map((line) => line.slice(7, 8)), ["1", "2", "3"]);
});

Deno.test("apply() tells each friend only of their own messages, of many in one operation", () => {
  const node = new Node();
  const toCarol = idOf(ALICE, "carol");
  node.hear("a", message());
  node.hear("a", message({ id: toCarol, recipientAccount: CAROL }));
  const cursor = node.state.vector.copy();
  node.hear("a", { kind: "messages_deleted", by: ALICE, ids: [ID, toCarol] });
  assertEquals(node.missed(BOB, cursor), [`deleted ${ID}`]);
  assertEquals(node.missed(CAROL, cursor), [`deleted ${toCarol}`]);
});

Deno.test("apply() tells of a delete that came before its message to who had the message elsewhere", () => {
  const cursor = new VersionVector();
  cursor.advance("a.e", 1);
  for (const fact of [deleted(), read(), { kind: "account_deleted", account: ALICE } as const]) {
    const node = new Node();
    node.hear("b", fact);
    node.hear("a", message());
    const told = fact.kind === "messages_read" ? `read ${ID}` : `deleted ${ID}`;
    assertEquals(node.missed(BOB, cursor), [told]);
  }
});

Deno.test("apply() tells of a read to whom the message is moved, if they had it elsewhere", () => {
  const node = new Node();
  node.hear("a", message(), 2);
  node.hear("b", read());
  node.hear("c", message({ recipientAccount: CAROL }), 1);
  const cursor = new VersionVector();
  cursor.advance("c.e", 1);
  assertEquals(node.missed(CAROL, cursor), [`read ${ID}`]);
});

Deno.test("apply() forgets a conversation with its last message", () => {
  const node = new Node();
  node.hear("a", message());
  node.hear("a", deleted());
  const { conversations } = node.state.accounts.get(BOB);
  assertEquals(conversations.size, 0);
  node.hear("a", message({ id: idOf(ALICE, "next") }));
  assertEquals([node.inbox(BOB, ALICE).length, conversations.size], [1, 1]);
});

Deno.test("apply() takes 3,000 deletions from a conversation of 10,000 in any order", () => {
  const node = new Node();
  const ids = Array.from({ length: 10_000 }, (_, index) => idOf(ALICE, `${index}`));
  for (const id of ids) node.hear("a", message({ id }));
  const gone = ids.filter((_, index) => index % 10 < 3).reverse();
  for (let from = 0; from < gone.length; from += 1000) {
    node.hear("b", { kind: "messages_deleted", by: BOB, ids: gone.slice(from, from + 1000) });
  }
  assertEquals([node.unread(BOB), node.inbox(BOB, ALICE).length], [7000, 7000]);
  assertEquals(counted(node.state), recount(node.state));
});

Deno.test("what can be seen decides a state's digest, and nothing else does", () => {
  const steps = [created(BOB, "bob", 1), message(), read(), deleted()];
  const node = new Node();
  const digests = steps.map((fact) => {
    node.hear("a", fact);
    return node.state.digest;
  });
  assertEquals(new Set(digests.slice(0, 3)).size, 3);
  assertEquals(digests[3], digests[0]);
  assertNotEquals(digests[0], new ChatState().digest);
});

/** A state, and origins that number what they say. */
class Node {
  readonly state = new ChatState();
  #timeMs = 1000;

  hear(
    origin: string,
    fact: Fact | { kind: "unknown"; line: string },
    timeMs = this.#timeMs++,
  ): { operation: Operation; change: Change } {
    const seq = this.state.vector.seqOf(`${origin}.e`) + 1;
    const operation = { ...fact, timeMs, tick: 0, origin: `${origin}.e`, seq };
    return { operation, change: apply(this.state, operation) };
  }

  inbox(of: AccountId, from: AccountId): string[] {
    const { accounts, messages } = this.state;
    const conversation = this.state.conversation(accounts.get(of), accounts.get(from));
    return [...conversation?.newestFirst() ?? []].reverse().map((row) => {
      const name = messages.senderIdOf(row).slice(0, 5);
      return `${name}: ${messages.contentOf(row)} (${messages.isRead(row) ? "read" : "unread"})`;
    });
  }

  unread(of: AccountId): number {
    return this.state.accounts.get(of).unread;
  }

  missed(of: AccountId, cursor = new VersionVector()): string[] {
    const { accounts, messages } = this.state;
    return [...this.state.missed(accounts.get(of), cursor)].map((event) =>
      event.kind === "message"
        ? `message ${messages.contentOf(event.row)}`
        : `${event.kind} ${event.rows.map((row) => messages.idOf(row)).join()}`
    );
  }

  row(id: MessageId): number {
    const row = this.state.messages.find(id);
    if (row === undefined) throw new Error(`Cannot find message: id is ${id}`);
    return row;
  }
}

/** Whose sessions are woken. */
function concernedBy(change: Change): AccountId[] {
  return "concerned" in change ? [...change.concerned].map(({ id }) => id).sort() : [];
}

function idOf(sender: AccountId, key = "key"): MessageId {
  return messageIdOf(sender, key);
}

function message(fields: { id?: MessageId; recipientAccount?: AccountId; content?: string } = {}) {
  return {
    kind: "message_sent" as const,
    id: ID,
    sender: "alice",
    recipient: "bob",
    recipientAccount: BOB,
    content: "hello",
    ...fields,
  };
}

function read(by = BOB) {
  return { kind: "messages_read" as const, by, ids: [ID] };
}

function deleted() {
  return { kind: "messages_deleted" as const, by: ALICE, ids: [ID] };
}

function created(account: AccountId, name: string, generation: number) {
  return { kind: "account_created" as const, account, name, generation, password: `of ${account}` };
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest])
  );
}
