import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { columnsOf } from "../text/columns.ts";
import { listedAs, messageOf, NOON_MS, ScreenStory } from "../testing/screen_story.ts";
import { type Frame, frameOf } from "./frame.ts";

/** Every row is no wider than the terminal, and there are no more rows than it has. */
function assertFits({ rows, cursor }: Frame, columns: number, height: number): void {
  assert(rows.length <= height, `${rows.length} rows of ${height}`);
  for (const row of rows) {
    const text = row.map((span) => span.text).join("");
    assert(columnsOf(text) <= columns, `${columnsOf(text)} columns of ${columns}: ${text}`);
    assert(!/\p{Cc}/u.test(text), JSON.stringify(text));
  }
  assert(cursor.row >= 0 && cursor.row < height, `cursor in row ${cursor.row}`);
  assert(cursor.column >= 0 && cursor.column < columns, `cursor in column ${cursor.column}`);
}

function conversation(columns: number, rows: number): ScreenStory {
  const story = new ScreenStory({ columns, rows }, [listedAs("bob", 1), listedAs("carol", 12)]);
  story.press("alt+1");
  story.answerLoad(
    messageOf("m1", { sender: "alice", recipient: "bob", status: "read", content: "hello bob" }),
    messageOf("m2", { content: "hello alice, this is long enough for two rows of forty columns" }),
  );
  return story;
}

Deno.test("frameOf() draws a conversation", () => {
  const story = conversation(60, 12);
  story.type("typing");
  assertEquals(
    story.text,
    [
      "1 ● bob        │bob ● online",
      "2 ● carol   12 │",
      "               │",
      "               │",
      "               │",
      "               │",
      "               │12:00 alice: hello bob  read",
      "               │── unread ──────────────────────────────────",
      "               │12:00 bob: hello alice, this is long enough",
      "               │      for two rows of forty columns",
      " alice on node1                                   12 unread",
      "> typing",
    ].join("\n"),
  );
});

Deno.test("frameOf() leaves the list away where there is little room, until F2", () => {
  const story = conversation(40, 12);
  assertEquals(story.text.split("\n")[0], "bob ● online");
  story.press("f2");
  assertStringIncludes(story.text, "2 ● carol 12 │");
  assertStringIncludes(story.text, "hello alice,");
  story.press("f2");
  assertEquals(story.text.split("\n")[0], "bob ● online");
});

Deno.test("frameOf() fits every terminal, whatever is in it", () => {
  const anyText = fc.array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 40 }),
      fc.string({ unit: "binary", maxLength: 10 }),
      fc.constantFrom("日本語の文章", "👩‍👩‍👧", "e\u0301", "שלום עולם", "\x1b[2J", "\u202e", "\n"),
    ),
    { maxLength: 6 },
  ).map((parts) => parts.join(" "));
  const anySize = fc.record({
    columns: fc.integer({ min: 1, max: 130 }),
    rows: fc.integer({ min: 1, max: 50 }),
  });
  fc.assert(fc.property(
    anySize,
    anySize,
    fc.array(anyText, { maxLength: 10 }),
    anyText,
    fc.constantFrom("/help", "/users", "/search x", "/delete", "hello"),
    (size, later, contents, name, entered) => {
      const friend = name === "" ? "x" : name;
      const story = new ScreenStory(size, [listedAs(friend, 1000), listedAs("carol", 3)]);
      story.press("alt+1");
      story.answerLoad(
        ...contents.map((content, index) =>
          messageOf(`m${index}`, { content, sender: index % 2 === 0 ? friend : "alice" })
        ),
      );
      const fits = ({ columns, rows }: { columns: number; rows: number }) =>
        assertFits(frameOf(story.model), columns, rows);
      fits(size);
      story.enter(entered);
      fits(size);
      story.type(contents.join("\n"));
      story.press("pageup");
      fits(size);
      story.happen({ kind: "resized", size: later });
      fits(later);
      story.happen({ kind: "asked", text: friend.repeat(5), isHidden: false });
      fits(later);
    },
  ));
});

Deno.test("frameOf() shows of any text only what a terminal can take, wherever it stands", () => {
  const parts = [
    "\n",
    "\u0301",
    "\u200d",
    "👩\u200d",
    "\u0915\u094d",
    "\u3164",
    "\u202e",
    "漢",
    "a ",
  ];
  for (const part of parts) {
    const content = part.repeat(20_000);
    const story = conversation(60, 12);
    const check = () => {
      const frame = frameOf(story.model);
      assertFits(frame, story.model.size.columns, 12);
      for (const row of frame.rows) {
        const units = row.reduce((sum, { text }) => sum + text.length, 0);
        assert(units <= 60 * 32, `${units} units in a row of ${JSON.stringify(part)}`);
      }
    };
    story.event("message", messageOf("m3", { content }));
    check();
    story.press("pageup");
    check();
    story.enter("/delete");
    check();
    story.press("escape");
    story.enter("/search a");
    const messages = Array.from({ length: 50 }, (_, at) => messageOf(`f${at}`, { content }));
    story.happen({ kind: "found", text: "a", messages, next: undefined });
    check();
    story.press("escape");
    story.happen({ kind: "told", lines: [content] });
    check();
    story.happen({ kind: "asked", text: content, isHidden: false });
    check();
    const lost = { state: "lost", host: content, why: content, nextTryMs: 1 } as const;
    story.happen({ kind: "connection", state: lost });
    check();
  }
});

Deno.test("frameOf() says what is known of the nodes", () => {
  const story = conversation(80, 12);
  const peer = { behind: 0, ahead: 0 };
  story.happen({
    kind: "status",
    isForPerson: false,
    status: {
      node: "node1",
      version: "1",
      origin: "node1.x",
      uptimeMs: 0,
      connections: 1,
      usersOnline: 1,
      accounts: 2,
      messages: 2,
      journalBytes: 1,
      vector: new Map(),
      digest: "d",
      copies: 2,
      warnings: ["a clock is wrong"],
      peers: [
        { ...peer, name: "node2", state: "connected" },
        { ...peer, name: "node3", state: "unreachable", why: "refused" },
      ],
    },
  });
  assertStringIncludes(story.text, "alice on node1  node2 ✓  node3 unreachable");
  story.enter("/status");
  assertEquals(story.kinds.includes("ask_status"), true);
  const { status } = story.model;
  assert(status !== undefined);
  story.happen({ kind: "status", isForPerson: true, status });
  assertStringIncludes(story.text, "node3: unreachable, refused");
  assertStringIncludes(story.text, "warning: a clock is wrong");
});

Deno.test("frameOf() parts days, in this machine's time zone", () => {
  const story = new ScreenStory({ columns: 60, rows: 12 }, [listedAs("bob")]);
  story.press("alt+1");
  const day = 24 * 60 * 60 * 1000;
  story.answerLoad(
    messageOf("m1", { time: NOON_MS - day, status: "read" }),
    messageOf("m2", { status: "read" }),
  );
  story.answerLoad();
  const lines = story.text.split("\n").map((line) => line.slice(14, 35));
  assertEquals(lines.slice(6, 10), [
    "── 2026-11-25 ───────",
    "12:00 bob: text of m1",
    "── 2026-11-26 ───────",
    "12:00 bob: text of m2",
  ]);
});
