import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { listedAs, messageOf, NOON_MS, ScreenStory, withBob } from "../testing/screen_story.ts";
import { KEPT_MAX } from "./conversation.ts";

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

Deno.test("update() shows what is sent once, whether its event or its answer comes first", () => {
  const own = messageOf("m1", { sender: "alice", recipient: "bob", content: "hello" });
  const sent = { id: "m1", time: NOON_MS, copies: 2 };
  for (const isEventFirst of [true, false]) {
    const story = withBob();
    story.enter("hello");
    const { number } = story.effect("send");
    assertMatch(story.text, /alice: hello {2}sending…/);
    const happenings = [
      () => story.event("message", own),
      () => story.happen({ kind: "sent", number, to: "bob", sent }),
    ];
    for (const happen of isEventFirst ? happenings : happenings.reverse()) {
      happen();
      assertEquals(count(story.text, "hello"), 1, story.text);
    }
    assertMatch(story.text, /alice: hello {2}stored on 2 nodes/);
    story.event("read", { reader: "bob", ids: ["m1"] });
    assertMatch(story.text, /alice: hello {2}read/);
  }
});

Deno.test("update() tells the same text apart that was sent twice, or on another device", () => {
  const story = withBob();
  const own = (id: string) =>
    messageOf(id, { sender: "alice", recipient: "bob", content: "again" });
  story.enter("again");
  const first = story.effect("send").number;
  // From another device, at the same time.
  story.event("message", own("elsewhere"));
  story.enter("again");
  const second = story.effect("send").number;
  story.event("message", own("m1"));
  const sent = (id: string) => ({ id, time: NOON_MS, copies: 1 });
  story.happen({ kind: "sent", number: first, to: "bob", sent: sent("m1") });
  story.event("message", own("m2"));
  story.happen({ kind: "sent", number: second, to: "bob", sent: sent("m2") });
  assertEquals(count(story.text, "again"), 3, story.text);
  assertNotMatch(story.text, /sending/);
});

Deno.test("update() keeps what was refused in sight, with the reason", () => {
  const story = withBob();
  story.enter("hello");
  const { number } = story.effect("send");
  story.happen({ kind: "not_sent", number, to: "bob", why: "bob is gone" });
  assertMatch(story.text, /alice: hello {2}not sent: bob is gone/);
});

Deno.test("update() brings nothing back that was deleted while its answer was under way", () => {
  const story = new ScreenStory(undefined, [listedAs("bob", 2)]);
  story.press("alt+1");
  const load = story.effect("load_messages");
  story.event("deleted", { ids: ["m1"] });
  story.event("message", messageOf("m3", { time: NOON_MS + 3 }));
  const messages = [messageOf("m1"), messageOf("m2")];
  story.happen({ ...load, kind: "page", messages });
  assertNotMatch(story.text, /text of m1/);
  assertMatch(story.text, /text of m2[^]*text of m3/);

  story.enter("own");
  const { number } = story.effect("send");
  story.event("message", messageOf("m4", { sender: "alice", recipient: "bob", content: "own" }));
  story.event("deleted", { ids: ["m4"] });
  const sent = { id: "m4", time: NOON_MS, copies: 1 };
  story.happen({ kind: "sent", number, to: "bob", sent });
  assertNotMatch(story.text, /own/);
});

Deno.test("update() parts unread from read messages, and reads what is seen", () => {
  const read = messageOf("m1", { status: "read" });
  const story = withBob(read, messageOf("m2"), messageOf("m3"));
  assertMatch(story.text, /text of m1\n[^]*── unread[^]*text of m2\n[^]*text of m3/);
  assertEquals(story.effect("mark_read").which, ["m2", "m3"]);
  // The event of that reading changes nothing, nor does its repetition.
  story.event("read", { reader: "alice", ids: ["m2", "m3"] });
  story.event("read", { reader: "alice", ids: ["m2", "m3"] });
  assertMatch(story.text, /── unread/);
  // What comes now is seen, so it is read, and the line stays where it was.
  story.event("message", messageOf("m4", { time: NOON_MS + 1 }));
  assertEquals(story.effect("mark_read").which, ["m4"]);
  assertMatch(story.text, /── unread[^]*text of m2/);
  story.enter("answer");
  assertNotMatch(story.text, /unread/);
});

Deno.test("update() counts what is not seen, and reads it when it is", () => {
  const many = Array.from(
    { length: 40 },
    (_, index) => messageOf(`m${index}`, { status: "read", time: NOON_MS + index }),
  );
  const story = withBob(...many);
  story.press("pageup");
  story.event("message", messageOf("new", { time: NOON_MS + 100 }));
  assertEquals(story.effects, []);
  assertMatch(story.text, /1 new below/);
  assertNotMatch(story.text, /text of new/);
  story.press("pagedown");
  assertEquals(story.effects, []);
  story.press("pagedown");
  assertMatch(story.text, /── unread[^]*text of new/);
  assertEquals(story.effect("mark_read").which, ["new"]);
});

Deno.test("update() notifies of what is new elsewhere, never of what is late or read already", () => {
  const story = withBob();
  const fromCarol = (id: string) => messageOf(id, { sender: "carol" });
  story.event("message", fromCarol("c1"));
  assertEquals(story.effect("notify"), { kind: "notify", from: "carol", text: "text of c1" });
  story.event("message", fromCarol("c2"), true);
  assertEquals(story.effects, []);
  story.event("message", { ...fromCarol("c3"), status: "read" });
  assertEquals(story.effects, []);
  story.event("message", messageOf("b1"));
  assertEquals(story.kinds, ["mark_read"]);
  assertMatch(story.text, / 2 unread/);
});

Deno.test("update() asks anew how many are unread when others are read than it knows", () => {
  const story = new ScreenStory(undefined, [listedAs("bob", 3)]);
  story.event("read", { reader: "alice", ids: ["unknown"] });
  assertEquals(story.kinds, ["load_conversations"]);
  story.happen({ kind: "conversations", listed: [listedAs("bob", 2)] });
  assertMatch(story.text, /bob +2/);
  story.event("deleted", { ids: ["another"] });
  assertEquals(story.kinds, ["load_conversations"]);
});

Deno.test("update() keeps what is typed through a lost connection, and says what happens", () => {
  const story = withBob(messageOf("m1", { status: "read" }));
  story.type("half a sen");
  const lost = { state: "lost", host: "127.0.0.1:9001", why: "refused", nextTryMs: 1 } as const;
  story.happen({ kind: "connection", state: lost });
  assertMatch(story.text, /No connection to 127.0.0.1:9001: refused[^]*> half a sen$/);
  const state = { state: "connected", host: "127.0.0.1:9002", node: "node2" } as const;
  story.happen({ kind: "connection", state });
  assertMatch(story.text, /alice on node2[^]*> half a sen$/);
  assertEquals(story.kinds, ["load_conversations", "ask_status"]);
});

Deno.test(`update() keeps at most ${KEPT_MAX} messages of a conversation, whatever is loaded`, () => {
  const page = (from: number) =>
    Array.from(
      { length: 1000 },
      (_, index) => messageOf(`m${from + index}`, { status: "read", time: NOON_MS + from + index }),
    );
  const story = withBob(...page(100_000));
  let oldest = 100_000;
  while (oldest > 60_000) {
    story.press("home");
    const load = story.effect("load_messages");
    // As if it were scrolled: what is before the oldest.
    const messages = page(oldest -= 1000);
    const position = { at: "before", id: `m${oldest + 1000}` } as const;
    story.happen({ ...load, kind: "page", position, messages });
  }
  const [bob] = story.model.conversations;
  assert((bob?.stretch?.messages.length ?? 0) <= KEPT_MAX);
  assertEquals(bob?.stretch?.messages[0]?.id, "m60000");
  assertEquals(bob?.stretch?.hasNewest, false);
  story.press("end");
  assertEquals(story.effect("load_messages").position.at, "newest");
});

/** `count` messages that are read, from `from` on, one a ms. */
function readMessages(from: number, count: number): ReturnType<typeof messageOf>[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return messageOf(`m${number}`, { status: "read", time: NOON_MS + number });
  });
}

Deno.test("update() asks anew for a list that may have counted a message before it came, or not", () => {
  const story = new ScreenStory(undefined, [listedAs("bob", 1)]);
  // The list had it.
  story.event("message", messageOf("m1"));
  assertEquals(story.kinds, ["load_conversations", "notify"]);
  // The list that is under way may not have this.
  story.event("message", messageOf("m2", { time: NOON_MS + 1 }));
  assertEquals(story.kinds, ["notify"]);
  story.happen({ kind: "conversations", listed: [listedAs("bob", 1)] });
  assertEquals(story.kinds, ["load_conversations"]);
  story.happen({ kind: "conversations", listed: [listedAs("bob", 2)] });
  assertEquals(story.effects, []);
  assertMatch(story.text, /bob +2/);
});

Deno.test("update() leaves it to the server how many are unread after a reading elsewhere", () => {
  const story = withBob(...readMessages(0, 2), messageOf("m2", { time: NOON_MS + 2 }));
  story.press("alt+2");
  story.event("message", messageOf("m3", { time: NOON_MS + 3 }));
  // The list has the reading already, the event comes after it.
  story.happen({ kind: "conversations", listed: [{ ...listedAs("bob", 1), time: NOON_MS + 9 }] });
  story.event("read", { reader: "alice", ids: ["m3"] });
  assertMatch(story.text, /bob +1/);
  assertEquals(story.kinds, ["load_conversations"]);
});

Deno.test("update() asks anew for the order of conversations when the latest message is deleted", () => {
  const story = withBob(...readMessages(0, 2));
  story.event("deleted", { ids: ["m1"] });
  assertEquals(story.kinds[0], "load_conversations");
});

Deno.test("update() asks for the list again after it was refused", () => {
  const story = withBob();
  story.event("deleted", { ids: ["m1"] });
  story.happen({ kind: "no_conversations", why: "busy" });
  assertMatch(story.text, /busy/);
  story.event("deleted", { ids: ["m2"] });
  assertEquals(story.kinds, ["load_conversations"]);
});

Deno.test("update() reads nothing behind a panel, and notifies of it", () => {
  const story = withBob(...readMessages(0, 1));
  story.enter("/help");
  story.event("message", messageOf("m1", { time: NOON_MS + 1 }));
  assertEquals(story.kinds, ["notify"]);
  story.press("escape");
  assertEquals(story.effect("mark_read").which, ["m1"]);
});

Deno.test("update() does not read the end of a conversation that it opens elsewhere", () => {
  const story = withBob(...readMessages(0, 1));
  story.press("alt+2");
  story.answerLoad();
  story.event("message", messageOf("m1", { time: NOON_MS + 1 }));
  story.enter("/search text");
  story.happen({ kind: "found", text: "text", messages: readMessages(0, 1), next: undefined });
  story.press("enter");
  assertEquals(story.kinds, ["load_messages"]);
  assertEquals(story.effect("load_messages").position.at, "around");
});

Deno.test("update() puts what comes late in its place, also far from the newest", () => {
  const story = withBob(...readMessages(900, 30));
  story.press("home");
  story.answerLoad(...readMessages(0, 2), ...readMessages(3, 2));
  story.event("message", messageOf("m2", { time: NOON_MS + 2 }), true);
  assertMatch(story.text, /text of m1\n.*\n?.*text of m2\n.*text of m3/);
  // What is newer than all of it comes with a page.
  story.event("message", messageOf("m950", { time: NOON_MS + 950 }), true);
  assertNotMatch(story.text, /text of m950/);
});

Deno.test("update() takes a page of which all is deleted meanwhile for no beginning", () => {
  const story = withBob(...readMessages(10, 30));
  const older = story.effect("load_messages");
  story.event("deleted", { ids: ["m8", "m9"] });
  story.happen({ ...older, kind: "page", messages: readMessages(8, 2) });
  assertEquals(story.effect("load_messages").position, { at: "before", id: "m10" });
});

Deno.test("update() loads anew when all that was loaded is deleted", () => {
  const story = withBob(...readMessages(10, 2));
  const older = story.effect("load_messages");
  story.event("deleted", { ids: ["m10", "m11"] });
  story.happen({ ...older, kind: "page", messages: readMessages(9, 1) });
  assertEquals(story.effect("load_messages").position, { at: "newest" });
});

Deno.test("update() finds nothing that was deleted while it was searched", () => {
  const story = withBob();
  story.enter("/search text");
  story.event("deleted", { ids: ["m1"] });
  story.happen({ kind: "found", text: "text", messages: readMessages(1, 2), next: undefined });
  assertNotMatch(story.text, /text of m1/);
  assertMatch(story.text, /text of m2/);
});

Deno.test("update() shows what was refused, also where another device has sent the same", () => {
  const story = withBob();
  story.enter("again");
  const first = story.effect("send").number;
  story.enter("again");
  const second = story.effect("send").number;
  story.event("message", messageOf("m2", { sender: "alice", recipient: "bob", content: "again" }));
  assertEquals(count(story.text, "again"), 2, story.text);
  // It was not the first that was stored.
  story.happen({ kind: "not_sent", number: first, to: "bob", why: "busy" });
  assertEquals(count(story.text, "again"), 2, story.text);
  assertMatch(story.text, /again {2}not sent: busy/);
  const sent = { id: "m2", time: NOON_MS, copies: 1 };
  story.happen({ kind: "sent", number: second, to: "bob", sent });
  // What was refused has been seen by then.
  assertEquals(count(story.text, "again"), 1, story.text);
});

Deno.test("update() keeps few messages of what is not open, however many come", () => {
  const story = withBob(...readMessages(0, 100));
  story.press("alt+2");
  for (const message of readMessages(100, 300)) story.event("message", message);
  const { messages = [], hasOldest } = story.conversation("bob").stretch ?? {};
  assertEquals([messages.length, messages.at(-1)?.id, hasOldest], [200, "m399", false]);
});

Deno.test(`update() keeps at most ${KEPT_MAX} messages as they come, and those that are looked at`, () => {
  for (const isLookedAt of [false, true]) {
    const story = withBob(...readMessages(0, KEPT_MAX));
    if (isLookedAt) story.press("pageup");
    for (const message of readMessages(KEPT_MAX, 2)) story.event("message", message);
    const { messages = [], hasNewest } = story.conversation("bob").stretch ?? {};
    assertEquals(messages.length, KEPT_MAX);
    assertEquals([messages[0]?.id, hasNewest], isLookedAt ? ["m0", false] : ["m2", true]);
  }
});

Deno.test("update() loads the open conversation anew under a new name of one's own", () => {
  const story = withBob(...readMessages(0, 1));
  story.event("renamed", { from: "alice", to: "alice~1" });
  assertEquals(story.kinds, ["load_conversations", "load_messages"]);
});

Deno.test("update() counts what another device writes to oneself", () => {
  const story = new ScreenStory(undefined, [listedAs("bob"), listedAs("alice")]);
  story.event("message", messageOf("m1", { sender: "alice", time: NOON_MS + 1 }));
  assertMatch(story.text, /alice +1/);
  assertEquals(story.effects, []);
});

Deno.test("update() stays where it is when newer messages are loaded below", () => {
  const story = withBob(...readMessages(900, 30));
  story.press("home");
  story.answerLoad(...readMessages(0, 20));
  for (let page = 0; page < 4; page++) story.press("pagedown");
  assertMatch(story.text, /text of m19/);
  const after = { number: story.model.lastNumber, with: "bob" };
  const position = { at: "after", id: "m19" } as const;
  story.happen({ ...after, kind: "page", position, messages: readMessages(20, 100) });
  assertMatch(story.text, /text of m19\n/);
});

Deno.test("update() keeps a draft to somebody with whom there are no messages", () => {
  const story = withBob();
  const person = { name: "dora", unread: 0, online: true };
  story.enter("/msg dora");
  story.happen({ kind: "addressed", text: "dora", person, content: "" });
  story.type("for dora");
  story.press("alt+2");
  story.happen({ kind: "conversations", listed: [listedAs("bob")] });
  assertEquals(story.conversation("dora").draft.text, "for dora");
});

Deno.test("update() shows once what a page brings, asked for anew, before it is answered", () => {
  const story = withBob(...readMessages(0, 1));
  const older = story.effect("load_messages");
  story.enter("again");
  const own = messageOf("m2", { sender: "alice", recipient: "bob", content: "again" });
  story.happen({ ...older, kind: "page", position: { at: "newest" }, messages: [own] });
  assertEquals(count(story.text, "again"), 1, story.text);
});

Deno.test("update() asks how many are unread when a page knows more than the list did", () => {
  const story = new ScreenStory(undefined, [listedAs("bob", 1)]);
  story.press("alt+1");
  const load = story.effect("load_messages");
  story.enter("/help");
  // Read elsewhere, and counted before that.
  story.happen({ ...load, kind: "page", messages: readMessages(1, 1) });
  story.event("read", { reader: "alice", ids: ["m1"] });
  assertEquals(story.kinds, ["load_conversations"]);
  story.happen({ kind: "conversations", listed: [listedAs("bob")] });
  story.press("escape");

  const other = new ScreenStory(undefined, [listedAs("bob", 1)]);
  other.press("alt+1");
  other.answerLoad(messageOf("m1"), messageOf("m2"));
  assertEquals(other.kinds, ["mark_read", "load_conversations", "load_messages"]);
});

Deno.test("update() says when a node does not answer, until it does or another one is there", () => {
  const story = withBob();
  story.happen({ kind: "silent" });
  assertMatch(story.text, /node1 has not answered for a while/);
  const state = { state: "connected", host: "127.0.0.1:9002", node: "node2" } as const;
  story.happen({ kind: "connection", state });
  assertMatch(story.text, /alice on node2/);
});
