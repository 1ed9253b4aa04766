import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/**
 * What was probably meant by a mistyped word; undefined if it is like none.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(nearest("sned", ["inbox", "send"]), "send");
 * assertEquals(nearest("frobnicate", ["inbox", "send"]), undefined);
 * ```
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const found = closestString(word, known);
  // Half of the letters wrong is no slip of the finger.
  const slipsMax = Math.max(1, Math.floor(Math.min(word.length, found.length) / 2));
  return levenshteinDistance(word.toLowerCase(), found.toLowerCase()) <= slipsMax
    ? found
    : undefined;
}

/** The end of a message about a mistyped word: empty if there is nothing to suggest. */
export function didYouMean(suggestion: string | undefined): string {
  return suggestion === undefined ? "" : `: did you mean ${suggestion}?`;
}
