import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import type { Operation } from "../core/operation.ts";
import { sealedLine, sealFault } from "./batch.ts";
import { encodeBatch, message, PROVENANCE } from "../testing/journal_fixture.ts";
import { decodeLine, decodeRecord, encodeRecord, RECORD_CHARS_MAX } from "./record.ts";
import { RecordError } from "./fields.ts";

const END = '"time":1795000000000,"tick":0,"origin":"node1.e1","seq":1}';

const EXAMPLES: [Operation, string][] = [
  [
    message(1, 'say "ü"\n'),
    '{"id":"a.1","sender":"ann","recipient":"bob","content":"say \\"ü\\"\\n","status":"unread",' +
    '"recipientAccount":"b",' + END,
  ],
  [
    { kind: "messages_read", by: "b", ids: ["a.1", "a.2"], ...PROVENANCE },
    '{"operation":"read","ids":["a.1","a.2"],"by":"b",' + END,
  ],
  [
    { kind: "messages_deleted", by: "b", ids: ["a.1"], ...PROVENANCE },
    '{"operation":"delete","ids":["a.1"],"by":"b",' + END,
  ],
  [
    {
      kind: "account_created",
      account: "b",
      name: "bob",
      generation: 2,
      password: "x",
      ...PROVENANCE,
    },
    '{"operation":"create_account","account":"b","name":"bob","generation":2,"password":"x",' + END,
  ],
  [
    { kind: "password_changed", account: "b", password: "y", version: 2, ...PROVENANCE },
    '{"operation":"change_password","account":"b","password":"y","version":2,' + END,
  ],
  [
    { kind: "account_deleted", account: "b", ...PROVENANCE },
    '{"operation":"delete_account","account":"b",' + END,
  ],
  [
    { kind: "unknown", line: '{"operation":"pin", "x":{"crc":1,"batch":2},' + END, ...PROVENANCE },
    '{"operation":"pin", "x":{"crc":1,"batch":2},' + END,
  ],
];

for (const [operation, text] of EXAMPLES) {
  Deno.test(`encodeRecord() and decodeRecord() of ${operation.kind}`, () => {
    assertEquals(encodeRecord(operation), text);
    assertEquals(decodeRecord(text), operation);
  });
}

Deno.test("lines of a batch give the same operations and one marker, at the end", () => {
  const operations = EXAMPLES.map(([operation]) => operation);
  const lines = splitLines(encodeBatch(operations));
  assertEquals(lines.map((line) => decodeLine(line).entry), operations);
  const bytes = lines.slice(0, -1).reduce((sum, line) => sum + line.length + 1, 0);
  assertEquals(
    lines.map((line) => decodeLine(line).batch),
    [...operations.slice(1).map(() => undefined), { records: operations.length, bytes }],
  );
});

Deno.test("a batch of any operations is read as it was written", () => {
  const text = fc.string({ unit: "binary" });
  const provenance = fc.record({
    timeMs: fc.maxSafeNat(),
    tick: fc.maxSafeNat(),
    origin: fc.string({ unit: "binary", minLength: 1 }),
    seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  });
  const ids = fc.array(text);
  const fact = fc.oneof(
    fc.record({
      kind: fc.constant("message_sent" as const),
      id: text,
      sender: text,
      recipient: text,
      recipientAccount: text,
      content: fc.oneof(
        text,
        fc.string({ unit: fc.nat(0xffff).map((u) => String.fromCharCode(u)) }),
      ),
    }),
    fc.record({ kind: fc.constant("messages_read" as const), by: text, ids }),
    fc.record({ kind: fc.constant("messages_deleted" as const), by: text, ids }),
    fc.record({
      kind: fc.constant("password_changed" as const),
      account: text,
      password: text,
      version: fc.integer({ min: 1 }),
    }),
    fc.record({ kind: fc.constant("account_deleted" as const), account: text }),
  );
  const operation = fc.tuple(fact, provenance).map(([one, from]): Operation => ({
    ...one,
    ...from,
  }));
  fc.assert(fc.property(fc.array(operation, { minLength: 1 }), (operations) => {
    const lines = splitLines(encodeBatch(operations));
    for (const line of lines) assertEquals(sealFault(line, 0, line.length), undefined);
    assertEquals(lines.map((line) => decodeLine(line).entry), operations);
  }));
});

Deno.test("sealedLine() seals with the CRC-32 of the bytes before the seal", () => {
  assertEquals(crc32("123456789"), 0xcbf43926);
  const line = new TextDecoder().decode(sealedLine('{"a":1}'));
  assertEquals(line, `{"a":1,"crc":"${crc32('{"a":1').toString(16).padStart(8, "0")}"}\n`);
  // Counted by another program (python3 -c 'import zlib; …'): leading zeros stay.
  assertEquals(new TextDecoder().decode(sealedLine('{"n":32}')), '{"n":32,"crc":"001e05fd"}\n');
});

Deno.test("decodeRecord() refuses what is no record, and says what is wrong", () => {
  const good = '{"operation":"read","ids":["a"],"by":"b","time":1,"tick":0,"origin":"o","seq":1}';
  assertEquals(decodeRecord(good).kind, "messages_read");
  const refuse = (from: string, to: string, why: string) =>
    assertStringIncludes(
      assertThrows(() => decodeRecord(good.replace(from, to)), RecordError).message,
      why,
    );
  refuse('"time":1', '"time":1.5', "time");
  refuse('"time":1', '"time":9007199254740992', "time");
  refuse('"tick":0', '"tick":-1', "tick");
  refuse('"seq":1', '"seq":0', "seq");
  refuse('"origin":"o"', '"origin":""', "origin");
  refuse('"by":"b"', '"by":null', "by");
  refuse('["a"]', '["a",1]', "ids");
  refuse('"read"', "7", "operation");
  refuse('"operation":"read",', "", "status");
  refuse("}", ',"crc":"00000000"}', "crc");
  refuse("}", ',"batch":{"records":1,"bytes":0}}', "batch");
  refuse("}", "}\n", "one line");
  refuse("{", "[{", "JSON");
});

Deno.test("encodeRecord() refuses what decodeRecord() would refuse", () => {
  const wrong: Operation[] = [
    { ...message(1), seq: 0 },
    { ...message(1), timeMs: NaN },
    { ...message(1), origin: "" },
    { kind: "unknown", line: '{"operation":"read"}', ...PROVENANCE },
    { kind: "unknown", line: `{"operation":"pin","crc":1,${END}`, ...PROVENANCE },
    { kind: "unknown", line: EXAMPLES[1]?.[1] ?? "", ...PROVENANCE },
    message(1, "x".repeat(RECORD_CHARS_MAX)),
  ];
  for (const operation of wrong) assertThrows(() => encodeRecord(operation), RecordError);
});

Deno.test("decodeLine() refuses bytes that are not UTF-8", () => {
  const line = encodeBatch([message(1, "xyz")]);
  line[line.indexOf("y".charCodeAt(0), 40)] = 0xff;
  assertThrows(() => decodeLine(line.subarray(0, -1)), RecordError, "UTF-8");
});

function splitLines(batch: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < batch.length;) {
    const end = batch.indexOf(0x0a, start);
    lines.push(batch.subarray(start, end));
    start = end + 1;
  }
  return lines;
}
