import { assertEquals } from "@std/assert";
import { hasTmux } from "../client/testing/tmux_pane.ts";
import { conversation, drawn } from "./picture.ts";

const ignore = !await hasTmux();
if (ignore) console.log("The test of the README's picture is skipped: tmux is not installed");

Deno.test({
  name: "docs/screen.svg is what the client shows",
  ignore,
  async fn() {
    const kept = await Deno.readTextFile(new URL("../docs/screen.svg", import.meta.url));
    assertEquals(withoutTimes(await drawn(conversation)), withoutTimes(kept));
  },
});

/** It is drawn at another time of another day. */
function withoutTimes(picture: string): string {
  return picture.replaceAll(/\b\d\d:\d\d\b/g, "00:00").replaceAll(/\b\d{4}-\d\d-\d\d\b/g, "day");
}
