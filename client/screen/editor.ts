import {
  columnsOf,
  columnsOfGrapheme,
  eachGrapheme,
  graphemeBoundary,
  graphemeEnd,
  graphemeStart,
} from "../text/columns.ts";
import { spacedStart, wordEnd, wordStart } from "../text/words.ts";
import { WrappedText } from "./wrapped_text.ts";

/** A text of one or several lines that is being typed, with readline's habits. Never changed. */
export interface Editor {
  readonly text: string;
  /** In UTF-16 units, where a grapheme begins or at the end. */
  readonly cursor: number;
  /** What was killed last, for ctrl+y. */
  readonly killed: string;
  /** What the last key did, where the next may go on with it. */
  readonly last: LastKey;
}

/** What of a text is seen, and where the cursor is in it. */
export interface EditorView {
  readonly lines: readonly string[];
  /** A row of `lines`, and a column that is less than how many there are. */
  readonly cursor: { readonly row: number; readonly column: number };
}

type LastKey =
  | { readonly kind: "kill" }
  /** The column in which up and down go on, also past shorter lines. */
  | { readonly kind: "vertical"; readonly column: number }
  | { readonly kind: "other" };

const OTHER: LastKey = { kind: "other" };
const TAB = "    ";
/** Controls but for the line end, and halves of characters, which no message can hold. */
const UNSAFE = /(?!\n)[\p{Cc}\p{Cs}]/gu;
/** Takes no columns, and could change the order of letters on some terminals. */
const FORMATTING = /(?![\u200c\u200d])\p{Cf}/gu;

export const EMPTY_EDITOR: Editor = { text: "", cursor: 0, killed: "", last: OTHER };

/** With the cursor at the end. */
export function editorOf(text: string): Editor {
  return withText(EMPTY_EDITOR, text);
}

/** Another text in this editor, with the cursor at its end; what was killed is kept. */
export function withText(editor: Editor, text: string): Editor {
  const clean = cleaned(text);
  return { ...editor, text: clean, cursor: clean.length, last: OTHER };
}

/** Types or pastes `text`: its tabs become spaces, and its controls but line ends are dropped. */
export function insertText(editor: Editor, text: string): Editor {
  return replaced(editor, editor.cursor, editor.cursor, cleaned(text));
}

/** What this key does to the text; undefined if it is no editing key, or not here. */
export function editKey(editor: Editor, key: string): Editor | undefined {
  return KEYS.get(key)?.(editor);
}

/**
 * The rows about the cursor, at most `rowsMax`, wrapped between graphemes. The cursor after a full
 * row has a row of its own.
 */
export function viewEditor(editor: Editor, columns: number, rowsMax: number): EditorView {
  const { text, cursor } = editor;
  const width = Math.max(1, columns);
  const height = Math.max(1, rowsMax);
  const wrapped = new WrappedText(text, width);
  const rowOfText = wrapped.rowAt(cursor);
  // One more than may be shown, as that is where the last one ends.
  const starts = wrapped.startsBefore(rowOfText + height + 1);
  const columnInRow = columnsOf(text.slice(starts[rowOfText], cursor));
  const isAfterFullRow = columnInRow >= width;
  const row = isAfterFullRow ? rowOfText + 1 : rowOfText;
  const rows = isAfterFullRow ? starts.toSpliced(row, 0, cursor) : starts;

  const top = Math.max(0, Math.min(row - (height >> 1), rows.length - height));
  const lines = rows.slice(top, top + height).map((start, index) => {
    const line = text.slice(start, rows[top + index + 1]);
    return (line.endsWith("\n") ? line.slice(0, -1) : line).replaceAll(FORMATTING, "");
  });
  return { lines, cursor: { row: row - top, column: isAfterFullRow ? 0 : columnInRow } };
}

type Edit = (editor: Editor) => Editor | undefined;

const KEYS: ReadonlyMap<string, Edit> = new Map<string, Edit>([
  ...bound(["left", "ctrl+b"], (editor) => moved(editor, before(editor))),
  ...bound(["right", "ctrl+f"], (editor) => moved(editor, after(editor))),
  ...bound(["home", "ctrl+a"], (editor) => moved(editor, lineStart(editor))),
  ...bound(["end", "ctrl+e"], (editor) => moved(editor, lineEnd(editor))),
  ...bound(
    ["ctrl+left", "alt+b"],
    (editor) => moved(editor, wordStart(editor.text, editor.cursor)),
  ),
  ...bound(["ctrl+right", "alt+f"], (editor) => moved(editor, wordEnd(editor.text, editor.cursor))),
  ["up", (editor) => movedUp(editor)],
  ["down", (editor) => movedDown(editor)],
  ...bound(
    ["backspace", "ctrl+h"],
    (editor) => replaced(editor, before(editor), editor.cursor, ""),
  ),
  ...bound(
    ["delete", "ctrl+d"],
    (editor) => editor.text === "" ? undefined : replaced(editor, editor.cursor, after(editor), ""),
  ),
  ["ctrl+u", (editor) => killed(editor, lineStart(editor) - (isAtLineStart(editor) ? 1 : 0))],
  ["ctrl+k", (editor) => killed(editor, lineEnd(editor) + (isAtLineEnd(editor) ? 1 : 0))],
  ["ctrl+w", (editor) => killed(editor, spacedStart(editor.text, editor.cursor))],
  ["alt+backspace", (editor) => killed(editor, wordStart(editor.text, editor.cursor))],
  ...bound(
    ["alt+d", "ctrl+delete"],
    (editor) => killed(editor, wordEnd(editor.text, editor.cursor)),
  ),
  ["ctrl+y", (editor) => replaced(editor, editor.cursor, editor.cursor, editor.killed)],
  ["ctrl+t", (editor) => transposed(editor)],
  ...bound(["alt+enter", "ctrl+j"], (editor) => insertText(editor, "\n")),
]);

function bound(keys: readonly string[], edit: Edit): [string, Edit][] {
  return keys.map((key) => [key, edit]);
}

function cleaned(text: string): string {
  return text.replaceAll(/\r\n?|[\x85\u2028\u2029]/g, "\n").replaceAll("\t", TAB)
    .replaceAll(UNSAFE, "");
}

function moved(editor: Editor, cursor: number): Editor {
  return { ...editor, cursor, last: OTHER };
}

/** With `text` in place of what is from `start` to `end`, and the cursor after it. */
function replaced(editor: Editor, start: number, end: number, text: string): Editor {
  const whole = editor.text.slice(0, start) + text + editor.text.slice(end);
  return {
    ...editor,
    text: whole,
    cursor: graphemeBoundary(whole, start + text.length),
    last: OTHER,
  };
}

/** What is between the cursor and `to` goes, and is added to what the key before killed. */
function killed(editor: Editor, to: number): Editor {
  const start = Math.max(0, Math.min(editor.cursor, to));
  const end = Math.min(editor.text.length, Math.max(editor.cursor, to));
  const text = editor.text.slice(start, end);
  // As in readline, a key that finds nothing to kill keeps what there was.
  if (text === "") return editor;
  const earlier = editor.last.kind === "kill" ? editor.killed : "";
  return {
    ...replaced(editor, start, end, ""),
    killed: to < editor.cursor ? text + earlier : earlier + text,
    last: { kind: "kill" },
  };
}

function transposed(editor: Editor): Editor {
  const { text } = editor;
  const from = lineStart(editor);
  const end = isAtLineEnd(editor) ? editor.cursor : after(editor);
  const middle = isAtLineEnd(editor) ? before(editor) : editor.cursor;
  const start = middle <= from ? middle : graphemeStart(text, middle - 1);
  if (start >= middle || middle >= end) return moved(editor, editor.cursor);
  return replaced(editor, start, end, text.slice(middle, end) + text.slice(start, middle));
}

function movedUp(editor: Editor): Editor | undefined {
  const start = lineStart(editor);
  if (start === 0) return undefined;
  return movedVertically(editor, lineStart({ text: editor.text, cursor: start - 1 }));
}

function movedDown(editor: Editor): Editor | undefined {
  const end = lineEnd(editor);
  if (end === editor.text.length) return undefined;
  return movedVertically(editor, end + 1);
}

/** To the line that begins at `start`. */
function movedVertically(editor: Editor, start: number): Editor {
  const { text, last } = editor;
  const column = last.kind === "vertical"
    ? last.column
    : columnsOf(text.slice(lineStart(editor), editor.cursor));
  let cursor = start;
  let columns = 0;
  for (const grapheme of eachGrapheme(text.slice(start, lineEnd({ text, cursor: start })))) {
    columns += columnsOfGrapheme(grapheme);
    if (columns > column) break;
    cursor += grapheme.length;
  }
  return { ...editor, cursor, last: { kind: "vertical", column } };
}

type Place = Pick<Editor, "text" | "cursor">;

function before({ text, cursor }: Place): number {
  return cursor === 0 ? 0 : graphemeStart(text, cursor - 1);
}

function after({ text, cursor }: Place): number {
  return graphemeEnd(text, cursor);
}

function lineStart({ text, cursor }: Place): number {
  return cursor === 0 ? 0 : text.lastIndexOf("\n", cursor - 1) + 1;
}

function lineEnd({ text, cursor }: Place): number {
  const end = text.indexOf("\n", cursor);
  return end === -1 ? text.length : end;
}

function isAtLineStart(editor: Place): boolean {
  return lineStart(editor) === editor.cursor;
}

function isAtLineEnd(editor: Place): boolean {
  return lineEnd(editor) === editor.cursor;
}
