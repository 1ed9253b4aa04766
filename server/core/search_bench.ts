/**
 * Prints how long searches take, a page and in all, and what the filters take:
 * `deno task bench:search [MESSAGES [CONTENT_CHARACTERS]]`.
 *
 * One account has all messages, half of them with one friend and half with 10,000; another has a
 * thousandth as many, strewn among them.
 */

import { apply } from "./apply.ts";
import { messageIdOf } from "./message_id.ts";
import type { Operation } from "./operation.ts";
import type { OrderedRows } from "./ordered_rows.ts";
import { searchNewestFirst, wordsOf } from "./search.ts";
import { ChatState } from "./state.ts";

const FRIENDS = 10_000;
const VOCABULARY = 20_000;
const PAGE_MAX = 1000;
const ROUNDS = 5;
const RARE = "zebrafinch";

if (import.meta.main) {
  const [messages = 1_000_000, characters = 100] = Deno.args.map(Number);
  measure(messages, characters);
}

function measure(messages: number, characters: number): void {
  const state = filled(messages, characters);
  const busy = state.accounts.get(accountOf(0));
  const quiet = state.accounts.get(accountOf(FRIENDS + 1));
  const friend = state.accounts.get(accountOf(1));
  console.log(`${messages} messages of ${characters} characters`);
  const searches: [string, OrderedRows | undefined, string][] = [
    ["all: a word that is nowhere", busy.mailbox, "xylophonists"],
    ["all: a word that is in one message", busy.mailbox, RARE],
    ["all: a common word", busy.mailbox, wordAt(0)],
    ["all: two common words", busy.mailbox, `${wordAt(0)} ${wordAt(5)}`],
    ["all: two letters that are nowhere", busy.mailbox, "qq"],
    ["all: trigrams that are everywhere, no match", busy.mailbox, wordAt(0).repeat(3)],
    ["one friend's: a word that is nowhere", state.conversation(busy, friend), "xylophonists"],
    ["a quiet account's: a word that is nowhere", quiet.mailbox, "xylophonists"],
    ["a quiet account's: a common word", quiet.mailbox, wordAt(0)],
  ];
  console.log("| search | found | pages | ms a page, at most | ms in all |");
  if (busy.mailbox !== undefined) {
    print("all: the first search", searched(state, busy.mailbox, "zebras"));
  }
  for (const [name, rows, text] of searches) {
    if (rows !== undefined) print(name, best(() => searched(state, rows, text)));
  }
  console.log(`filters: ${(state.messages.filterBytes / messages).toFixed(1)} bytes a message`);
}

function print(name: string, { found, pages, worstMs, allMs }: Searched): void {
  console.log(`| ${name} | ${found} | ${pages} | ${worstMs.toFixed(2)} | ${allMs.toFixed(1)} |`);
}

interface Searched {
  readonly found: number;
  readonly pages: number;
  readonly worstMs: number;
  readonly allMs: number;
}

/** Asks for page after page, at most 1,000 of each. */
function searched(state: ChatState, rows: OrderedRows, text: string): Searched {
  let [found, pages, worstMs, allMs] = [0, 0, 0, 0];
  let before: number | undefined;
  do {
    let count = 0;
    const startMs = performance.now();
    before = searchNewestFirst(state.messages, rows, { words: wordsOf(text), before }, () => {
      if (count === PAGE_MAX) return false;
      count++;
      return true;
    });
    const tookMs = performance.now() - startMs;
    worstMs = Math.max(worstMs, tookMs);
    allMs += tookMs;
    found += count;
    pages++;
  } while (before !== undefined);
  return { found, pages, worstMs, allMs };
}

/** Of several rounds: others have the machine, too. */
function best(round: () => Searched): Searched {
  const rounds = Array.from({ length: ROUNDS }, round);
  return rounds.reduce((a, b) => (b.worstMs < a.worstMs ? b : a));
}

function filled(messages: number, characters: number): ChatState {
  const state = new ChatState();
  for (let index = 0; index < messages; index++) {
    const isQuiet = index % 1000 === 999;
    const friend = index % 2 === 0 ? 1 : 2 + (index >>> 1) % (FRIENDS - 1);
    const [from, to] = isQuiet ? [FRIENDS + 1, FRIENDS + 2] : [0, friend];
    const operation: Operation = {
      kind: "message_sent",
      id: messageIdOf(accountOf(from), `${index}`),
      sender: "alice",
      recipient: "bob",
      recipientAccount: accountOf(to),
      content: textAt(index, characters) + (index === messages >>> 1 ? ` ${RARE}` : ""),
      timeMs: 1_700_000_000_000 + index,
      tick: 0,
      origin: "node1.e1",
      seq: index + 1,
    };
    apply(state, operation);
  }
  return state;
}

/** Some words are much more common than others, as in any language. */
function textAt(index: number, characters: number): string {
  let text = "";
  for (let seed = mixed(index + 1); text.length < characters; seed = mixed(seed)) {
    text += `${wordAt(Math.floor((seed / 2 ** 32) ** 4 * VOCABULARY))} `;
  }
  return text.slice(0, characters);
}

/** 2 to 10 letters, common ones most of all. */
function wordAt(number: number): string {
  let seed = mixed(number + 7_000_000);
  let word = "";
  for (let left = 3 + seed % 7; left > 0; left--) {
    seed = mixed(seed);
    word += "etaoinshrdlucmfwypvbgkjxzq"[Math.floor((seed / 2 ** 32) ** 2 * 26)];
  }
  return word;
}

function mixed(seed: number): number {
  let bits = Math.imul(seed ^ (seed >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return ((bits ^ (bits >>> 16)) + 0x9e3779b9) >>> 0;
}

function accountOf(number: number): string {
  return `account${String(number).padStart(5, "0")}`;
}
