import { assertEquals } from "@std/assert";
import { AccountTable } from "./account_table.ts";
import { messageIdOf } from "./message_id.ts";
import { MessageTable, type Row } from "./message_table.ts";
import type { MessageSent, Provenance } from "./operation.ts";

const ALICE = "alicealice22";
const BOB = "bobbobbobb22";

Deno.test("MessageTable keeps every field of 100,000 messages while it grows", () => {
  const { accounts, table } = newTable();
  const count = 100_000;
  for (let index = 0; index < count; index++) put(table, accounts, messageAt(index));
  assertEquals([table.length, table.presentCount], [count, count]);
  for (let index = 0; index < count; index++) {
    const message = messageAt(index);
    const row = table.find(message.id);
    if (row === undefined) throw new Error(`Cannot find message ${index}`);
    const { timeMs, tick, origin, seq } = message;
    assertEquals(row, index);
    assertEquals(table.provenanceOf(row), { timeMs, tick, origin, seq });
    assertEquals(table.idOf(row), message.id);
    assertEquals(table.contentOf(row), message.content);
    assertEquals(accounts.idOf(table.recipientOf(row)), message.recipientAccount);
  }
});

Deno.test("MessageTable.findOrAdd() gives one identity one row, on both sides of a growth", () => {
  const { table } = newTable();
  for (const _ of [1, 2]) {
    for (let index = 0; index < 5000; index++) {
      assertEquals(table.findOrAdd(messageAt(index).id), index);
    }
  }
  assertEquals(table.length, 5000);
});

Deno.test("MessageTable.find() adds nothing, not even an account", () => {
  const { accounts, table } = newTable();
  assertEquals(table.find(messageAt(0).id), undefined);
  assertEquals([table.length, accounts.length], [0, 0]);
});

Deno.test("MessageTable.findOrAdd() has no row for what is no message's id", () => {
  const { accounts, table } = newTable();
  assertEquals(table.findOrAdd("nonsense"), undefined);
  assertEquals(table.findOrAdd(`${ALICE}.${"*".repeat(22)}`), undefined);
  assertEquals([table.length, accounts.length], [0, 0]);
});

Deno.test("MessageTable.markDeleted() forgets the text and keeps the identity and its stamp", () => {
  const { accounts, table } = newTable();
  const row = put(table, accounts, messageAt(7));
  const at = table.provenanceOf(row);
  table.markRead(row);
  table.markDeleted(row);
  assertEquals([table.isDeleted(row), table.isPresent(row), table.isRead(row)], [
    true,
    false,
    false,
  ]);
  assertEquals([table.contentOf(row), table.presentCount], ["", 0]);
  assertEquals(table.find(messageAt(7).id), row);
  assertEquals(table.provenanceOf(row), at);
});

Deno.test("MessageTable.put() brings back no text of a deleted message", () => {
  const { accounts, table } = newTable();
  const row = put(table, accounts, messageAt(7));
  table.markDeleted(row);
  put(table, accounts, messageAt(7));
  assertEquals([table.isPresent(row), table.contentOf(row), table.presentCount], [false, "", 0]);
});

Deno.test("MessageTable.compare() orders by time, tick, origin's name and sequence", () => {
  const { accounts, table } = newTable();
  const stamps = [
    { timeMs: 1, tick: 0, origin: "z.e", seq: 9 },
    { timeMs: 2, tick: 0, origin: "z.e", seq: 1 },
    { timeMs: 2, tick: 1, origin: "a.e", seq: 5 },
    { timeMs: 2, tick: 1, origin: "b.e", seq: 1 },
    { timeMs: 2, tick: 1, origin: "b.e", seq: 2 },
  ];
  const rows = stamps.map((stamp, index) =>
    put(table, accounts, { ...messageAt(index), ...stamp })
  );
  for (const a of rows) {
    for (const b of rows) assertEquals(Math.sign(table.compare(a, b)), Math.sign(a - b));
  }
});

function newTable(): { accounts: AccountTable; table: MessageTable } {
  const accounts = new AccountTable();
  return { accounts, table: new MessageTable(accounts) };
}

function put(
  table: MessageTable,
  accounts: AccountTable,
  message: MessageSent & Provenance,
): Row {
  const row = table.findOrAdd(message.id);
  if (row === undefined) throw new Error(`Cannot add message: id is ${message.id}`);
  table.put(row, message, accounts.numberOf(message.recipientAccount));
  return row;
}

function messageAt(index: number): MessageSent & Provenance {
  const [sender, recipientAccount] = index % 2 === 0 ? [ALICE, BOB] : [BOB, ALICE];
  return {
    kind: "message_sent",
    // Pairs share a key: it is the sender that tells them apart.
    id: messageIdOf(sender, `key ${index >> 1}`),
    sender,
    recipient: recipientAccount,
    recipientAccount,
    content: `message ${index}`,
    timeMs: 1_700_000_000_000 + index,
    tick: index % 3,
    origin: `node${index % 5}.e`,
    seq: index + 1,
  };
}
