import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import stringWidth from "string-width";
import { printable } from "../../codec/printable.ts";
import {
  columnsOf,
  cutToColumns,
  eachGrapheme,
  graphemeEnd,
  graphemesOf,
  graphemeStart,
  padToColumns,
  wrapToColumns,
} from "./columns.ts";

/** Longer graphemes come in their parts. */
const LENGTH_MAX = 32;
const FAMILY = "👩‍👩‍👧";
const ENGLAND = "🏴";

/** Texts that are hard to cut and to measure, as they reach these functions. */
const texts = fc.array(
  fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 8 }),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.constantFrom(" ", "   ", "word", "longer-word", "日本語", FAMILY, ENGLAND, "❤️", "e\u0301"),
    fc.constantFrom("\u200d", "\ufe0f", "\u0301", "🇩🇪", "🇩", "한", "\u1100", "नमस्ते", "שלום", "1️⃣"),
  ),
  { maxLength: 12 },
).map((parts) => printable(parts.join("")));
const columnCounts = fc.integer({ min: 1, max: 20 });

Deno.test("wrapToColumns() cuts between wide characters, and begins no line with a full stop", () => {
  assertEquals(wrapToColumns("bob: 日本語の文章。です", 13), ["bob: 日本語の", "文章。です"]);
  assertEquals(wrapToColumns("日本語。です", 6), ["日本", "語。で", "す"]);
  assertEquals(wrapToColumns("a日b", 2), ["a", "日", "b"]);
});

Deno.test("graphemesOf() takes apart what a reader sees as characters", () => {
  assertEquals(graphemesOf(""), []);
  assertEquals(graphemesOf("ab c"), ["a", "b", " ", "c"]);
  assertEquals(graphemesOf(`e\u0301${FAMILY}🇩🇪한`), ["e\u0301", FAMILY, "🇩🇪", "한"]);
});

Deno.test("graphemesOf() agrees with the segmenter and loses nothing", () => {
  const segmenter = new Intl.Segmenter();
  fc.assert(fc.property(texts, (text) => {
    const expected = Array.from(segmenter.segment(text), ({ segment }) => segment)
      .flatMap((segment) => segment.length > LENGTH_MAX ? [...segment] : [segment]);
    assertEquals(graphemesOf(text), expected);
    assertEquals([...eachGrapheme(text)], expected);
  }));
});

Deno.test("columnsOf() counts the parts of what is joined without end", () => {
  const few = "👩" + "\u200d👩".repeat(LENGTH_MAX / 3 - 1);
  assertEquals(columnsOf(few), 2);
  assertEquals(columnsOf(few.repeat(2)), 4);
  const chain = "👩\u200d".repeat(10_000);
  assertEquals(columnsOf(chain), 20_000);
  assertEquals(wrapToColumns(chain, 80).length, 250);
});

Deno.test("columnsOf() counts columns, not characters", () => {
  const measured: [string, number][] = [
    ["", 0],
    ["plain", 5],
    ["Grüße", 5],
    ["Привет", 6],
    ["日本語", 6],
    [FAMILY, 2],
    ["❤️", 2],
    ["🇩🇪", 2],
    ["e\u0301", 1],
    ["한국", 4],
    ["שלום", 4],
    ["“quoted” – …", 12],
    ["a\u200db", 2],
  ];
  for (const [text, columns] of measured) assertEquals(columnsOf(text), columns, text);
});

Deno.test("columnsOf() agrees with what ink measures by", () => {
  fc.assert(fc.property(texts, (text) => assertEquals(columnsOf(text), stringWidth(text))));
});

Deno.test("columnsOf() measures every character of the basic plane as ink does", () => {
  for (let code = 0x20; code < 0xd800; code++) {
    // The neighbours show whether it is a grapheme of its own.
    const text = `a${String.fromCharCode(code)}b`;
    if (printable(text) !== text) continue;
    assertEquals(columnsOf(text), stringWidth(text), `U+${code.toString(16)}`);
  }
});

Deno.test("columnsOf() remembers widths of many different graphemes correctly", () => {
  for (let round = 0; round < 2; round++) {
    for (let code = 0x4e00; code < 0x9000; code++) {
      assertEquals(columnsOf(String.fromCharCode(code)), 2);
    }
  }
});

Deno.test("graphemeStart() and graphemeEnd() enclose the grapheme at an index", () => {
  fc.assert(fc.property(texts, (text) => {
    let start = 0;
    for (const grapheme of graphemesOf(text)) {
      for (let index = start; index < start + grapheme.length; index++) {
        assertEquals(graphemeStart(text, index), start);
        assertEquals(graphemeEnd(text, index), start + grapheme.length);
      }
      start += grapheme.length;
    }
    assertEquals([graphemeStart(text, start), graphemeEnd(text, start)], [start, start]);
  }));
});

Deno.test("wrapToColumns() begins a word that has no room on a line where it stands", () => {
  const address = "https://example.org/a/long/address";
  assertEquals(wrapToColumns(`carol: ${address} b`, 20), [
    "carol: https://examp",
    "le.org/a/long/addres",
    "s b",
  ]);
});

Deno.test("wrapToColumns() cuts at spaces, and long words between graphemes", () => {
  const wrapped: [string, number, string[]][] = [
    ["", 5, [""]],
    ["short", 5, ["short"]],
    ["one  two three", 8, ["one  two", "three"]],
    ["one two", 3, ["one", "two"]],
    ["one     two", 4, ["one", "two"]],
    ["one     ", 4, ["one"]],
    ["one ", 4, ["one "]],
    ["  indented text", 10, ["  indented", "text"]],
    ["a longerword b", 6, ["a", "longer", "word b"]],
    ["        x", 3, ["   ", "   ", "  x"]],
    ["日本語", 5, ["日本", "語"]],
    ["日本語", 1, ["日", "本", "語"]],
    [`a${FAMILY}${FAMILY}`, 3, [`a${FAMILY}`, FAMILY]],
    ["שלום עולם", 5, ["שלום", "עולם"]],
    ["ab \u0301cd", 3, ["ab \u0301", "cd"]],
  ];
  for (const [text, columns, lines] of wrapped) {
    assertEquals(wrapToColumns(text, columns), lines, JSON.stringify(text));
  }
});

Deno.test("wrapToColumns() gives lines with room in the columns, or of one grapheme", () => {
  fc.assert(fc.property(texts, columnCounts, (text, columns) => {
    for (const line of wrapToColumns(text, columns)) {
      assert(columnsOf(line) <= columns || graphemesOf(line).length === 1, JSON.stringify(line));
    }
  }));
});

Deno.test("wrapToColumns() loses nothing but spaces at cuts", () => {
  fc.assert(fc.property(texts, columnCounts, (text, columns) => {
    let rest = text;
    for (const line of wrapToColumns(text, columns)) {
      while (!rest.startsWith(line) && rest.startsWith(" ")) rest = rest.slice(1);
      assert(rest.startsWith(line), JSON.stringify({ line, rest }));
      rest = rest.slice(line.length);
    }
    assertEquals(rest.replaceAll(" ", ""), "");
  }));
});

Deno.test("wrapToColumns() puts as much on a line as has room", () => {
  const words = fc.array(fc.constantFrom("a", "to", "日本", "three", "é"), { minLength: 1 });
  fc.assert(fc.property(words, fc.integer({ min: 5, max: 20 }), (words, columns) => {
    const lines = wrapToColumns(words.join(" "), columns);
    for (const [index, line] of lines.slice(0, -1).entries()) {
      const next = lines[index + 1]?.split(" ")[0] ?? "";
      assert(columnsOf(`${line} ${next}`) > columns, JSON.stringify(lines));
    }
  }));
});

Deno.test("cutToColumns() says with an ellipsis that it cut", () => {
  const cut: [string, number, string][] = [
    ["", 0, ""],
    ["exact", 5, "exact"],
    ["longer", 5, "long…"],
    ["longer", 1, "…"],
    ["longer", 0, ""],
    ["日本語", 6, "日本語"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    [`${FAMILY}${FAMILY}`, 3, `${FAMILY}…`],
  ];
  for (const [text, columns, expected] of cut) {
    assertEquals(cutToColumns(text, columns), expected);
  }
});

Deno.test("cutToColumns() never takes more columns, and cuts only what has no room", () => {
  fc.assert(fc.property(texts, fc.nat(20), (text, columns) => {
    const cut = cutToColumns(text, columns);
    assert(columnsOf(cut) <= columns);
    if (columnsOf(text) <= columns) assertEquals(cut, text);
    else if (columns > 0) assert(cut.endsWith("…") && text.startsWith(cut.slice(0, -1)));
  }));
});

Deno.test("padToColumns() takes exactly the columns", () => {
  assertEquals(padToColumns("日本語", 4), "日… ");
  fc.assert(fc.property(texts, fc.nat(20), (text, columns) => {
    assertEquals(columnsOf(padToColumns(text, columns)), columns);
  }));
});
