/** Longer runs of combining marks are no language, but take a time that is quadratic in their length. */
const MARKS_MAX = 30;
const TOO_MANY_MARKS = new RegExp(`\\p{M}{${MARKS_MAX + 1}}`, "u");
/**
 * Letters of the commonest scripts, and emoji: none is a mark, and hardly any changes when it is
 * normalized. `\p{M}` would take five times as long to find none.
 */
const PLAIN =
  /^[\0-\u024f\u0370-\u0482\u048a-\u052f\u05d0-\u05ea\u0621-\u064a\u2010-\u2027\u3001-\u3029\u3041-\u3096\u30a1-\u30fc\u4e00-\u9fff\uac00-\ud7a3\ud83c-\ud83e\udc00-\udfff]*$/;

/**
 * A text as it is searched: in Unicode's NFKC and lower case, whatever the locale, both forms of the
 * small sigma as one. A text with more than 30 combining marks in a row is left as it is but for its case.
 */
export function fold(text: string): string {
  const isNormal = text.length <= MARKS_MAX || isPlain(text) || !TOO_MANY_MARKS.test(text);
  const folded = (isNormal ? text.normalize("NFKC") : text).toLowerCase();
  // At the end of a word, Σ becomes ς, and would not be found within a longer one.
  return folded.replaceAll("ς", "σ");
}

/** Whether a text is folded in a few ns for each of its units. Others may take a hundred. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}
