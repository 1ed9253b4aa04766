import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { indexedColor } from "./colors.ts";
import { runsOf } from "./styled_text.ts";
import { svgOf } from "./svg.ts";

const SIZE = { columns: 20, rows: 4, title: "a picture" };

Deno.test("runsOf() parts a row where the style changes and around wide characters", () => {
  assertEquals(runsOf("ab\x1b[1;31mcd\x1b[0m e\nf"), [
    [
      { column: 0, columns: 2, text: "ab", style: {} },
      { column: 2, columns: 2, text: "cd", style: { bold: true, color: indexedColor(1) } },
      { column: 4, columns: 2, text: " e", style: {} },
    ],
    [{ column: 0, columns: 1, text: "f", style: {} }],
  ]);
  const places = runsOf("a日本b👩‍👩‍👧c")[0]?.map(({ column, text }) => [column, text]);
  assertEquals(places, [[0, "a"], [1, "日"], [3, "本"], [5, "b"], [6, "👩‍👩‍👧"], [8, "c"]]);
});

Deno.test("runsOf() goes on with the style of the row before", () => {
  const [, [second] = []] = runsOf("\x1b[7ma\nb\x1b[27m");
  assertEquals(second?.style, { inverse: true });
});

Deno.test("runsOf() knows colours however they are written", () => {
  const colors: [string, string][] = [
    ["31", "#f07178"],
    ["97", "#ffffff"],
    ["38;5;1", "#f07178"],
    ["38;5;16", "#000000"],
    ["38;5;208", "#ff8700"],
    ["38;5;255", "#eeeeee"],
    ["38;2;1;2;255", "#0102ff"],
    ["38:2:1:2:255", "#0102ff"],
    ["38:2::1:2:255", "#0102ff"],
    ["38:5:208", "#ff8700"],
    ["1;38;5;208;4", "#ff8700"],
  ];
  for (const [parameters, color] of colors) {
    assertEquals(runsOf(`\x1b[${parameters}mx`)[0]?.[0]?.style.color, color, parameters);
  }
  assertEquals(runsOf("\x1b[44;38;5;1mx")[0]?.[0]?.style.background, indexedColor(4));
  assertEquals(runsOf("\x1b[31;39mx")[0]?.[0]?.style.color, undefined);
});

Deno.test("runsOf() takes every style back", () => {
  const on = runsOf("\x1b[1;2;3;4;7;9mx")[0]?.[0]?.style;
  assertEquals(Object.values(on ?? {}), Array(6).fill(true));
  for (const off of ["0", "", "22;23;24;27;29"]) {
    const style = runsOf(`\x1b[1;2;3;4;7;9;31;42m\x1b[${off};39;49mx`)[0]?.[0]?.style ?? {};
    assert(Object.values(style).every((value) => !value), off);
  }
  assertEquals(runsOf("\x1b[4:3mx\x1b[4:0my")[0]?.map(({ style }) => style.underline), [
    true,
    false,
  ]);
});

Deno.test("runsOf() leaves out links and what else draws nothing", () => {
  const link = "\x1b]8;;https://example.org\x1b\\name\x1b]8;;\x1b\\ after\x1b[K";
  assertEquals(runsOf(link)[0]?.map(({ text }) => text), ["name", " after"]);
});

Deno.test("svgOf() draws each run where its column is", () => {
  const svg = svgOf("ab \x1b[1;31m日\x1b[0mc", SIZE);
  assertStringIncludes(svg, '<text x="14" y="61.5" textLength="16.8"');
  assertStringIncludes(svg, '<text x="39.2" y="61.5" textLength="16.8"');
  assertStringIncludes(svg, 'fill="#f07178" font-weight="bold">日</text>');
  assertStringIncludes(svg, '<text x="56" y="61.5" textLength="8.4"');
});

Deno.test("svgOf() draws backgrounds, also of spaces and where colours are exchanged", () => {
  assertStringIncludes(svgOf("\x1b[44m  ", SIZE), 'width="16.8" height="18" fill="#6cb6ff"/>');
  const inverse = svgOf("\x1b[7;31mx", SIZE);
  assertStringIncludes(inverse, 'height="18" fill="#f07178"/>');
  assertStringIncludes(inverse, 'fill="#16181d">x</text>');
});

Deno.test("svgOf() draws vertical lines from row to row", () => {
  const svg = svgOf("a│b\n │", SIZE);
  assert(!svg.includes("│"));
  for (const y of [48, 66]) {
    assertStringIncludes(svg, `<rect x="26.05" y="${y}" width="1.1" height="18" fill="#d6d9e0"/>`);
  }
});

Deno.test("svgOf() draws no more than its rows and columns", () => {
  const svg = svgOf("1\n2\n3\n4\n5\n", SIZE);
  assert(svg.includes(">4<") && !svg.includes(">5<"));
  assert(!svgOf(`${" ".repeat(20)}\x1b[1mx`, SIZE).includes(">x<"));
});

Deno.test("svgOf() gives well-formed XML, the same each time, whatever the screen shows", () => {
  const part = fc.oneof(
    fc.constantFrom(
      "<b>",
      "&amp;",
      '"',
      "\n",
      "\x1b[",
      "\x1b[31m",
      "\x1b[7m",
      "\x1b]8;",
      "日",
      "\0",
    ),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.string({ unit: "grapheme", maxLength: 4 }),
  );
  const screens = fc.array(part, { maxLength: 20 }).map((parts) => parts.join(""));
  fc.assert(fc.property(screens, screens, (screen, title) => {
    const svg = svgOf(screen, { ...SIZE, title });
    assertEquals(svg, svgOf(screen, { ...SIZE, title }));
    assertTags(svg);
  }));
});

/** Every tag is closed in order, and nothing between them is taken for one or forbidden in XML. */
function assertTags(svg: string): void {
  const open: string[] = [];
  const rest = svg.replaceAll(
    /<(\/?)([a-z]+)((?: [\w:-]+="[^"<>&]*")*)(\/?)>/g,
    (_, end, name, __, self) => {
      if (end === "/") assertEquals(open.pop(), name);
      else if (self === "") open.push(name);
      return "";
    },
  );
  assertEquals(open, []);
  const text = rest.replaceAll(/&(amp|lt|gt|quot);/g, "");
  assert(!/[<>&]|(?!\n)\p{Cc}|\p{Cs}|[\ufffe\uffff]/u.test(text), JSON.stringify(text));
}
