import { graphemeBoundary, graphemeStart } from "./columns.ts";

const WORD = String.raw`\p{L}\p{N}\p{M}\u200c\u200d`;
const BEFORE = new RegExp(`(?<=([${WORD}]*)([^${WORD}]*))`, "uy");
const AFTER = new RegExp(`([^${WORD}]*)([${WORD}]*)`, "uy");
const UNSPACED_BEFORE = /(?<=(\S*)(\s*))/uy;

/** Scripts that put no spaces between words: there the segmenter knows. */
const WITHOUT_SPACES =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
/** In UTF-16 units: how much of a text without spaces is looked at for one word. */
const WINDOW = 64;

/** Where the word begins that `index` is in or after, as in readline: letters and digits only. */
export function wordStart(text: string, index: number): number {
  const [, word = "", gap = ""] = matchAt(BEFORE, text, index);
  const end = index - gap.length;
  if (!WITHOUT_SPACES.test(word.slice(-WINDOW))) return graphemeStart(text, end - word.length);
  const window = word.slice(-WINDOW);
  const last = Array.from(segmenter.segment(window)).at(-1)?.segment ?? window;
  return graphemeStart(text, end - last.length);
}

/** Where the word ends that `index` is in or before. */
export function wordEnd(text: string, index: number): number {
  const [, gap = "", word = ""] = matchAt(AFTER, text, index);
  const start = index + gap.length;
  const window = word.slice(0, WINDOW);
  const isUnspaced = WITHOUT_SPACES.test(window);
  const end = start +
    (isUnspaced ? segmenter.segment(window).containing(0)?.segment ?? word : word).length;
  return graphemeBoundary(text, end);
}

/** Where what has no spaces in it begins that `index` is in or after. */
export function spacedStart(text: string, index: number): number {
  const [, word = "", gap = ""] = matchAt(UNSPACED_BEFORE, text, index);
  return graphemeStart(text, index - gap.length - word.length);
}

function matchAt(pattern: RegExp, text: string, index: number): readonly string[] {
  pattern.lastIndex = index;
  return pattern.exec(text) ?? [];
}
