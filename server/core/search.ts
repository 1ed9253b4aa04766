import { fold, isPlain } from "./fold.ts";
import type { MessageTable, Row } from "./message_table.ts";
import type { OrderedRows } from "./ordered_rows.ts";
import { trigramsOf } from "./trigram_filter.ts";

/**
 * How much one search may do, in steps of about 10 ns: some 4 ms. Counted, and not timed, so that the
 * same search does the same everywhere.
 */
export const SEARCH_STEPS_MAX = 400_000;
/** What it takes to ask a block's filter, besides its trigrams. */
const STEPS_PER_BLOCK = 5;
/** What it takes to look at a text, besides its bytes. */
const STEPS_PER_TEXT = 20;
/** A text of ASCII is decoded, made lower case, and looked through for each word. */
const UNITS_PER_STEP = 10;
/** What else is plain is normalized, too, which changes little. */
const STEPS_PER_PLAIN_UNIT = 1;
/** As long as that takes where it changes most. */
const STEPS_PER_OTHER_UNIT = 10;

const BEYOND_ASCII = /[\u0080-\uffff]/;

/** So many texts of a block are looked at before its filter is made. */
const LOOKED_AT_MAX = 32;
const MAY_HAVE = 254;
const HAS_NOT = 255;

/** The different words of a text, folded. */
export function wordsOf(text: string): string[] {
  return [...new Set(fold(text).split(/\s+/u))].filter((word) => word !== "");
}

/**
 * Looks for the newest messages of `rows`, before `place`, in which all of `words` occur, which
 * {@linkcode wordsOf} made. Each is given to `take`, until that says false: then this one was not
 * taken. Returns the last message that is done with if it stopped before the oldest, to go on from.
 */
export function searchNewestFirst(
  messages: MessageTable,
  rows: OrderedRows,
  { words, before, stepsMax = SEARCH_STEPS_MAX }: {
    readonly words: readonly string[];
    readonly before?: Row | undefined;
    readonly stepsMax?: number;
  },
  take: (row: Row) => boolean,
): Row | undefined {
  const seeker = new Seeker(messages, words);
  let last: Row | undefined;
  for (let index = before === undefined ? rows.length : rows.placeOf(before); --index >= 0;) {
    const row = rows.at(index);
    seeker.steps++;
    // A place to go on from is never a deleted message: other nodes may not know where it stood.
    if (!messages.isPresent(row)) continue;
    if (seeker.steps > stepsMax && last !== undefined) return last;
    if (seeker.matches(row) && !take(row)) return last;
    last = row;
  }
  return undefined;
}

/** Looks at texts, and counts what it takes. */
class Seeker {
  readonly #messages: MessageTable;
  readonly #words: readonly string[];
  readonly #trigrams: Uint32Array;
  /** Of each block, what is known of it: how many of its texts were looked at, or more. */
  readonly #blocks: Uint8Array;
  steps = 0;

  constructor(messages: MessageTable, words: readonly string[]) {
    this.#messages = messages;
    this.#words = words;
    this.#trigrams = trigramsOf(words);
    this.#blocks = new Uint8Array(messages.blockCount);
  }

  matches(row: Row): boolean {
    if (!this.#mayMatch(this.#messages.blockOf(row))) return false;
    const content = this.#foldedContentOf(row);
    return this.#words.every((word) => content.includes(word));
  }

  #mayMatch(block: number): boolean {
    const known = this.#blocks[block] as number;
    if (known >= MAY_HAVE) return known === MAY_HAVE;
    // Who has few messages in a block has looked at them sooner than its filter is made.
    const isMany = known === LOOKED_AT_MAX;
    if (known > 0 && !isMany) {
      this.#blocks[block] = known + 1;
      return true;
    }
    if (isMany && this.#trigrams.length > 0) this.steps += this.#messages.makeFilter(block);
    this.steps += STEPS_PER_BLOCK + this.#trigrams.length;
    const may = this.#messages.blockMayHave(block, this.#trigrams);
    this.#blocks[block] = may ? (isMany ? MAY_HAVE : 1) : HAS_NOT;
    return may;
  }

  #foldedContentOf(row: Row): string {
    const text = this.#messages.contentOf(row);
    const isAscii = !BEYOND_ASCII.test(text);
    const stepsPerUnit = isAscii
      ? 1 / UNITS_PER_STEP
      : isPlain(text)
      ? STEPS_PER_PLAIN_UNIT
      : STEPS_PER_OTHER_UNIT;
    this.steps += STEPS_PER_TEXT + Math.ceil(text.length * stepsPerUnit);
    return isAscii ? text.toLowerCase() : fold(text);
  }
}
