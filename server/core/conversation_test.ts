import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { AccountTable } from "./account_table.ts";
import { Conversation } from "./conversation.ts";
import { messageIdOf } from "./message_id.ts";
import { MessageTable, type Row } from "./message_table.ts";
import { compareProvenance, type Provenance } from "./operation.ts";

const ALICE = "alicealice22";

Deno.test("Conversation.newestFirst() is in order of stamps, whatever the order of arrival", () => {
  const { add, times } = newConversation();
  for (const timeMs of [5, 1, 9, 3, 7]) add({ timeMs, tick: 0, origin: "a.e", seq: timeMs });
  assertEquals(times(), [9, 7, 5, 3, 1]);
});

Deno.test("Conversation.newestFirst() orders ties of time by tick, origin and sequence", () => {
  const stamp = fc.record({
    timeMs: fc.nat(2),
    tick: fc.nat(1),
    origin: fc.constantFrom("a.e", "b.e", "c.e"),
    seq: fc.integer({ min: 1, max: 1000 }),
  });
  const key = ({ origin, seq }: Provenance) => `${origin} ${seq}`;
  fc.assert(fc.property(fc.uniqueArray(stamp, { selector: key }), (stamps) => {
    const { messages, conversation, add } = newConversation();
    for (const at of stamps) add(at);
    const seen = [...conversation.newestFirst()].map((row) => messages.provenanceOf(row));
    assertEquals(seen.reverse(), stamps.toSorted(compareProvenance));
  }));
});

Deno.test("Conversation.newestFirst() goes on from just before a message, deleted ones too", () => {
  const { add, remove, times } = newConversation();
  const rows = [1, 2, 3, 4, 5].map((timeMs) =>
    add({ timeMs, tick: 0, origin: "a.e", seq: timeMs })
  );
  assertEquals(times(rows[3]), [3, 2, 1]);
  assertEquals(times(rows[0]), []);
  remove(rows[3]);
  assertEquals(times(rows[3]), [3, 2, 1]);
  assertEquals(times(rows[4]), [3, 2, 1]);
});

Deno.test("Conversation stays in order through thousands of deletions and late arrivals", () => {
  const { conversation, add, remove, times } = newConversation();
  const kept: number[] = [];
  for (let seq = 1; seq <= 5000; seq++) {
    // A stride that visits every time once, far from in order.
    const timeMs = (seq * 1777) % 5003;
    const row = add({ timeMs, tick: 0, origin: "a.e", seq });
    if (seq % 10 === 0) kept.push(timeMs);
    else remove(row);
  }
  assertEquals(conversation.presentCount, kept.length);
  assertEquals(times(), kept.sort((a, b) => b - a));
});

Deno.test("Conversation.remove() takes out one message, deleted or not, once", () => {
  const { conversation, add, remove, times } = newConversation();
  const rows = [1, 2, 3, 4, 5].map((timeMs) =>
    add({ timeMs, tick: 0, origin: "a.e", seq: timeMs })
  );
  const [first, second] = rows as [Row, Row];
  remove(first);
  for (const row of [first, first, second, second]) conversation.remove(row);
  assertEquals(times(), [5, 4, 3]);
  assertEquals(conversation.presentCount, 3);
});

Deno.test("Conversation.oldestFirst() goes on from just after a message, deleted ones too", () => {
  const { conversation, messages, add, remove } = newConversation();
  const rows = [1, 2, 3, 4, 5].map((timeMs) =>
    add({ timeMs, tick: 0, origin: "a.e", seq: timeMs })
  );
  const from = (after?: Row) =>
    [...conversation.oldestFirst(after)].map((row) => messages.timeMsOf(row));
  assertEquals(from(), [1, 2, 3, 4, 5]);
  assertEquals(from(rows[1]), [3, 4, 5]);
  assertEquals(from(rows[4]), []);
  for (const row of [rows[1], rows[4]]) remove(row);
  assertEquals(from(), [1, 3, 4]);
  assertEquals(from(rows[1]), [3, 4]);
  assertEquals(from(rows[4]), []);
});

Deno.test("Conversation.newest is the latest that is there, whatever was deleted after it", () => {
  const { conversation, messages, add, remove } = newConversation();
  const rows = [3, 1, 4, 2].map((timeMs) => add({ timeMs, tick: 0, origin: "a.e", seq: timeMs }));
  const newest = () => conversation.newest && messages.timeMsOf(conversation.newest);
  const seen = [newest()];
  for (const index of [0, 2, 3, 1]) {
    remove(rows[index]);
    seen.push(newest());
  }
  assertEquals(seen, [4, 4, 2, 1, undefined]);
  assertEquals([conversation.length, conversation.presentCount], [0, 0]);
});

Deno.test("Conversation counts what each side has not read", () => {
  const { conversation } = newConversation();
  conversation.changeUnread(1, 2);
  conversation.changeUnread(1, -1);
  assertEquals([conversation.unreadBy(1), conversation.unreadBy(2)], [1, 0]);
});

function newConversation() {
  const table = new MessageTable(new AccountTable());
  const conversation = new Conversation(table);
  const add = (at: Provenance): Row => {
    const row = table.findOrAdd(messageIdOf(ALICE, `${at.origin} ${at.seq}`)) as Row;
    const names = { sender: "alice", recipient: "alice", recipientAccount: ALICE };
    const id = table.idOf(row);
    table.put(row, { kind: "message_sent", id, ...names, content: "hello", ...at }, 0);
    conversation.add(row);
    return row;
  };
  const remove = (row: Row | undefined) => {
    if (row === undefined) throw new Error("Cannot delete message: there is none");
    table.markDeleted(row);
    conversation.noteDeleted();
  };
  const times = (before?: Row) =>
    [...conversation.newestFirst(before)].map((row) => table.timeMsOf(row));
  return { messages: table, conversation, add, remove, times };
}
