import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { ChatMessage } from "../../../codec/message.ts";
import { checkConversation, checkGlance } from "./explain.ts";
import type { Fault } from "./findings.ts";
import { type Answer, type Conversation, History, type Message } from "./history.ts";
import { checkMailbox, compareOrder, type Mailbox } from "./mailbox.ts";

const HELLO: ChatMessage = {
  id: "1",
  sender: "alice",
  recipient: "bob",
  content: "hello",
  time: 1000,
  status: "unread",
};
const READ: ChatMessage = { ...HELLO, status: "read" };

/** Alice writes to bob; each thing takes a while. */
class Story {
  readonly history: History;
  readonly conversation: Conversation;
  readonly hello: Message;
  #nowMs = 0;

  constructor(safeCopies = 1) {
    this.history = new History({ nodes: 3, safeCopies, nowMs: () => this.#nowMs++ });
    this.conversation = this.history.between("bob", "alice");
    const written = { sender: "alice", recipient: "bob", key: "key", content: "hello" };
    this.hello = this.history.write(written);
  }

  /** Sent, and answered so; not answered without. */
  send(answer?: Partial<Answer>): this {
    const operation = this.history.begin("send", "alice", [this.hello]);
    const stored = { node: "node1", copies: 2, id: "1", ...answer };
    if (answer !== undefined) this.history.succeed(operation, stored);
    return this;
  }

  read(answer?: Partial<Answer>): this {
    return this.#change("read", "bob", answer);
  }

  delete(answer?: Partial<Answer>): this {
    return this.#change("delete", "bob", answer);
  }

  readAll(by: string): this {
    const operation = this.history.begin("read all", by);
    this.conversation.readAlls.push(operation);
    this.history.succeed(operation, { node: "node1", copies: 2 });
    return this;
  }

  pass(ms: number): this {
    this.#nowMs += ms;
    return this;
  }

  refusedDelete(): this {
    const operation = this.history.begin("delete", "bob", [this.hello]);
    this.history.refuse(operation, "busy");
    return this;
  }

  /** All nodes have this. */
  list(...listed: readonly ChatMessage[]): this {
    checkConversation(this.history, this.conversation, listed, "node1");
    return this;
  }

  /** One node shows this while all goes on. */
  glance(node: string, ...listed: readonly ChatMessage[]): this {
    const operation = this.history.begin("list", "bob");
    checkGlance(this.history, this.conversation, listed, { operation, node });
    return this;
  }

  get faults(): readonly Fault[] {
    return this.history.findings.list().map(([fault]) => fault);
  }

  #change(kind: "read" | "delete", person: string, answer: Partial<Answer> | undefined): this {
    const operation = this.history.begin(kind, person, [this.hello]);
    const done = { node: "node1", copies: 2, count: 1, ...answer };
    if (answer !== undefined) this.history.succeed(operation, done);
    else this.history.giveUp(operation, "no connection lasted");
    return this;
  }
}

const HISTORIES: readonly {
  readonly what: string;
  readonly story: Story;
  readonly faults: readonly Fault[];
}[] = [
  { what: "a message that is there", story: new Story().send({}).list(HELLO), faults: [] },
  { what: "a message that is lost", story: new Story().send({}).list(), faults: ["lost"] },
  {
    what: "a message of unknown fate that is there",
    story: new Story().send().list(HELLO),
    faults: [],
  },
  { what: "a message of unknown fate that is not", story: new Story().send().list(), faults: [] },
  {
    what: "a message of unknown fate that was seen and is lost",
    story: new Story().send().list(HELLO).list(),
    faults: ["lost"],
  },
  {
    what: "a message that is there twice",
    story: new Story().send({}).list(HELLO, HELLO),
    faults: ["doubled"],
  },
  {
    what: "a message that is there under another id than acknowledged",
    story: new Story().send({}).list({ ...HELLO, id: "2" }),
    faults: ["doubled"],
  },
  {
    what: "a message of unknown fate that is there under another id than before",
    story: new Story().send().list(HELLO).list({ ...HELLO, id: "2" }),
    faults: ["doubled"],
  },
  {
    what: "a message that is acknowledged under two ids",
    story: new Story().send({}).send({ id: "2" }),
    faults: ["doubled"],
  },
  {
    what: "a message that is acknowledged under another id than it was seen",
    story: new Story().send().list(HELLO).send({ id: "2" }),
    faults: ["doubled"],
  },
  {
    what: "a message with another text",
    story: new Story().send({}).list({ ...HELLO, content: "bye" }),
    faults: ["altered", "lost"],
  },
  {
    what: "a message by another sender",
    story: new Story().send({}).list({ ...HELLO, sender: "bob", recipient: "alice" }),
    faults: ["altered"],
  },
  {
    what: "a message that nobody wrote",
    story: new Story().send({}).list(HELLO, { ...HELLO, id: "3", content: "psst" }),
    faults: ["foreign"],
  },
  { what: "a deleted message", story: new Story().send({}).delete({}).list(), faults: [] },
  {
    what: "a deleted message that is there",
    story: new Story().send({}).delete({}).list(HELLO),
    faults: ["resurrected"],
  },
  {
    what: "a deletion of unknown fate that was not made",
    story: new Story().send({}).delete().list(HELLO),
    faults: [],
  },
  {
    what: "a deletion of unknown fate that was made",
    story: new Story().send({}).delete().list(),
    faults: [],
  },
  {
    what: "a deletion of unknown fate that was made and came undone",
    story: new Story().send({}).delete().list().list(HELLO),
    faults: ["resurrected"],
  },
  {
    what: "a refused deletion of which an earlier try was taken",
    story: new Story().send({}).refusedDelete().list(),
    faults: [],
  },
  {
    what: "a deletion by a node that did not know the message",
    story: new Story().send({}).delete({ count: 0 }).list(HELLO),
    faults: [],
  },
  {
    what: "a deleted message of unknown fate that comes after all, deleted",
    story: new Story().send().delete().list().send({}).list(),
    faults: [],
  },
  {
    what: "a message that was forgotten as gone, and is there",
    story: forgotten(new Story().send({}).delete({}).list()).list(HELLO),
    faults: ["resurrected"],
  },
  {
    what: "a message that was forgotten as gone",
    story: forgotten(new Story().send({}).delete({}).list()).list(),
    faults: [],
  },
  { what: "a read message", story: new Story().send({}).read({}).list(READ), faults: [] },
  {
    what: "a read message that is unread",
    story: new Story().send({}).read({}).list(HELLO),
    faults: ["unread again"],
  },
  {
    what: "a message that was seen as read and is unread",
    story: new Story().send({}).read().list(READ).list(HELLO),
    faults: ["unread again"],
  },
  {
    what: "a reading of unknown fate that was not taken",
    story: new Story().send({}).read().list(HELLO),
    faults: [],
  },
  {
    what: "a message that is read and that nobody has read",
    story: new Story().send({}).list(READ),
    faults: ["read unasked"],
  },
  {
    what: "a message that was read with all others",
    story: new Story().send({}).readAll("bob").list(READ),
    faults: [],
  },
  {
    what: "a message that was read with all others, unknown to the node that was asked",
    story: new Story().send({}).readAll("bob").list(HELLO),
    faults: [],
  },
  {
    what: "a message that is read after its sender has read all",
    story: new Story().send({}).readAll("alice").list(READ),
    faults: ["read unasked"],
  },
  {
    what: "a message that is read long after all were read that came before it",
    story: new Story().readAll("bob").pass(20_000).send({}).list(READ),
    faults: ["read unasked"],
  },
  {
    what: "a message that is read by a request which was answered before, and is still under way",
    story: new Story().readAll("bob").send({}).list(READ),
    faults: [],
  },
  {
    what: "a message on no node",
    story: new Story().send({ copies: 0 }),
    faults: ["implausible copies"],
  },
  {
    what: "a message on more nodes than there are",
    story: new Story().send({ copies: 4 }),
    faults: ["implausible copies"],
  },
  {
    what: "a message on one node, whose disk is lost",
    story: new Story(2).send({ copies: 1 }).list(),
    faults: [],
  },
  {
    what: "a message on two nodes, one of whose disks is lost",
    story: new Story(2).send({ copies: 2 }).list(),
    faults: ["lost"],
  },
  {
    what: "a deletion on one node, whose disk is lost",
    story: new Story(2).send({}).delete({ copies: 1 }).list(HELLO),
    faults: [],
  },
  {
    what: "a deletion on two nodes, one of whose disks is lost",
    story: new Story(2).send({}).delete({ copies: 2 }).list(HELLO),
    faults: ["resurrected"],
  },
  {
    what: "a reading on one node, whose disk is lost",
    story: new Story(2).send({}).read({ copies: 1 }).list(HELLO),
    faults: [],
  },
  {
    what: "a node that shows what another has deleted",
    story: new Story().send({}).delete({}).glance("node2", HELLO),
    faults: [],
  },
  {
    what: "a node that shows what it has deleted",
    story: new Story().send({}).delete({}).glance("node1", HELLO),
    faults: ["resurrected"],
  },
  {
    what: "a node that shows what all have deleted",
    story: new Story().send({}).delete({ copies: 3 }).glance("node2", HELLO),
    faults: ["resurrected"],
  },
  {
    what: "a node that shows what an audit saw to be gone",
    story: new Story().send({}).delete().list().glance("node2", HELLO),
    faults: ["resurrected"],
  },
  {
    what: "a node that shows as unread what it has read",
    story: new Story().send({}).read({}).glance("node1", HELLO),
    faults: ["unread again"],
  },
  {
    what: "a node that shows as unread what another has read",
    story: new Story().send({}).read({}).glance("node2", HELLO),
    faults: [],
  },
  {
    what: "a node that shows what nobody wrote",
    story: new Story().send({}).glance("node1", { ...HELLO, id: "3", content: "psst" }),
    faults: ["foreign"],
  },
  {
    what: "a node that shows a message twice",
    story: new Story().send({}).glance("node1", HELLO, HELLO),
    faults: ["doubled"],
  },
];

for (const { what, story, faults } of HISTORIES) {
  const verdict = faults.length === 0 ? "explains" : "does not explain";
  Deno.test(`a history ${verdict} ${what}`, () => assertEquals(story.faults, faults));
}

Deno.test("a fault comes with all that was asked about its message", () => {
  const { history } = new Story().send({}).delete().list(HELLO).delete({}).list(HELLO);
  const [what = ""] = history.findings.of("resurrected");
  assertStringIncludes(what, "send by alice, 0 ms to 1 ms: ok by node1, on 2 nodes, id 1");
  assertStringIncludes(what, "delete by bob, 2 ms to 3 ms: unknown (no connection lasted)");
  assertStringIncludes(what, "audit of node1 at 4 ms: there, unread, id 1");
  assertStringIncludes(what, "delete by bob, 5 ms to 6 ms: ok by node1, 1 of 1, on 2 nodes");
});

Deno.test("a history counts operations by what came of them", () => {
  const { history } = new Story().send({}).send().read({}).delete().refusedDelete();
  assertEquals(history.tally.send, { open: 1, ok: 1, refused: 0, unknown: 0 });
  assertEquals(history.tally.read, { open: 0, ok: 1, refused: 0, unknown: 0 });
  assertEquals(history.tally.delete, { open: 0, ok: 0, refused: 1, unknown: 1 });
  assertEquals([history.written, history.acknowledged], [2, 2]);
});

Deno.test("a history has no two messages of the same text", () => {
  const written = { sender: "alice", recipient: "bob", key: "another", content: "hello" };
  assertThrows(() => new Story().history.write(written), RangeError);
});

const LATER: ChatMessage = { ...HELLO, id: "2", content: "later", time: 2000 };
const bobs = (listed: readonly ChatMessage[], unread: number): Mailbox => ({
  ...{ node: "node1", person: "bob", conversations: new Map([["alice", listed]]) },
  unread: new Map([["alice", unread]]),
});
const MAILBOXES: readonly {
  readonly what: string;
  readonly listed: readonly ChatMessage[];
  readonly unread: number;
  readonly faults: readonly Fault[];
}[] = [
  { what: "finds nothing wrong", listed: [HELLO, LATER], unread: 2, faults: [] },
  {
    what: "finds what is not in the order of time",
    listed: [LATER, HELLO],
    unread: 2,
    faults: ["disordered"],
  },
  {
    what: "finds unread messages that are not listed",
    listed: [HELLO, LATER],
    unread: 3,
    faults: ["miscounted"],
  },
];

for (const { what, listed, unread, faults } of MAILBOXES) {
  Deno.test(`checkMailbox() ${what}`, () => {
    const { history } = new Story().send({});
    history.write({ sender: "alice", recipient: "bob", key: "later", content: "later" });
    checkMailbox(bobs(listed, unread), history);
    assertEquals(history.findings.list().map(([fault]) => fault), faults);
  });
}

Deno.test("compareOrder() finds another order on another node", () => {
  const { history } = new Story();
  const here = bobs([HELLO, LATER], 2);
  compareOrder(here, here, history);
  assertEquals(history.findings.isEmpty, true);
  compareOrder(here, bobs([LATER, HELLO], 2), history);
  compareOrder(here, bobs([HELLO], 1), history);
  assertEquals(history.findings.list().map(([fault]) => fault), ["disordered"]);
});

/** As a campaign does after each audit. */
function forgotten(story: Story): Story {
  story.history.forgetGone();
  return story;
}
