import { columnsOfGrapheme, eachGrapheme } from "../text/columns.ts";

/** Where the rows of a text begin that is cut between graphemes, found only as far as asked. */
export class WrappedText {
  readonly #starts = [0];
  readonly #more: Iterator<number, void>;

  constructor(text: string, columns: number) {
    this.#more = rowStarts(text, columns);
  }

  /** The row that the character at `index` is in; the last row for the end. */
  rowAt(index: number): number {
    while ((this.#starts.at(-1) ?? 0) <= index && this.#addRow());
    let [first, end] = [0, this.#starts.length];
    while (end - first > 1) {
      const middle = (first + end) >> 1;
      if ((this.#starts[middle] ?? 0) <= index) first = middle;
      else end = middle;
    }
    return first;
  }

  /** Where all rows before row `end` begin, and perhaps more. */
  startsBefore(end: number): readonly number[] {
    while (this.#starts.length < end && this.#addRow());
    return this.#starts;
  }

  #addRow(): boolean {
    const { value } = this.#more.next();
    if (value !== undefined) this.#starts.push(value);
    return value !== undefined;
  }
}

/** The starts of all rows but the first. */
function* rowStarts(text: string, columns: number): Generator<number, void> {
  for (let lineStart = 0;;) {
    const newline = text.indexOf("\n", lineStart);
    const line = text.slice(lineStart, newline === -1 ? text.length : newline);
    let rowStart = lineStart;
    let at = lineStart;
    let used = 0;
    for (const grapheme of eachGrapheme(line)) {
      const width = columnsOfGrapheme(grapheme);
      if (used + width > columns && at > rowStart) {
        yield rowStart = at;
        used = 0;
      }
      used += width;
      at += grapheme.length;
    }
    if (newline === -1) return;
    yield lineStart = newline + 1;
  }
}
