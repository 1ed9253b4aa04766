import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { columnsOf } from "../text/columns.ts";
import { type Conversation, newConversation, type Shown, withoutIds } from "./conversation.ts";
import { atTop, reanchored, scrolled, seen, showing, type View } from "./scroll.ts";
import type { Row } from "./style.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

function message(id: string, content: string, time = 0): Shown {
  return { id, sender: "bob", recipient: "alice", content, time, status: "read" };
}

function conversationOf(contents: readonly string[], daysApart = 0): Conversation {
  const messages = contents.map((content, index) =>
    message(`m${index}`, content, index * daysApart * DAY_MS)
  );
  return {
    ...newConversation("bob", 0),
    stretch: { messages, hasOldest: true, hasNewest: true },
  };
}

function texts(rows: readonly Row[]): string[] {
  return rows.map((row) => row.map(({ text }) => text).join(""));
}

function shown(conversation: Conversation, view: View): string[] {
  return texts(seen(conversation, view).rows);
}

/** What anybody may write: words of all lengths, of several scripts, and lines. */
const content = fc.array(
  fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.constantFrom("日本語の文章", "👩‍👩‍👧", "e\u0301", "שלום", "\n", "a".repeat(200)),
  ),
  { minLength: 1, maxLength: 8 },
).map((parts) => parts.join(" "));

const someConversation = fc.record({
  contents: fc.array(content, { minLength: 1, maxLength: 30 }),
  daysApart: fc.constantFrom(0, 1),
}).map(({ contents, daysApart }) => conversationOf(contents, daysApart));

const someView = fc.record({
  me: fc.constant("alice"),
  columns: fc.integer({ min: 8, max: 100 }),
  rows: fc.integer({ min: 1, max: 20 }),
});

Deno.test("seen() never gives more rows than there is room for, nor wider ones", () => {
  fc.assert(fc.property(someConversation, someView, fc.integer(), (conversation, view, by) => {
    const moved = { ...conversation, anchor: scrolled(conversation, view, by % 100) };
    const rows = shown(moved, view);
    assert(rows.length <= view.rows);
    for (const row of rows) assert(columnsOf(row) <= view.columns, row);
  }));
});

Deno.test("scrolled() shows every row on the way up, each page beginning where the last one ended", () => {
  fc.assert(fc.property(someConversation, someView, (conversation, view) => {
    const whole = shown(conversation, { ...view, rows: 100_000 });
    let at = conversation;
    let collected = shown(at, view);
    for (let pages = 0; pages < whole.length; pages++) {
      const anchor = scrolled(at, view, -view.rows);
      const next = { ...at, anchor };
      const rows = shown(next, view);
      const left = whole.length - collected.length;
      if (left === 0) {
        assertEquals(rows, whole.slice(0, view.rows));
        break;
      }
      assertEquals(rows.length, Math.min(view.rows, whole.length));
      collected = [...rows.slice(0, Math.min(left, view.rows)), ...collected];
      at = next;
    }
    assertEquals(collected, whole);
  }));
});

Deno.test("scrolled() down as far as up comes back to the end", () => {
  fc.assert(fc.property(someConversation, someView, fc.nat(60), (conversation, view, by) => {
    const up = { ...conversation, anchor: scrolled(conversation, view, -by) };
    assertEquals(scrolled(up, view, by), undefined);
  }));
});

Deno.test("scrolled() keeps what is seen in place when a message comes", () => {
  const view = { me: "alice", columns: 40, rows: 5 };
  const before = conversationOf(Array.from({ length: 50 }, (_, index) => `line ${index}`));
  const up = { ...before, anchor: scrolled(before, view, -10) };
  const stretch = { messages: up.stretch?.messages ?? [], hasOldest: true, hasNewest: true };
  const after = {
    ...up,
    stretch: { ...stretch, messages: [...stretch.messages, message("new", "new")] },
  };
  assertEquals(shown(after, view), shown(up, view));
});

Deno.test("atTop() shows the first row at the top, and fills the room below", () => {
  fc.assert(fc.property(someConversation, someView, (conversation, view) => {
    const whole = shown(conversation, { ...view, rows: 100_000 });
    const top = { ...conversation, anchor: atTop(conversation, view) };
    assertEquals(shown(top, view), whole.slice(0, view.rows));
  }));
});

Deno.test("showing() brings a message into sight from wherever", () => {
  const view = { me: "alice", columns: 40, rows: 7 };
  const conversation = conversationOf(Array.from({ length: 50 }, (_, index) => `line ${index}.`));
  for (const index of [0, 1, 20, 48, 49]) {
    const there = { ...conversation, anchor: showing(conversation, view, `m${index}`) };
    const rows = shown(there, view);
    assert(rows.some((row) => row.includes(`line ${index}.`)), rows.join("\n"));
    assertEquals(rows.length, view.rows);
  }
});

Deno.test("reanchored() stays near when the message at the bottom is deleted", () => {
  const view = { me: "alice", columns: 40, rows: 3 };
  const conversation = conversationOf(Array.from({ length: 20 }, (_, index) => `line ${index}.`));
  const up = { ...conversation, anchor: { key: "m10", hidden: 0 } };
  assertEquals(shown(up, view).at(-1)?.includes("line 10."), true);
  const stretch = up.stretch && withoutIds(up.stretch, new Set(["m10", "m9"]));
  const after = { ...up, stretch };
  const there = { ...after, anchor: reanchored(up, after) };
  assertEquals(shown(there, view).at(-1)?.includes("line 8."), true);
});
