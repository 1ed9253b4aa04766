import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { columnsOf, graphemesOf } from "../text/columns.ts";
import {
  editKey,
  type Editor,
  editorOf,
  EMPTY_EDITOR,
  insertText,
  viewEditor,
  withText,
} from "./editor.ts";

const FAMILY = "👩‍👩‍👧";

/** An editor by its text, with a bar where the cursor is. */
function at(marked: string): Editor {
  const cursor = marked.indexOf("|");
  return { ...editorOf(marked.replace("|", "")), cursor };
}

function marked({ text, cursor }: Editor): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

function press(editor: Editor, ...keys: string[]): Editor {
  return keys.reduce((before, key) => {
    const after = editKey(before, key);
    assert(after !== undefined, `${key} is no editing key at ${marked(before)}`);
    return after;
  }, editor);
}

/** Before, keys, after. */
function assertEdits(edits: readonly (readonly [string, string, string])[]): void {
  for (const [before, keys, after] of edits) {
    assertEquals(marked(press(at(before), ...keys.split(" "))), after, `${before}, ${keys}`);
  }
}

Deno.test("editKey() moves by graphemes, lines and words", () => {
  assertEdits([
    ["ab|", "left", "a|b"],
    ["|ab", "left", "|ab"],
    ["a|b", "right ctrl+f", "ab|"],
    ["ab|", "ctrl+b ctrl+b", "|ab"],
    [`a${FAMILY}|`, "left", `a|${FAMILY}`],
    [`|${FAMILY}b`, "right", `${FAMILY}|b`],
    ["e\u0301|", "left", "|e\u0301"],
    ["one\ntw|o\nthree", "home", "one\n|two\nthree"],
    ["one\n|two\nthree", "ctrl+a", "one\n|two\nthree"],
    ["one\nt|wo\nthree", "end", "one\ntwo|\nthree"],
    ["o|ne", "ctrl+e", "one|"],
    ["one two|", "ctrl+left", "one |two"],
    ["one, (two)|", "alt+b alt+b", "|one, (two)"],
    ["snake_case.rs|", "alt+b alt+b", "snake_|case.rs"],
    ["one| two", "ctrl+right", "one two|"],
    ["|Grüße aus", "alt+f", "Grüße| aus"],
    ["|שלום עולם", "alt+f", "שלום| עולם"],
    ["|می‌خواهم", "alt+f", "می‌خواهم|"],
    [`hi ${FAMILY}|`, "alt+b", `hi |${FAMILY}`],
    [`|${FAMILY} hi`, "alt+f", `${FAMILY}| hi`],
    ["一つの世界|", "alt+b", "一つの|世界"],
    ["|世界です", "alt+f", "世界|です"],
    ["one\n|two", "alt+b", "|one\ntwo"],
  ]);
});

Deno.test("editKey() deletes graphemes before and at the cursor", () => {
  assertEdits([
    ["ab|", "backspace", "a|"],
    ["|ab", "backspace", "|ab"],
    [`${FAMILY}|`, "ctrl+h", "|"],
    ["e\u0301|x", "backspace", "|x"],
    ["|ab", "delete", "|b"],
    ["ab|", "delete", "ab|"],
    ["a|\nb", "ctrl+d", "a|b"],
    [`|${FAMILY}b`, "ctrl+d", "|b"],
    ["a\n|b", "backspace", "a|b"],
  ]);
});

Deno.test("editKey() kills to the ends of the line, and the line end there", () => {
  assertEdits([
    ["one\ntwo th|ree\nfour", "ctrl+u", "one\n|ree\nfour"],
    ["one\ntwo th|ree\nfour", "ctrl+u ctrl+u", "one|ree\nfour"],
    ["one\ntwo th|ree\nfour", "ctrl+k", "one\ntwo th|\nfour"],
    ["one\ntwo th|ree\nfour", "ctrl+k ctrl+k", "one\ntwo th|four"],
    ["|", "ctrl+u ctrl+k", "|"],
  ]);
});

Deno.test("editKey() kills words, and yanks what consecutive keys killed", () => {
  assertEdits([
    ["rm -rf /tmp/x|", "ctrl+w", "rm -rf |"],
    ["rm -rf /tmp/x|", "alt+backspace", "rm -rf /tmp/|"],
    ["a  |b", "ctrl+w", "|b"],
    ["one| two three", "alt+d", "one| three"],
    ["one two three|", "ctrl+w ctrl+w ctrl+y", "one two three|"],
    ["one two| three four", "ctrl+w alt+d ctrl+k ctrl+y", "one two three four|"],
    ["one two|", "ctrl+w left ctrl+w ctrl+y", "one| "],
    ["one two|", "ctrl+w ctrl+y ctrl+y", "one twotwo|"],
    ["one|", "ctrl+w ctrl+w ctrl+y", "one|"],
    ["one|", "ctrl+u backspace ctrl+y", "one|"],
    ["|", "ctrl+y", "|"],
  ]);
});

Deno.test("withText() keeps what was killed", () => {
  const killed = press(editorOf("one two"), "ctrl+w");
  assertEquals(marked(press(withText(killed, ""), "ctrl+y")), "two|");
});

Deno.test("editKey() transposes graphemes within a line", () => {
  assertEdits([
    ["ab|", "ctrl+t", "ba|"],
    ["a|bc", "ctrl+t", "ba|c"],
    ["|ab", "ctrl+t", "|ab"],
    ["a|", "ctrl+t", "a|"],
    [`a|${FAMILY}`, "ctrl+t", `${FAMILY}a|`],
    ["x\nab|\ny", "ctrl+t", "x\nba|\ny"],
    ["x\n|ab", "ctrl+t", "x\n|ab"],
    ["x\na|", "ctrl+t", "x\na|"],
  ]);
});

Deno.test("editKey() begins a new line", () => {
  assertEdits([["a|b", "alt+enter", "a\n|b"], ["a|b", "ctrl+j ctrl+j", "a\n\n|b"]]);
});

Deno.test("editKey() goes up and down in the column where it began", () => {
  assertEdits([
    ["long line\nab\nlong| line", "up", "long line\nab|\nlong line"],
    ["long line\nab\nlong| line", "up up", "long| line\nab\nlong line"],
    ["long| line\nab\nlong line", "down down", "long line\nab\nlong| line"],
    ["long line\nab\nlong| line", "up left up", "l|ong line\nab\nlong line"],
    ["日本語\nab|c", "up", "日|本語\nabc"],
    ["日本語\na|bc", "up", "|日本語\nabc"],
    ["a\n\nb|", "up up", "a|\n\nb"],
    ["\n|", "up", "|\n"],
  ]);
});

Deno.test("editKey() leaves to others what it has no use for", () => {
  for (const key of ["alt+left", "alt+right", "enter", "tab", "escape", "pageup", "f2", "ctrl+l"]) {
    assertEquals(editKey(at("a|b"), key), undefined, key);
  }
  assertEquals(editKey(EMPTY_EDITOR, "ctrl+d"), undefined);
  assertEquals(editKey(EMPTY_EDITOR, "delete"), undefined);
  assertEquals(editKey(at("on|e\ntwo"), "up"), undefined);
  assertEquals(editKey(at("one\ntw|o"), "down"), undefined);
});

Deno.test("insertText() takes tabs, line ends and controls as a message may hold them", () => {
  assertEquals(marked(insertText(at("a|d"), "b\tc")), "ab    c|d");
  assertEquals(insertText(EMPTY_EDITOR, "1\r\n2\r3\n4\u20285").text, "1\n2\n3\n4\n5");
  assertEquals(insertText(EMPTY_EDITOR, "\x1b[2J\0a\x7f\x9bb\ud800").text, "[2Jab");
  assertEquals(editorOf("a\x1bb\r\n").text, "ab\n");
});

Deno.test("insertText() leaves the cursor after a grapheme that what it typed became part of", () => {
  assertEquals(marked(insertText(at("e|x"), "\u0301")), "e\u0301|x");
  assertEquals(marked(insertText(at("|\u0301x"), "e")), "e\u0301|x");
  assertEquals(marked(insertText(at("👩|👧"), "\u200d")), "👩\u200d👧|");
});

const pieces = fc.oneof(
  fc.constantFrom("a", "word ", "\n", "日", FAMILY, "e", "\u0301", "\u200d", "\ufe0f", "❤", "🇩"),
  fc.constantFrom("\u1100", "\u1161", "한", "नमस्ते", "שלום", "\u202e", "\u2060", "\r\n", "\t"),
  fc.string({ unit: "binary", maxLength: 3 }),
);
const EDITING_KEYS = [
  ...["left", "right", "home", "end", "ctrl+left", "ctrl+right", "up", "down", "backspace"],
  ...["delete", "ctrl+u", "ctrl+k", "ctrl+w", "alt+d", "alt+backspace", "ctrl+y", "ctrl+t"],
  "alt+enter",
];
const edits = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: pieces.map((text) => ({ text })) },
    { weight: 3, arbitrary: fc.constantFrom(...EDITING_KEYS).map((key) => ({ key })) },
  ),
  { maxLength: 40 },
);

/** The editors after each edit. */
function* editors(steps: readonly ({ text: string } | { key: string })[]): Generator<Editor> {
  let editor = EMPTY_EDITOR;
  for (const step of steps) {
    editor = "text" in step ? insertText(editor, step.text) : editKey(editor, step.key) ?? editor;
    yield editor;
  }
}

Deno.test("An editor's cursor is always between graphemes, and its text can be sent", () => {
  fc.assert(fc.property(edits, (steps) => {
    for (const { text, cursor } of editors(steps)) {
      const boundaries = [0];
      for (const grapheme of segments(text)) {
        boundaries.push((boundaries.at(-1) ?? 0) + grapheme.length);
      }
      assert(boundaries.includes(cursor), JSON.stringify({ text, cursor }));
      assert(/^(\n|[^\p{Cc}\p{Cs}])*$/u.test(text));
    }
  }));
});

Deno.test("viewEditor() wraps between graphemes and shows where the cursor is", () => {
  const views: [string, number, number, string[], [number, number]][] = [
    ["|", 10, 5, [""], [0, 0]],
    ["ab|c", 10, 5, ["abc"], [0, 2]],
    ["abcd|ef", 4, 5, ["abcd", "ef"], [1, 0]],
    ["abcd|", 4, 5, ["abcd", ""], [1, 0]],
    ["abcd|\nef", 4, 5, ["abcd", "", "ef"], [1, 0]],
    ["abc|d\nef", 4, 5, ["abcd", "ef"], [0, 3]],
    ["abcd\n|", 4, 5, ["abcd", ""], [1, 0]],
    ["日本|語", 5, 5, ["日本", "語"], [1, 0]],
    ["日本語|", 5, 5, ["日本", "語"], [1, 2]],
    ["日|", 1, 5, ["日", ""], [1, 0]],
    ["1\n2\n3\n4\n5|", 9, 3, ["3", "4", "5"], [2, 1]],
    ["|1\n2\n3\n4\n5", 9, 3, ["1", "2", "3"], [0, 0]],
    ["1\n2\n|3\n4\n5", 9, 3, ["2", "3", "4"], [1, 0]],
    ["1\n2|", 9, 1, ["2"], [0, 1]],
    ["abcd|", 4, 1, [""], [0, 0]],
    ["a\u202eb|", 4, 1, ["ab"], [0, 2]],
  ];
  for (const [before, columns, rows, lines, [row, column]] of views) {
    assertEquals(viewEditor(at(before), columns, rows), { lines, cursor: { row, column } }, before);
  }
});

Deno.test("viewEditor() shows the rows that wrapping everything anew shows", () => {
  fc.assert(
    fc.property(edits, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 6 }), (
      steps,
      columns,
      rowsMax,
    ) => {
      for (const editor of editors(steps)) {
        const { lines, cursor } = viewEditor(editor, columns, rowsMax);
        const all = rowsAnew(editor, columns);
        const top = all.cursor.row - cursor.row;
        assertEquals(lines, all.lines.slice(top, top + rowsMax));
        assertEquals(lines.length, Math.min(rowsMax, all.lines.length));
        assertEquals(cursor.column, all.cursor.column);
        assert(cursor.row >= 0 && cursor.row < lines.length && cursor.column < columns);
      }
    }),
  );
});

Deno.test("viewEditor() shows a long text at any width right after another", () => {
  const text = `word ${FAMILY} `.repeat(300);
  for (const columns of [7, 80, 7, 3]) {
    for (const cursor of [0, text.length - 1, 700]) {
      const editor = { ...editorOf(text), cursor };
      const all = rowsAnew(editor, columns);
      const { lines, cursor: seen } = viewEditor(editor, columns, 4);
      const top = all.cursor.row - seen.row;
      assertEquals(lines, all.lines.slice(top, top + 4));
    }
  }
});

/** All rows of a text, by the shortest way there is. */
function rowsAnew({ text, cursor }: Editor, columns: number) {
  const rows = [{ start: 0, line: "" }];
  let last = { start: 0, line: "" };
  let at = 0;
  for (const grapheme of segments(text)) {
    const isFull = last.line !== "" && columnsOf(last.line) + columnsOf(grapheme) > columns;
    at += grapheme.length;
    if (grapheme === "\n") rows.push(last = { start: at, line: "" });
    else if (isFull) rows.push(last = { start: at - grapheme.length, line: grapheme });
    else rows[rows.length - 1] = last = { ...last, line: last.line + grapheme };
  }
  let row = rows.findLastIndex(({ start }) => start <= cursor);
  const { start = 0, line = "" } = rows[row] ?? {};
  let column = columnsOf(line.slice(0, cursor - start));
  if (column >= columns) {
    const [before, after] = [line.slice(0, cursor - start), line.slice(cursor - start)];
    rows.splice(row, 1, { start, line: before }, { start: cursor, line: after });
    row++;
    column = 0;
  }
  const lines = rows.map(({ line }) => line.replaceAll(/(?![\u200c\u200d])\p{Cf}/gu, ""));
  return { lines, cursor: { row, column } };
}

/** Also of a text with line ends. */
function segments(text: string): string[] {
  return text.split(/(\n)/).flatMap((part) => graphemesOf(part));
}
