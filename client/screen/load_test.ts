import { assertMatch, assertNotMatch } from "@std/assert";
import { listedAs, messageOf, NOON_MS, ScreenStory } from "../testing/screen_story.ts";

Deno.test("toUnreadLine() goes to the first unread message, as far as it is loaded", () => {
  const many = Array.from(
    { length: 30 },
    (_, index) => messageOf(`m${index}`, { time: NOON_MS + index }),
  );
  const story = new ScreenStory(undefined, [listedAs("bob", 30)]);
  story.press("alt+1");
  story.answerLoad(...many);
  assertNotMatch(story.text, /── unread/);
  story.press("alt+u");
  assertMatch(story.text, /── unread[^]*text of m0\n/);
});
