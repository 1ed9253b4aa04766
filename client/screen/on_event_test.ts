import { assertEquals } from "@std/assert";
import { messageOf, ScreenStory } from "../testing/screen_story.ts";

Deno.test("onEvent() asks whether somebody is there who has not written before", () => {
  const story = new ScreenStory();
  story.event("message", messageOf("d1", { sender: "dora" }));
  assertEquals(story.kinds, ["load_conversations", "notify"]);
});
