import { assert, assertEquals } from "@std/assert";
import { fold } from "./fold.ts";

Deno.test("fold() makes the ways of writing a text one", () => {
  const same = [
    ["HELLO", "hello"],
    ["Grüße", "GRU\u0308ßE"],
    ["Ｗｉｄｅ", "wide"],
    ["ﬁne", "fine"],
    ["ΟΔΟΣ", "οδος"],
    ["ПРИВЕТ", "привет"],
    ["\u{10400}", "\u{10428}"],
    ["\u212a", "k"],
  ];
  for (const [a = "", b = ""] of same) assertEquals(fold(a), fold(b));
});

Deno.test("fold() makes of a part of a word a part of the folded word, also where a Σ ends it", () => {
  assert(fold("ΟΔΟΣΗΜΑ").includes(fold("ΟΔΟΣ")));
});

Deno.test("fold() normalizes 30 combining marks in a row, and leaves 31 as they are", () => {
  const disordered = (pairs: number) => "q" + "\u0301\u0323".repeat(pairs);
  assertEquals(fold(disordered(15)), "q" + "\u0323".repeat(15) + "\u0301".repeat(15));
  assertEquals(fold(disordered(15) + "\u0301"), disordered(15) + "\u0301");
  assertEquals(fold("X" + disordered(16_000)), "x" + disordered(16_000));
});
