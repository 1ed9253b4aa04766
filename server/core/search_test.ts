import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import {
  ACCOUNTS,
  arrivals,
  fold as foldAll,
  history,
  interleave,
  RUNS,
} from "../testing/histories.ts";
import type { Account } from "./account_table.ts";
import { apply } from "./apply.ts";
import { fold } from "./fold.ts";
import { messageIdOf } from "./message_id.ts";
import type { Row } from "./message_table.ts";
import type { Fact } from "./operation.ts";
import type { OrderedRows } from "./ordered_rows.ts";
import { searchNewestFirst, wordsOf } from "./search.ts";
import { ChatState } from "./state.ts";

const [ALICE, BOB, CAROL] = ["alicealice22", "bobbobbob222", "carolcarol22"];
const UNITS = [
  "a",
  "B",
  "ab",
  " ",
  "é",
  "e\u0301",
  "Σ",
  "я",
  "語",
  "本",
  "ﬁ",
  "\u0323",
  "\u{1f600}",
];
const text = fc.string({ unit: fc.constantFrom(...UNITS), minLength: 1, maxLength: 12 });

Deno.test("a search finds what looking at every message does, after any history", () => {
  fc.assert(
    fc.property(history, arrivals, fc.nat(3), fc.string(), (history, arrivals, which, text) => {
      const state = foldAll(interleave(history, arrivals));
      const account = state.accounts.get(ACCOUNTS[which] ?? "");
      for (const words of [[], wordsOf(text)]) {
        assertEquals(found(state, account.mailbox, words), naively(state, account, words));
      }
    }),
    RUNS,
  );
});

Deno.test("a search finds parts of words in any script, through deletions, packing and late texts", () => {
  const step = fc.record({
    // Of few keys on both sides of a block's border, so that many are deleted, and some before they come.
    key: fc.nat(600),
    isTo: fc.boolean(),
    text,
    isDeletion: fc.boolean(),
  });
  const steps = fc.array(step, { minLength: 200, maxLength: 400 });
  fc.assert(
    fc.property(steps, fc.array(text, { maxLength: 8 }), (steps, queries) => {
      const { state, submit, fill } = newState();
      fill(300);
      for (const { key, isTo, text, isDeletion } of steps) {
        const id = messageIdOf(ALICE, `${key}`);
        if (isDeletion) submit({ kind: "messages_deleted", by: ALICE, ids: [id] });
        else submit(sent(id, isTo ? BOB : CAROL, text));
      }
      const account = state.accounts.get(ALICE);
      for (const query of queries) {
        const words = wordsOf(query);
        assertEquals(found(state, account.mailbox, words), naively(state, account, words));
        const rows = found(state, conversation(state), words);
        const ours = naively(state, account, words)
          .filter((row) => state.recipient(row).id === BOB);
        assertEquals(rows, ours);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("a search that goes on finds each message once, however little it may do at a time", () => {
  const { state, submit, fill } = newState();
  fill(2000);
  for (let key = 0; key < 2000; key += 3) {
    submit({ kind: "messages_deleted", by: ALICE, ids: [messageIdOf(ALICE, `${key}`)] });
  }
  const account = state.accounts.get(ALICE);
  const words = wordsOf("message 1");
  const all = naively(state, account, words);
  assertGreater(all.length, 300);
  for (const [stepsMax, takenMax] of [[1, 1000], [100, 7], [2000, 1000], [10 ** 9, 50]] as const) {
    const rows: Row[] = [];
    let before: Row | undefined;
    do {
      let room: number = takenMax;
      const take = (row: Row) => room-- > 0 && rows.push(row) > 0;
      before = searchNewestFirst(
        state.messages,
        mailbox(account),
        { words, before, stepsMax },
        take,
      );
      // Where it stopped may be gone by the time that it goes on.
      if (before !== undefined && before % 5 === 0 && !rows.includes(before)) {
        submit({ kind: "messages_deleted", by: ALICE, ids: [state.messages.idOf(before)] });
      }
    } while (before !== undefined);
    assertEquals(rows, all);
  }
});

Deno.test("a search looks at few texts for a word that is nowhere, and stops after so much work", () => {
  const { state, fill } = newState();
  fill(20_000);
  const mail = mailbox(state.accounts.get(ALICE));
  let looked = 0;
  const contentOf = state.messages.contentOf;
  state.messages.contentOf = (row) => {
    looked++;
    return contentOf.call(state.messages, row);
  };
  const search = (text: string, stepsMax: number) => {
    looked = 0;
    const options = { words: wordsOf(text), stepsMax };
    return searchNewestFirst(state.messages, mail, options, () => true);
  };
  // Of each block some texts, and all of the newest; then there are filters.
  assertEquals(search("zebrafinch", 10 ** 9), undefined);
  assertLessOrEqual(looked, 20_000 / 256 * 32 + 256);
  assertEquals(search("zebrafinch", 40_000), undefined);
  assertLessOrEqual(looked, 20_000 % 256);
  assert(search("zebrafinch", 10_000) !== undefined);
  // Too short for the filters, it has to look everywhere.
  assert(search("zq", 40_000) !== undefined);
  assertLessOrEqual(looked, 40_000 / 20);
});

Deno.test("wordsOf() splits a folded text at any white space, and takes each word once", () => {
  assertEquals(wordsOf(" Ab\u00a0aB\u3000\tｃd\n"), ["ab", "cd"]);
  assertEquals(wordsOf(" \u2003\n"), []);
});

function found(
  state: ChatState,
  rows: OrderedRows | undefined,
  words: readonly string[],
): Row[] {
  const taken: Row[] = [];
  if (rows === undefined) return taken;
  const options = { words, stepsMax: 10 ** 9 };
  searchNewestFirst(state.messages, rows, options, (row) => taken.push(row) > 0);
  return taken;
}

function naively(state: ChatState, { number }: Account, words: readonly string[]): Row[] {
  const { messages } = state;
  return Array.from({ length: messages.length }, (_, row) => row)
    .filter((row) => messages.isPresent(row))
    .filter((row) => messages.senderOf(row) === number || messages.recipientOf(row) === number)
    .filter((row) => words.every((word) => fold(messages.contentOf(row)).includes(word)))
    .sort((a, b) => messages.compare(b, a));
}

function mailbox({ mailbox }: Account): OrderedRows {
  assert(mailbox !== undefined);
  return mailbox;
}

function conversation(state: ChatState): OrderedRows | undefined {
  return state.conversation(state.accounts.get(ALICE), state.accounts.get(BOB));
}

function sent(id: string, recipientAccount: string, content: string): Fact {
  return { kind: "message_sent", id, sender: "s", recipient: "r", recipientAccount, content };
}

function newState() {
  const state = new ChatState();
  let seq = 0;
  const submit = (fact: Fact) => {
    seq++;
    apply(state, { ...fact, timeMs: 1000 + seq, tick: 0, origin: "node1.e1", seq });
  };
  const fill = (count: number) => {
    for (let key = 0; key < count; key++) {
      submit(sent(messageIdOf(ALICE, `${key}`), key % 2 === 0 ? BOB : CAROL, `Message ${key}`));
    }
  };
  return { state, submit, fill };
}
