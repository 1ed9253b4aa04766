import { assertEquals } from "@std/assert";
import { ScreenStory } from "../testing/screen_story.ts";

Deno.test("onPress() keeps what is typed for the next session when the person leaves", () => {
  const story = new ScreenStory();
  story.type("half a sentence");
  story.press("ctrl+c");
  assertEquals(story.effect("remember_input").text, "half a sentence");
  assertEquals(story.effect("leave").why, "interrupt");
});
