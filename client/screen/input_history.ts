import { editKey, type Editor, withText } from "./editor.ts";

/** What was entered before, and which of it is in the editor. Never changed. */
export interface InputHistory {
  /** The newest last, without repeats that follow one another. */
  readonly entries: readonly string[];
  /** Which entry is in the editor; `entries.length` for what is being typed. */
  readonly at: number;
  /** What was left by going up or down, as it was: also entries that were changed. */
  readonly left: ReadonlyMap<number, Editor>;
}

/** What somebody types into: a text, and what up and down recall. */
export interface Input {
  readonly editor: Editor;
  readonly history: InputHistory;
}

export const HISTORY_ENTRIES_MAX = 1000;

export const EMPTY_HISTORY: InputHistory = { entries: [], at: 0, left: new Map() };

/**
 * What a key does: edit, or recall with up from the first line and down from the last. Undefined if
 * it does nothing here.
 */
export function inputKey(input: Input, key: string): Input | undefined {
  const editor = editKey(input.editor, key);
  if (editor !== undefined) return { ...input, editor };
  if (key === "up") return recalled(input, input.history.at - 1);
  if (key === "down") return recalled(input, input.history.at + 1);
  return undefined;
}

/** After the text was taken: an empty editor, and one more entry. */
export function enterInput({ editor, history }: Input): Input {
  return { editor: withText(editor, ""), history: remember(history, editor.text) };
}

/** With `text` as the newest entry, and none recalled. */
export function remember({ entries }: InputHistory, text: string): InputHistory {
  const isNew = text !== "" && text !== entries.at(-1);
  const kept = isNew ? [...entries, text].slice(-HISTORY_ENTRIES_MAX) : entries;
  return { entries: kept, at: kept.length, left: new Map() };
}

function recalled({ editor, history }: Input, to: number): Input | undefined {
  const text = to === history.entries.length ? "" : history.entries[to];
  if (text === undefined) return undefined;
  const recalled = history.left.get(to);
  const left = new Map(history.left).set(history.at, editor);
  left.delete(to);
  return {
    editor: recalled === undefined
      ? withText(editor, text)
      // What was killed since is yanked here too.
      : { ...recalled, killed: editor.killed, last: { kind: "other" } },
    history: { ...history, at: to, left },
  };
}
