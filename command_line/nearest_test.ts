import { assertEquals } from "@std/assert";
import { didYouMean, nearest } from "./nearest.ts";

Deno.test("nearest() finds what was meant by a slip, and nothing for a word of its own", () => {
  const known = ["send", "inbox", "status", "log verify", "demo"];
  for (
    const [typed, meant] of [["sned", "send"], ["inbxo", "inbox"], ["STATUS", "status"], [
      "log verfiy",
      "log verify",
    ]] as const
  ) {
    assertEquals(nearest(typed, known), meant);
  }
  for (const other of ["", "x", "frobnicate", "mail"]) {
    assertEquals(nearest(other, known), undefined);
  }
  assertEquals(nearest("send", []), undefined);
});

Deno.test("didYouMean() is the end of a sentence, or nothing", () => {
  assertEquals([didYouMean("send"), didYouMean(undefined)], [": did you mean send?", ""]);
});
