import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { NOON_MS, ScreenStory, withBob } from "../testing/screen_story.ts";

const LOST = { state: "lost", host: "127.0.0.1:9001", why: "refused", nextTryMs: 1 } as const;
const DORA = { name: "dora", unread: 0, online: true };

Deno.test("onEntered() keeps for somebody who is looked up what is entered meanwhile", () => {
  const story = withBob();
  story.enter("/msg dora first");
  assertEquals(story.effect("address").text, "dora first");
  story.enter("second");
  assertEquals(story.kinds, ["remember_input"]);
  story.happen({ kind: "addressed", text: "dora first", person: DORA, content: "first" });
  const sends = story.effects.filter((effect) => effect.kind === "send");
  assertEquals(sends.map(({ to, content }) => [to, content]), [
    ["dora", "first"],
    ["dora", "second"],
  ]);
  assertMatch(story.text, /dora ● online/);
});

Deno.test("onEntered() gives back what was for somebody who is not there", () => {
  const story = withBob();
  story.enter("/msg dora");
  story.enter("for her");
  story.type("and mo");
  story.happen({ kind: "not_addressed", text: "dora", why: "There is nobody called dora" });
  assertMatch(story.text, /bob ● online[^]*There is nobody called dora\n> for her\n {2}and mo$/);
  assertEquals(story.effects, []);
});

Deno.test("onEntered() gives up looking for somebody when the connection is lost", () => {
  const story = withBob();
  story.enter("/msg dora");
  story.enter("for her");
  story.happen({ kind: "connection", state: LOST });
  assertMatch(story.text, /There is no connection[^]*> for her$/);
  // The answer of the next server opens nothing in the middle of a sentence.
  story.happen({ kind: "addressed", text: "dora", person: DORA, content: "" });
  assertEquals(story.model.open, "bob");
});

Deno.test("onEntered() opens known conversations without a server, and keeps what needs one", () => {
  const story = withBob();
  story.happen({ kind: "connection", state: LOST });
  story.enter("/msg carol in the dark");
  assertEquals(story.effect("send").to, "carol");
  assertMatch(story.text, /alice: in the dark {2}sending…/);
  for (const line of ["/msg dora", "/status", "/users", "/search x", "/password"]) {
    story.enter(line);
    assertEquals(story.effects, []);
    assertStringIncludes(
      story.text,
      `There is no connection: try again when there is one\n> ${line}`,
    );
    story.press("ctrl+u");
  }
});

Deno.test("onEntered() refuses what is too long for a message, and leaves it typed", () => {
  const story = withBob();
  const text = "é".repeat(33_000);
  story.happen({ kind: "pressed", press: { kind: "paste", text, droppedBytes: 0 } });
  story.press("enter");
  assertEquals(story.effects, []);
  assertStringIncludes(story.text, "at most 65536 bytes, and this one has 66000");
  assertEquals(story.model.editor.text, text);
});

Deno.test("onEntered() sends no line ends that a paste had at its end", () => {
  const story = withBob();
  story.happen({
    kind: "pressed",
    press: { kind: "paste", text: "one\ntwo\n\n", droppedBytes: 0 },
  });
  story.press("enter");
  assertEquals(story.effect("send").content, "one\ntwo");
});

Deno.test("onEntered() has what was refused go with the next message that is stored, or Escape", () => {
  for (const isByEscape of [true, false]) {
    const story = withBob();
    story.enter("long\nlines");
    const { number } = story.effect("send");
    story.happen({ kind: "not_sent", number, to: "bob", why: "busy" });
    assertMatch(story.text, /alice: long … {2}not sent: busy/);
    if (isByEscape) story.press("escape");
    else {
      story.enter("next");
      const next = story.effect("send").number;
      const sent = { id: "m1", time: NOON_MS, copies: 1 };
      story.happen({ kind: "sent", number: next, to: "bob", sent });
    }
    assertNotMatch(story.text, /busy/);
  }
});

Deno.test("onEntered() leaves for somebody who is looked up what is being typed by then", () => {
  for (const hasOpen of [true, false]) {
    const story = hasOpen ? withBob() : new ScreenStory();
    story.enter("/msg dora");
    story.type("half a sen");
    story.happen({ kind: "addressed", text: "dora", person: DORA, content: "" });
    assertMatch(story.text, /dora ● online[^]*> half a sen$/);
    assertEquals(
      story.model.conversations.find(({ name }) => name === "bob")?.draft.text ?? "",
      "",
    );
  }
});

Deno.test("onEntered() sends what follows a name as it is, with a slash, too", () => {
  const story = withBob();
  story.enter("/msg dora /quit is how you leave");
  const content = "/quit is how you leave";
  story.happen({ kind: "addressed", text: `dora ${content}`, person: DORA, content });
  assertEquals(story.effect("send").content, content);
});
