import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { messageOf, withBob } from "../testing/screen_story.ts";

Deno.test("onPress() keeps a draft with its conversation", () => {
  const story = withBob();
  story.type("for bob");
  story.press("alt+2");
  assertMatch(story.text, />$/);
  story.type("for carol");
  story.press("alt+1");
  assertMatch(story.text, /> for bob$/);
  story.press("ctrl+n");
  assertMatch(story.text, /> for carol$/);
});

Deno.test("onPress() sends what is pasted as one message", () => {
  const story = withBob();
  const text = "one\n\ttwo\r\n\nfour";
  story.happen({ kind: "pressed", press: { kind: "paste", text, droppedBytes: 0 } });
  story.press("enter");
  assertEquals(story.effect("send").content, "one\n    two\n\nfour");
});

Deno.test("onPress() sends what begins with two slashes, and says of unknown commands", () => {
  const story = withBob();
  story.enter("//etc/hosts");
  assertEquals(story.effect("send").content, "/etc/hosts");
  story.enter("/ect");
  assertStringIncludes(story.text, "There is no /ect");
  assertMatch(story.text, /> \/ect$/);
});

Deno.test("onPress() deletes a message only after it was chosen and asked about", () => {
  const story = withBob(messageOf("m1", { status: "read" }), messageOf("m2", { status: "read" }));
  story.enter("/delete");
  story.press("up");
  assertEquals(story.model.chosen, "m1");
  story.press("escape");
  assertEquals(story.model.chosen, undefined);
  story.enter("/delete");
  story.type("y");
  assertEquals([story.model.chosen, story.model.editor.text], ["m2", ""]);
  story.press("escape");
  story.enter("/delete 2");
  const { id, shown } = story.effect("delete_message");
  assertEquals([id, shown], ["m1", "text of m1"]);
  story.event("deleted", { ids: ["m1"] });
  assertEquals(story.model.chosen, undefined);
  assertNotMatch(story.text, /text of m1/);
});

Deno.test("onPress() asks for what it must not show, and takes Escape for no answer", () => {
  const story = withBob();
  story.type("draft");
  story.happen({ kind: "asked", text: "Old password: ", isHidden: true });
  story.type("secret");
  assertMatch(story.text, /Old password: ••••••$/);
  story.press("enter");
  assertEquals(story.effect("answer").text, "secret");
  assertMatch(story.text, /> draft$/);
  story.happen({ kind: "asked", text: "Sure? ", isHidden: false });
  story.press("escape");
  assertEquals(story.effect("answer").text, undefined);
});

Deno.test("onPress() completes commands, names of others, and names in a message", () => {
  const story = withBob();
  story.type("/he");
  story.press("tab");
  assertMatch(story.text, /> \/help$/);
  story.press("ctrl+u");
  story.type("/delete");
  story.press("tab");
  assertMatch(story.text, /\/delete {2}\/delete-account\n> \/delete$/);
  story.press("ctrl+u");
  story.type("/msg ca");
  story.press("tab");
  const { prefix, typed } = story.effect("find_names");
  story.happen({ kind: "names", prefix, typed, names: ["carol", "casper"] });
  assertMatch(story.text, /carol {2}casper\n> \/msg ca$/);
  story.type("r");
  story.press("tab");
  const later = story.effect("find_names");
  story.happen({ kind: "names", prefix: later.prefix, typed: later.typed, names: ["carol"] });
  assertMatch(story.text, /> \/msg carol$/);
  story.press("ctrl+u");
  story.type("ask ca");
  story.press("tab");
  assertMatch(story.text, /> ask carol$/);
});

Deno.test("onPress() takes an escape and what is typed right after it for both", () => {
  const story = withBob();
  story.enter("/help");
  assertMatch(story.text, /Help/);
  // As a terminal sends them.
  story.press("alt+/");
  assertNotMatch(story.text, /Help/);
  assertMatch(story.text, /> \/$/);
});

Deno.test("onPress() keeps what is typed for the next session when the person leaves", () => {
  const story = withBob();
  story.type("half a sentence");
  story.press("ctrl+c");
  assertEquals(story.effect("remember_input").text, "half a sentence");
  assertEquals(story.effect("leave").why, "interrupt");
});
