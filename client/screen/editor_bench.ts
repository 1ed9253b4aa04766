/** What a key costs in a text of 64 KiB: `deno bench --quiet -P client/screen`. */

import { CONTENT_BYTES_MAX } from "../../server/requests/message.ts";
import { editKey, type Editor, editorOf, EMPTY_EDITOR, insertText, viewEditor } from "./editor.ts";

const COLUMNS = 100;
const ROWS = 8;
const encoder = new TextEncoder();

const TEXTS: Record<string, string> = {
  "lines of ASCII": filled("the quick brown fox jumps over the lazy dog\n"),
  "one line of ASCII": filled("the quick brown fox "),
  "one line of Cyrillic": filled("привет мир "),
  "one line of Chinese": filled("日本語のテキスト"),
  "one line of emoji": filled("😀"),
  "two lines of emoji": `${filled("😀").slice(0, 16_000)}\n${filled("😀").slice(0, 16_000)}`,
};

for (const [name, text] of Object.entries(TEXTS)) {
  const group = name;
  const atEnd = editorOf(text);
  const inMiddle = insertText(editorOf(text.slice(0, text.length / 2)), "x");
  const long: Editor = { ...atEnd, cursor: inMiddle.cursor - 1 };
  Deno.bench(`${name}: pasted`, { group }, (b) => {
    show(EMPTY_EDITOR);
    b.start();
    show(insertText(EMPTY_EDITOR, text));
    b.end();
  });
  for (const [where, editor] of [["end", atEnd], ["middle", long]] as const) {
    Deno.bench(`${name}: a letter at the ${where}`, { group }, (b) => {
      show(editor);
      b.start();
      show(insertText(editor, "x"));
      b.end();
    });
    for (const key of ["left", "backspace", "ctrl+left", "ctrl+w", "up", "home", "ctrl+t"]) {
      Deno.bench(`${name}: ${key} at the ${where}`, { group }, (b) => {
        show(editor);
        b.start();
        show(editKey(editor, key) ?? editor);
        b.end();
      });
    }
  }
}

function show(editor: Editor): void {
  viewEditor(editor, COLUMNS, ROWS);
}

/** As much of `part` as a message may hold. */
function filled(part: string): string {
  return part.repeat(CONTENT_BYTES_MAX / encoder.encode(part).length);
}
