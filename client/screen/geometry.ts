import { printable, printableLines } from "../../codec/printable.ts";
import { columnsOf, wrapToColumns } from "../text/columns.ts";
import type { Conversation } from "./conversation.ts";
import { type Editor, type EditorView, viewEditor } from "./editor.ts";
import type { Model, Size } from "./model.ts";
import type { View } from "./scroll.ts";

/**
 * How the terminal is parted: above, the list of conversations beside a title and messages; below,
 * over all columns, the status line, what is said to the person, and the input.
 */
export interface Geometry {
  /** Of the list, without the line beside it; 0 if it is not shown. */
  readonly listColumns: number;
  /** For title and messages. */
  readonly columns: number;
  /** For messages. */
  readonly rows: number;
  /** What is said or asked, above the input. */
  readonly said: readonly string[];
  readonly input: EditorView;
  /** What stands before the input. */
  readonly prompt: string;
}

/** As narrow as this, the list is only shown when it is asked for. */
const LIST_AT_COLUMNS = 60;
const LIST_COLUMNS_MIN = 12;
const LIST_COLUMNS_MAX = 28;
/** Besides a name: the key, presence, how many are unread, and spaces. */
const LIST_EXTRA_COLUMNS = 10;
/** At most these parts of the terminal are for the list, the input, and a question beside it. */
const LIST_PART = 1 / 3;
const INPUT_PART = 1 / 3;
const PROMPT_PART = 1 / 2;
/** What is said gets at most this many rows; no more of it is looked at than could fit. */
const SAID_ROWS_MAX = 6;
const SAID_CHARACTERS_MAX = 4_000;
/** A title and a status line. */
const FIXED_ROWS = 2;
const PROMPT = "> ";
const CHOOSING = "Which one? Up and Down choose, Enter deletes it for both sides, Esc does not";

export function geometryOf(model: Model): Geometry {
  const { size } = model;
  const listColumns = model.me === undefined ? 0 : listColumnsOf(model);
  const columns = Math.max(1, size.columns - (listColumns === 0 ? 0 : listColumns + 1));
  const { prompt, text } = promptOf(model);
  const said = saidLines(text, size.columns);
  const rowsMax = Math.max(1, Math.floor(size.rows * INPUT_PART));
  const inputColumns = Math.max(1, size.columns - columnsOf(prompt));
  const input = viewEditor(shownEditor(model), inputColumns, rowsMax);
  const rows = Math.max(1, size.rows - FIXED_ROWS - said.length - input.lines.length);
  return { listColumns, columns, rows, said, input, prompt };
}

/** Whether the list is shown if nobody said whether it should be. */
export function hasRoomForList({ columns }: Size): boolean {
  return columns >= LIST_AT_COLUMNS;
}

/** Texts are laid out once for each width: they are scrolled row by row. */
const laidOut = new WeakMap<
  readonly string[],
  { readonly columns: number; readonly rows: readonly string[] }
>();

/** Lines as the rows that they take. */
export function textRows(lines: readonly string[], columns: number): readonly string[] {
  const known = laidOut.get(lines);
  if (known?.columns === columns) return known.rows;
  const rows = lines.flatMap((line) => wrapToColumns(printable(line), columns));
  laidOut.set(lines, { columns, rows });
  return rows;
}

/** The part of the terminal that shows messages. */
export function messageView(model: Model): View {
  const { columns, rows } = geometryOf(model);
  return { me: model.me ?? "", columns, rows };
}

/** A short question stands before its answer, a long one above it. */
function promptOf({ question, notice, chosen, size }: Model): { prompt: string; text?: string } {
  if (question !== undefined) {
    const { text } = question;
    const room = size.columns * PROMPT_PART;
    const prompt = printable(text.slice(0, SAID_CHARACTERS_MAX));
    return columnsOf(prompt) <= room ? { prompt } : { prompt: PROMPT, text };
  }
  const text = chosen === undefined ? notice : CHOOSING;
  return text === undefined ? { prompt: PROMPT } : { prompt: PROMPT, text };
}

function saidLines(text: string | undefined, columns: number): readonly string[] {
  if (text === undefined) return [];
  return printableLines(text.slice(-SAID_CHARACTERS_MAX))
    .flatMap((line) => wrapToColumns(line, columns))
    .slice(-SAID_ROWS_MAX);
}

/** Of a secret, only how long it is. */
function shownEditor({ question, editor }: Model): Editor {
  if (question === undefined) return editor;
  if (!question.isHidden) return question.editor;
  return { ...question.editor, text: "•".repeat(question.editor.text.length) };
}

function listColumnsOf({ size, isListShown, conversations }: Model): number {
  if (!(isListShown ?? hasRoomForList(size))) return 0;
  const wanted = Math.min(
    Math.max(longestName(conversations) + LIST_EXTRA_COLUMNS, LIST_COLUMNS_MIN),
    LIST_COLUMNS_MAX,
  );
  return Math.min(wanted, Math.floor(size.columns * LIST_PART));
}

/** Measured once for a list: of a key, it is asked for several times. */
const longestNames = new WeakMap<readonly Conversation[], number>();

/** The columns of the longest name. */
function longestName(conversations: readonly Conversation[]): number {
  const known = longestNames.get(conversations);
  if (known !== undefined) return known;
  const longest = Math.max(0, ...conversations.map(({ name }) => columnsOf(printable(name))));
  longestNames.set(conversations, longest);
  return longest;
}
