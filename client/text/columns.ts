import stringWidth from "string-width";

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Letters, digits and signs that are each a grapheme of one column wherever only others of them stand
 * beside: Latin, Greek, Cyrillic, dashes, quotes, and what the screen is drawn with. Nearly every text
 * is nothing else, and is measured without the segmenter, which takes memory outside of the heap.
 */
const PLAIN =
  /^[\x20-\x7e\xa1-\xa8\xaa-\xac\xaf-\u02ff\u0370-\u0373\u0391-\u03a1\u03a3-\u0482\u048a-\u052f\u2010-\u2027\u20ac\u2500-\u257f\u25cb\u25cf\u2713]*$/;
const ELLIPSIS = "…";

/** Of a character of Chinese or Japanese, or an emoji, in columns. */
const WIDE = 2;
/** As much of a long word as is worth beginning at the end of a line. */
const BEGUN_COLUMNS_MIN = 8;
/** Wide characters that no line begins with. */
const CLINGING = /^[、。，．：；！？）」』】〉》〕ー々]/;

/** Measuring a grapheme takes microseconds, and few different ones are in use at a time. */
const widths = new Map<string, number>();
const WIDTHS_MAX = 8192;
/** In UTF-16 units: longer than any emoji, or letter with its marks. */
const GRAPHEME_LENGTH_MAX = 32;

/** What a reader sees as characters, in order. */
export function graphemesOf(text: string): string[] {
  return isPlain(text) ? text.split("") : Array.from(eachGrapheme(text));
}

/**
 * The graphemes of `text` as they are asked for, so that a long text may be left half read. One that
 * no reader would take for a character, joined of hundreds, comes in its parts: no terminal has it in
 * the place of one.
 */
export function* eachGrapheme(text: string): Generator<string, void, undefined> {
  if (isPlain(text)) yield* text;
  else {
    for (const { segment } of segmenter.segment(text)) {
      if (segment.length <= GRAPHEME_LENGTH_MAX) yield segment;
      else yield* segment;
    }
  }
}

/** The columns that `text` takes on a terminal. */
export function columnsOf(text: string): number {
  if (isPlain(text)) return text.length;
  let columns = 0;
  for (const grapheme of eachGrapheme(text)) columns += columnsOfGrapheme(grapheme);
  return columns;
}

/** The columns of what is known to be one grapheme. */
export function columnsOfGrapheme(grapheme: string): number {
  if (grapheme.length === 1 && isPlain(grapheme)) return 1;
  const known = widths.get(grapheme);
  if (known !== undefined) return known;
  const width = stringWidth(grapheme);
  if (widths.size >= WIDTHS_MAX) widths.clear();
  widths.set(grapheme, width);
  return width;
}

/** Where the grapheme begins that `index` is in, or `index` if that is its beginning. */
export function graphemeStart(text: string, index: number): number {
  return segmenter.segment(text).containing(index)?.index ?? text.length;
}

/** Where the grapheme ends that `index` is in; the length of `text` at its end. */
export function graphemeEnd(text: string, index: number): number {
  const found = segmenter.segment(text).containing(index);
  return found === undefined ? text.length : found.index + found.segment.length;
}

/** `index`, or the end of the grapheme that it is inside of. */
export function graphemeBoundary(text: string, index: number): number {
  return graphemeStart(text, index) === index ? index : graphemeEnd(text, index);
}

/**
 * Lines of at most `columns`, cut at spaces and before wide characters, as in Chinese and Japanese;
 * words that are longer are cut between graphemes, where they stand. A grapheme wider than `columns` has a line to itself. Only the spaces at a cut are lost.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(wrapToColumns("one  two three", 8), ["one  two", "three"]);
 * ```
 */
export function wrapToColumns(text: string, columns: number): string[] {
  if (columnsOf(text) <= columns) return [text];
  const lines: string[] = [];
  let at = 0;
  let lineStart = 0;
  let lineColumns = 0;
  /** The last spaces on this line that follow a word; none where a line may end without. */
  let spaces: { readonly start: number; end: number } | undefined;
  let wordColumns = 0;
  let isAfterSpace = true;
  let hasWord = false;

  const graphemes = graphemesOf(text);
  for (const [index, grapheme] of graphemes.entries()) {
    const width = columnsOfGrapheme(grapheme);
    if (grapheme === " " && hasWord) {
      // Spaces hang over the end of a line: it is the next word that needs a new one.
      if (!isAfterSpace) spaces = { start: at, end: at };
      if (spaces !== undefined) spaces.end = at + 1;
      wordColumns = 0;
      isAfterSpace = true;
    } else {
      if (width === WIDE && hasWord && !isAfterSpace && !CLINGING.test(grapheme)) {
        spaces = { start: at, end: at };
        wordColumns = 0;
      }
      // A word that has no room on any line begins on this one, if enough of it is there.
      if (
        lineColumns + width > columns && spaces !== undefined &&
        (wordColumns < BEGUN_COLUMNS_MIN || hasRoom(graphemes, index, columns - wordColumns))
      ) {
        lines.push(text.slice(lineStart, spaces.start));
        lineStart = spaces.end;
        lineColumns = wordColumns;
        spaces = undefined;
      }
      if (lineColumns + width > columns && at > lineStart) {
        lines.push(text.slice(lineStart, at));
        lineStart = at;
        lineColumns = 0;
      }
      wordColumns += width;
      isAfterSpace = false;
      hasWord ||= grapheme !== " ";
    }
    lineColumns += width;
    at += grapheme.length;
  }
  const isHanging = isAfterSpace && lineColumns > columns;
  lines.push(text.slice(lineStart, isHanging ? spaces?.start : undefined));
  return lines;
}

/** Whether what is left of a word, from `index` on, has room in `columns`. */
function hasRoom(graphemes: readonly string[], index: number, columns: number): boolean {
  let used = 0;
  for (let at = index; at < graphemes.length && graphemes[at] !== " "; at++) {
    const width = columnsOfGrapheme(graphemes[at] ?? "");
    // There, too, a line may be cut.
    if (width === WIDE && at > index) break;
    used += width;
    if (used > columns) return false;
  }
  return true;
}

/** What of `text` has room in `columns`, with an ellipsis at the end if that is not all. */
export function cutToColumns(text: string, columns: number): string {
  if (isPlain(text) && text.length <= columns) return text;
  let used = 0;
  let at = 0;
  let end = 0;
  for (const grapheme of eachGrapheme(text)) {
    used += columnsOfGrapheme(grapheme);
    if (used > columns) return columns <= 0 ? "" : text.slice(0, end) + ELLIPSIS;
    at += grapheme.length;
    if (used < columns) end = at;
  }
  return text;
}

/** `text` in exactly `columns`: cut, or with spaces at the end. */
export function padToColumns(text: string, columns: number): string {
  const cut = cutToColumns(text, columns);
  return cut + " ".repeat(Math.max(0, columns - columnsOf(cut)));
}

function isPlain(text: string): boolean {
  return PLAIN.test(text);
}
