import { assertEquals } from "@std/assert";
import { printable, printableJson, printableLines } from "./printable.ts";

Deno.test("printable() shows what could act on a terminal as escapes", () => {
  const shown: [string, string][] = [
    ["plain, with a space", "plain, with a space"],
    ["\x1b]0;title\x07", "\\x1b]0;title\\x07"],
    ["\x9b2J\x7f\0", "\\x9b2J\\x7f\\x00"],
    ["one\ntwo\rthree\tfour", "one\\ntwo\\rthree\\tfour"],
    ["\u202egnp.exe\u2066", "\\u{202e}gnp.exe\\u{2066}"],
    ["line\u2028paragraph\u2029", "line\\u{2028}paragraph\\u{2029}"],
    ["half \ud800", "half \\u{d800}"],
    ["tag \u{e0041}", "tag \\u{e0041}"],
    ["\u3164\u034f", "\\u{3164}\\u{34f}"],
  ];
  for (const [text, expected] of shown) assertEquals(printable(text), expected);
});

Deno.test("printable() leaves letters, emoji and joiners as they are", () => {
  for (const text of ["Grüße", "日本語", "👩‍👩‍👧", "می‌خواهم", "e\u0301", "❤️"]) {
    assertEquals(printable(text), text);
  }
});

Deno.test("printable() keeps few of the marks that are heaped on a letter", () => {
  for (const mark of ["\u0301", "\u200d", "\ufe0f"]) {
    const few = `e${mark.repeat(16)}`;
    assertEquals(printable(few), few);
    assertEquals(printable(`e${mark.repeat(10_000)}f`), `${few}…f`);
  }
});

Deno.test("printableLines() keeps lines apart and nothing else", () => {
  assertEquals(printableLines("a\n\tb\r\nc\rd\x1b"), ["a", "    b", "c\\rd\\x1b"]);
});

Deno.test("printableJson() escapes the same characters, and parses to the same value", () => {
  const value = { text: 'a"\x9b\u202e\u{e0041}\n', list: [1, null] };
  const json = printableJson(value);
  assertEquals(json, '{"text":"a\\"\\u009b\\u202e\\udb40\\udc41\\n","list":[1,null]}');
  assertEquals(JSON.parse(json), value);
});

Deno.test("printableJson() escapes most of the marks that are heaped on a letter", () => {
  const value = `e${"\u0301".repeat(20)}f`;
  const json = printableJson(value);
  assertEquals(json, `"e${"\u0301".repeat(16)}${"\\u0301".repeat(4)}f"`);
  assertEquals(JSON.parse(json), value);
});
