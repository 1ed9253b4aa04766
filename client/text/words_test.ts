import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { graphemeStart } from "./columns.ts";
import { spacedStart, wordEnd, wordStart } from "./words.ts";

Deno.test("wordStart() and wordEnd() find words of letters and digits in any script", () => {
  for (
    const word of ["word", "Grüße", "слово", "שלום", "नमस्ते", "می‌خواهم", "e\u0301te\u0301", "42"]
  ) {
    const text = `(${word}), `;
    assertEquals(wordStart(text, text.length), 1, word);
    assertEquals(wordEnd(text, 0), 1 + word.length, word);
  }
});

Deno.test("wordStart() and wordEnd() part words where a script has no spaces", () => {
  assertEquals(wordStart("これは世界", 5), 3);
  assertEquals(wordEnd("世界です", 0), 2);
  assertEquals(wordEnd("สวัสดีครับ", 0), "สวัสดี".length);
});

Deno.test("spacedStart() finds where what has no spaces in it begins", () => {
  assertEquals(spacedStart("rm -rf /tmp/x  ", 15), 7);
  assertEquals(spacedStart("one", 3), 0);
});

Deno.test("Words are found in a direction, and their ends are between graphemes", () => {
  const texts = fc.string({ unit: "grapheme", maxLength: 20 });
  fc.assert(fc.property(texts, fc.nat(20), (text, near) => {
    const index = graphemeStart(text, Math.min(near, text.length));
    const [start, spaced, end] = [
      wordStart(text, index),
      spacedStart(text, index),
      wordEnd(text, index),
    ];
    assert(start < index || index === 0);
    assert(spaced < index || index === 0);
    assert(end > index || index === text.length);
    for (const found of [start, spaced, end]) assertEquals(graphemeStart(text, found), found);
  }));
});
