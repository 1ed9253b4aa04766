/**
 * Controls, formatting characters such as bidi overrides, line separators, fillers that nobody sees,
 * and what is no character at all. Joiners stay: emoji and several scripts need them, and they move
 * nothing.
 */
const UNSAFE =
  /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u034f\u115f\u1160\u3164\uffa0]/gu;
/** More marks on a letter than any script has: they take no columns, and cover the rows around. */
const HEAP = /([\p{M}\u200c\u200d]{16})[\p{M}\u200c\u200d]+/gu;

/**
 * Other people's text as it may be shown on a terminal: what could move the cursor, change the order
 * of letters or hide something is shown as an escape, and of marks heaped on a letter only some. One
 * line, whatever `text` holds.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(printable("a\x1b[2Jb\n"), "a\\x1b[2Jb\\n");
 * ```
 */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, visible).replaceAll(HEAP, "$1…");
}

/** Like {@linkcode printable}, with the lines of `text` as lines and its tabs as spaces. */
export function printableLines(text: string): string[] {
  return text.split(/\r\n|\n/).map((line) => printable(line.replaceAll("\t", "    ")));
}

/**
 * A value as one line of JSON that is safe on a terminal too, and the same to every parser: what
 * {@linkcode printable} changes is written as JSON's escapes.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll(UNSAFE, jsonEscapes)
    .replaceAll(HEAP, (heap, few: string) => few + jsonEscapes(heap.slice(few.length)));
}

function jsonEscapes(text: string): string {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

const SHORT = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const short = SHORT.get(character);
  if (short !== undefined) return short;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}
