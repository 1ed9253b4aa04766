import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { editorOf, EMPTY_EDITOR, insertText } from "./editor.ts";
import {
  EMPTY_HISTORY,
  enterInput,
  HISTORY_ENTRIES_MAX,
  type Input,
  inputKey,
  remember,
} from "./input_history.ts";

function entered(...texts: string[]): Input {
  return { editor: EMPTY_EDITOR, history: texts.reduce(remember, EMPTY_HISTORY) };
}

function typed(input: Input, text: string): Input {
  return { ...input, editor: insertText(input.editor, text) };
}

function press(input: Input, ...keys: string[]): Input {
  return keys.reduce((before, key) => inputKey(before, key) ?? before, input);
}

Deno.test("inputKey() recalls what was entered, the newest first", () => {
  const input = entered("one", "two");
  assertEquals(press(input, "up").editor.text, "two");
  assertEquals(press(input, "up", "up").editor.text, "one");
  assertEquals(press(input, "up", "up", "down").editor.text, "two");
  assertEquals(press(input, "up").editor.cursor, 3);
  assertEquals(inputKey(press(input, "up", "up"), "up"), undefined);
  assertEquals(inputKey(input, "down"), undefined);
});

Deno.test("inputKey() brings back what was being typed, with its cursor", () => {
  const draft = press(typed(entered("one", "two"), "draft"), "left");
  assertEquals(press(draft, "up", "up", "down", "down").editor, draft.editor);
});

Deno.test("inputKey() keeps changes to what was recalled until something is entered", () => {
  const changed = typed(press(entered("one", "two"), "up"), "!");
  assertEquals(press(changed, "up", "down").editor.text, "two!");
  const next = enterInput(press(changed, "down"));
  assertEquals(press(next, "up").editor.text, "two");
});

Deno.test("inputKey() moves within several lines before it recalls", () => {
  const input = typed(entered("one\ntwo", "three"), "a\nb");
  assertEquals(press(input, "up").editor.cursor, 1);
  assertEquals(press(input, "up", "up").editor.text, "three");
  assertEquals(press(input, "up", "up", "up").editor.text, "one\ntwo");
  assertEquals(press(input, "up", "up", "up", "up").editor.cursor, 3);
});

Deno.test("inputKey() yanks into one entry what was killed in another", () => {
  const input = press(typed(entered("one"), "draft"), "ctrl+w", "up", "ctrl+y");
  assertEquals(input.editor.text, "onedraft");
  assertEquals(press(input, "ctrl+w", "down", "ctrl+y").editor.text, "onedraft");
});

Deno.test("inputKey() is undefined for what is neither editing nor recall", () => {
  assertEquals(inputKey(entered("one"), "tab"), undefined);
  assertEquals(inputKey(entered(), "up"), undefined);
});

Deno.test("enterInput() empties the editor and remembers its text once", () => {
  let input = enterInput(typed(entered(), "one"));
  assertEquals(input.editor.text, "");
  assertEquals(input.history.entries, ["one"]);
  input = enterInput(typed(input, "one"));
  assertEquals(input.history.entries, ["one"]);
  assertEquals(enterInput(input).history.entries, ["one"]);
  assertEquals(enterInput(typed(input, "two")).history.entries, ["one", "two"]);
});

Deno.test("remember() keeps the newest entries, as many as there is room for", () => {
  const numbers = Array.from({ length: HISTORY_ENTRIES_MAX }, (_, index) => String(index));
  const full = numbers.reduce(remember, EMPTY_HISTORY);
  assertEquals(full.entries, numbers);
  const over = remember(full, "newest");
  assertEquals(over.entries, [...numbers.slice(1), "newest"]);
});

Deno.test("Down as often as up comes back to what was being typed", () => {
  const texts = fc.array(fc.string({ maxLength: 3 }), { maxLength: 5 });
  fc.assert(fc.property(texts, fc.string(), fc.nat(8), (texts, draft, count) => {
    const input = { ...entered(...texts), editor: editorOf(draft) };
    let up = input;
    let moves = 0;
    for (; moves < count; moves++) {
      const next = inputKey(up, "up");
      if (next === undefined) break;
      up = next;
    }
    const down = press(up, ...Array(moves).fill("down"));
    assertEquals(down.editor, input.editor);
  }));
});
