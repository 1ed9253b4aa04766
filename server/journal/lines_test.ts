import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Operation } from "../core/operation.ts";
import { encodeBatch, message, PROVENANCE } from "../testing/journal_fixture.ts";
import { sealedLine } from "./batch.ts";
import { nameLines, readLines } from "./lines.ts";
import { RecordError } from "./fields.ts";

const OPERATIONS: readonly Operation[] = [
  message(1),
  message(2, 'a text like ,"origin":"evil.x","seq":9,"crc":"00000000"} with "quotes" and ü'),
  { kind: "messages_read", by: "b", ids: ["a.1"], ...PROVENANCE, seq: 3 },
  { kind: "account_deleted", account: "b", ...PROVENANCE, origin: "node2.e2", seq: 1 },
];

Deno.test("nameLines() finds whose operations lines are, without their content", () => {
  const bytes = encodeBatch(OPERATIONS);
  const { names, ends } = nameLines(bytes);
  assertEquals(names, OPERATIONS.map(({ origin, seq }) => ({ origin, seq })));
  assertEquals(ends.map((end) => bytes[end - 1]), OPERATIONS.map(() => 0x0a));
  assertEquals(ends.at(-1), bytes.length);
});

Deno.test("nameLines() and readLines() take operations of other versions, whatever their order", () => {
  const json = '{"seq":7,"origin":"n.e","operation":"react","time":1,"tick":0,"list":[{"seq":1}]}';
  const line = sealedLine(json);
  assertEquals(nameLines(line), { names: [{ origin: "n.e", seq: 7 }], ends: [line.length] });
  const [operation] = readLines(line);
  assertEquals(operation?.kind === "unknown" && operation.line, json);
});

Deno.test("readLines() reads what a journal holds, markers or not", () => {
  const bytes = Uint8Array.from([...encodeBatch(OPERATIONS), ...encodeBatch([message(4)])]);
  const read = readLines(bytes).map(({ sealed: _, ...operation }) => operation);
  assertEquals(read, [...OPERATIONS, message(4)]);
});

Deno.test("a journal takes lines of another one as they came, and is the same as if it had made them", () => {
  const operations = [
    message(1, 'with "quotes" and ü'),
    message(2),
    message(3),
    ...OPERATIONS.slice(2),
  ];
  const bytes = encodeBatch(operations);
  assertEquals(encodeBatch(readLines(bytes)), bytes);
  // In other batches than before: markers are made anew.
  const [first, ...others] = readLines(bytes);
  assert(first !== undefined && first.sealed === undefined);
  const both = Uint8Array.from([...encodeBatch([first]), ...encodeBatch(others)]);
  const again = Uint8Array.from([
    ...encodeBatch(operations.slice(0, 1)),
    ...encodeBatch(operations.slice(1)),
  ]);
  assertEquals(both, again);
  assert(others[0]?.sealed !== undefined);
});

Deno.test("readLines() refuses every flipped bit, and lines that are cut", () => {
  const bytes = encodeBatch([message(1)]);
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1 << bit;
      assertThrows(() => readLines(flipped), RecordError);
    }
  }
  assertThrows(() => readLines(bytes.subarray(0, -1)), RecordError, "whole lines");
  assertThrows(() => nameLines(bytes.subarray(0, -1)), RecordError, "whole lines");
});
