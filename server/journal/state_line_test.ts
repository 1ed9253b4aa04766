import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { messageIdOf } from "../core/message_id.ts";
import type { Operation } from "../core/operation.ts";
import { NO_PLACE, type StateRecord } from "../core/state_record.ts";
import { encodeBatch, message, PROVENANCE } from "../testing/journal_fixture.ts";
import { sealedLine } from "./batch.ts";
import { RecordError } from "./fields.ts";
import { nameLines, readLines } from "./lines.ts";
import { MessageLines } from "./message_line.ts";
import { decodeLine, decodeRecord, encodeEntry, RECORD_CHARS_MAX } from "./record.ts";

const SENDER = "aaaaaaaaaaaa";
const AT = '[1795000000000,0,"node1.e1",1]';

const EXAMPLES: [StateRecord, string][] = [
  [
    {
      kind: "account_state",
      ...NO_PLACE,
      account: "b",
      claim: { name: "bob", generation: 2, at: PROVENANCE },
      password: { hash: "x", version: 3, at: PROVENANCE },
      deletion: PROVENANCE,
    },
    '{"state":"account","account":"b","name":"bob","generation":2,"created":' + AT +
    ',"password":"x","version":3,"changed":' + AT + ',"deleted":' + AT + "}",
  ],
  [
    { kind: "account_state", ...NO_PLACE, account: "b", deletion: PROVENANCE },
    '{"state":"account","account":"b","deleted":' + AT + "}",
  ],
  [
    messageState({}),
    '{"state":"message","id":"a.1","sender":"ann","recipient":"bob","content":"hello","status":' +
    '"unread","recipientAccount":"b","time":1795000000000,"tick":0,"origin":"node1.e1","seq":1}',
  ],
  [
    messageState({ read: { origin: "node2.e2", seq: 7 } }),
    '{"state":"message","id":"a.1","sender":"ann","recipient":"bob","content":"hello","status":' +
    '"read","recipientAccount":"b","time":1795000000000,"tick":0,"origin":"node1.e1","seq":1,' +
    '"readOrigin":"node2.e2","readSeq":7}',
  ],
  [
    {
      kind: "deleted_state",
      ...NO_PLACE,
      sender: SENDER,
      sentMs: 5,
      by: "node1.e1",
      recipients: ["b", "c"],
      deleted: [[0, 10], [1, 8], [0, 8]].map(([recipient = 0, seq = 0], index) => ({
        id: messageIdOf(SENDER, `${index}`),
        recipient,
        seq,
      })),
    },
    '{"state":"deleted","sender":"aaaaaaaaaaaa","sent":5,"by":"node1.e1","recipients":["b","c"],' +
    '"keys":"' + ["0", "1", "2"].map((key) => messageIdOf(SENDER, key).slice(13)).join("") +
    '","to":[0,1,0],"seqs":[10,-2,0]}',
  ],
  [
    {
      kind: "loose_operation",
      ...NO_PLACE,
      operation: { kind: "messages_read", by: "b", ids: ["a.1"], ...PROVENANCE },
    },
    '{"state":"operation","record":{"operation":"read","ids":["a.1"],"by":"b",' +
    '"time":1795000000000,"tick":0,"origin":"node1.e1","seq":1}}',
  ],
  [
    {
      kind: "coverage",
      ...NO_PLACE,
      vector: new Map([["node1.e1", 3], ["node2.e2", 9]]),
      clock: { timeMs: 8, tick: 2 },
    },
    '{"state":"covers","vector":{"node1.e1":3,"node2.e2":9},"time":8,"tick":2}',
  ],
];

for (const [record, text] of EXAMPLES) {
  Deno.test(`a line of ${record.kind}: ${text.slice(0, 60)}…`, () => {
    assertEquals(encodeEntry(record), text);
    assertEquals(decode(text), record);
  });
}

const text = fc.string({ unit: "binary" });
const named = fc.stringMatching(/^[A-Za-z0-9_-]{1,32}\.[0-9a-z]{1,32}$/);
const natural = fc.maxSafeNat();
const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const provenance = fc.record({ timeMs: natural, tick: natural, origin: named, seq });
const optional = <T>(key: string, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined }).map((one) => one === undefined ? {} : { [key]: one });

/** With texts that the quick reader can read, or with any. */
function anyMessage(
  texts: fc.Arbitrary<string>,
  max = Number.MAX_SAFE_INTEGER,
): fc.Arbitrary<StateRecord> {
  const [natural, seq] = [fc.integer({ min: 0, max }), fc.integer({ min: 1, max })];
  return fc.tuple(
    fc.record({
      id: texts,
      sender: texts,
      recipient: texts,
      recipientAccount: texts,
      content: texts,
    }),
    fc.record({ timeMs: natural, tick: natural, origin: named, seq }),
    optional("read", fc.record({ origin: named, seq })),
  ).map(([fields, at, read]) => ({ kind: "message_state", ...NO_PLACE, ...fields, at, ...read }));
}

const anyRecord: fc.Arbitrary<StateRecord> = fc.oneof(
  fc.tuple(
    text,
    optional("claim", fc.record({ name: text, generation: seq, at: provenance })),
    optional("password", fc.record({ hash: text, version: seq, at: provenance })),
    optional("deletion", provenance),
  ).map(([account, ...parts]): StateRecord => ({
    kind: "account_state",
    ...NO_PLACE,
    account,
    ...Object.assign({}, ...parts),
  })),
  anyMessage(text),
  fc.record({
    sentMs: natural,
    by: named,
    recipients: fc.array(text, { minLength: 1, maxLength: 4 }),
    deleted: fc.array(fc.tuple(text, fc.nat(), fc.integer({ min: 1, max: 2 ** 52 }))),
  }).map(({ deleted, recipients, ...rest }): StateRecord => ({
    kind: "deleted_state",
    ...NO_PLACE,
    sender: SENDER,
    ...rest,
    recipients,
    deleted: deleted.map(([key, to, seq]) => ({
      id: messageIdOf(SENDER, key),
      recipient: to % recipients.length,
      seq,
    })),
  })),
  fc.tuple(fc.array(text), text, provenance).map(([ids, by, from]): StateRecord => ({
    kind: "loose_operation",
    ...NO_PLACE,
    operation: { kind: "messages_deleted", by, ids, ...from },
  })),
  fc.record({
    vector: fc.array(fc.tuple(named, seq)).map((entries) => new Map(entries)),
    timeMs: natural,
  }).map((fields): StateRecord => ({ kind: "checkpoint", ...NO_PLACE, ...fields })),
  fc.record({
    vector: fc.array(fc.tuple(named, seq)).map((entries) => new Map(entries)),
    clock: fc.record({ timeMs: natural, tick: natural }),
  }).map((fields): StateRecord => ({ kind: "coverage", ...NO_PLACE, ...fields })),
);

Deno.test("any records of a state are read as they were written", () => {
  fc.assert(fc.property(fc.array(anyRecord, { minLength: 1 }), (records) => {
    const lines = splitLines(encodeBatch(records));
    assertEquals(lines.map((line) => decodeLine(line).entry), records);
    assertEquals(lines.filter((line) => decodeLine(line).batch !== undefined).length, 1);
  }));
});

Deno.test("MessageLines.read() reads a message of a state as decodeLine() does, or leaves it alone", () => {
  const plain = fc.string({ minLength: 1 }).filter((one) => !/["\\]/.test(one));
  const wellFormed = text.filter((one) => one.isWellFormed());
  let quickly = 0;
  const records = fc.array(
    fc.oneof(anyMessage(plain, 10 ** 15 - 1), anyMessage(wellFormed), anyRecord),
    {
      minLength: 1,
    },
  );
  fc.assert(fc.property(records, (records) => {
    const bytes = encodeBatch(records);
    const messages = new MessageLines(bytes);
    let start = 0;
    for (const line of splitLines(bytes)) {
      const quick = messages.read(start, start + line.length);
      if (quick !== undefined) {
        assertEquals(quick, decodeLine(line));
        quickly++;
      }
      start += line.length + 1;
    }
  }));
  assertEquals(quickly > 100, true);
  const [unread, read] = [messageState({}), messageState({ read: { origin: "node2.e2", seq: 7 } })];
  for (const record of [unread, read]) {
    const line = encodeBatch([record]);
    assertEquals(new MessageLines(line).read(0, line.length - 1)?.entry, record);
  }
});

Deno.test("nameLines() and readLines() take lines of a state among those of operations", () => {
  const operation: Operation = { kind: "account_deleted", account: "b", ...PROVENANCE, seq: 4 };
  const entries = [message(3), ...EXAMPLES.map(([record]) => record), operation];
  const bytes = encodeBatch(entries);
  const none = EXAMPLES.map(() => ({ origin: "", seq: 0 }));
  const [first, last] = [{ origin: "node1.e1", seq: 3 }, { origin: "node1.e1", seq: 4 }];
  assertEquals(nameLines(bytes).names, [first, ...none, last]);
  assertEquals(nameLines(bytes).ends.at(-1), bytes.length);
  const found = readLines(bytes);
  assertEquals(found.map(({ sealed: _, ...entry }) => entry), entries);
  // And are the same in another journal.
  assertEquals(encodeBatch(found), bytes);
  const messages = found.filter(({ kind }) => kind === "message_state");
  assertEquals(messages.map(({ sealed }) => sealed !== undefined), [true, true]);
});

Deno.test("decodeLine() refuses what is no record of a state, and says what is wrong", () => {
  const texts = new Map(EXAMPLES.map(([{ kind }, text]) => [kind, text]));
  const refuse = (kind: StateRecord["kind"], from: string, to: string, why: string) => {
    const good = texts.get(kind) ?? "";
    assertStringIncludes(good, from);
    const error = assertThrows(() => decode(good.replace(from, to)), RecordError);
    assertStringIncludes(error.message, why);
  };
  refuse("coverage", '"covers"', '"hides"', "state");
  refuse("coverage", '"covers"', "7", "state");
  refuse("coverage", '"node1.e1":3', '"node1.e1":0', "node1.e1");
  refuse("coverage", '{"node1.e1":3,"node2.e2":9}', "null", "vector");
  refuse("coverage", '"tick":2', '"tick":-2', "tick");
  refuse("account_state", '"account":"b"', '"account":null', "account");
  refuse("account_state", '"b"', "7", "account");
  refuse("account_state", '[1795000000000,0,"node1.e1",1]', "[1,0]", "time, tick, origin and seq");
  refuse("account_state", '"node1.e1"', '""', "origin");
  refuse("message_state", '"read",', '"seen",', "status");
  refuse("message_state", '"readOrigin":"node2.e2"', '"readOrigin":""', "readOrigin");
  refuse("message_state", '"origin":"node1.e1"', '"origin":"no origin"', "a node and its epoch");
  refuse("message_state", '"readSeq":7', '"readSeq":0', "readSeq");
  refuse("message_state", '"seq":1', '"seq":1.5', "seq");
  refuse("deleted_state", '"to":[0,1,0]', '"to":[0,1]', "as many keys");
  refuse("deleted_state", '"to":[0,1,0]', '"to":[0,2,0]', "to");
  refuse("deleted_state", '"to":[0,1,0]', '"to":[0,-1,0]', "to");
  refuse("deleted_state", '"seqs":[10,-2,0]', '"seqs":[10,-10,0]', "seqs");
  refuse("deleted_state", '"seqs":[10,-2,0]', '"seqs":[10,"1",0]', "seqs");
  refuse("deleted_state", '"keys":"', '"keys":"A', "as many keys");
  refuse("deleted_state", '"by":"node1.e1"', '"by":""', "by");
  refuse("loose_operation", '{"operation"', '7,"x":{"operation"', "not JSON");
  refuse("loose_operation", '"seq":1', '"seq":0', "seq");
  refuse("loose_operation", '{"operation":"read"', '{"state":"covers","operation":"read"', "state");
});

Deno.test("an operation of a newer version may have a field `state`, if that is not its first", () => {
  const line = '{"operation":"set_status","state":"away","time":1,"tick":0,"origin":"n.e","seq":1}';
  const found = readLines(sealedLine(line))[0];
  assertEquals(found?.kind === "unknown" && found.line, line);
  assertThrows(
    () => decodeRecord('{"state":"away","operation":"x","time":1,"tick":0,"origin":"n.e","seq":1}'),
    RecordError,
    "state",
  );
});

Deno.test("an operation that is as long as may be fits into a snapshot", () => {
  const end = '","time":1,"tick":0,"origin":"n.e","seq":1}';
  const start = '{"operation":"pin","x":"';
  const line = start + "x".repeat(RECORD_CHARS_MAX - start.length - end.length) + end;
  const record: StateRecord = {
    kind: "loose_operation",
    ...NO_PLACE,
    operation: { kind: "unknown", line, timeMs: 1, tick: 0, origin: "n.e", seq: 1 },
  };
  const [found] = readLines(encodeBatch([record]));
  assertEquals(found, record);
});

Deno.test("readLines() refuses texts in a record of a state that no client could have said", () => {
  const places: [string, string][] = EXAMPLES.flatMap(([, text]) =>
    ['"bob"', '"hello"', '"x"', '["b","c"]', '"b"']
      .filter((part) => text.includes(part))
      .map((part): [string, string] => [text, part])
  );
  assertEquals(places.length > 10, true);
  for (const [text, part] of places) {
    for (const bad of ["\\u0000", "\\ud800"]) {
      const hostile = text.replace(part, part.replace(/"(\w)/, `"$1${bad}`));
      assertThrows(() => readLines(sealedLine(hostile)), RecordError, "NUL or half", hostile);
    }
  }
});

function messageState(parts: { read?: { origin: string; seq: number } }): StateRecord {
  return {
    kind: "message_state",
    ...NO_PLACE,
    id: "a.1",
    sender: "ann",
    recipient: "bob",
    recipientAccount: "b",
    content: "hello",
    at: PROVENANCE,
    ...parts,
  };
}

function decode(text: string): unknown {
  return decodeLine(sealedLine(text).subarray(0, -1)).entry;
}

function splitLines(batch: Uint8Array): Uint8Array[] {
  const { ends } = nameLines(batch);
  return ends.map((end, index) => batch.subarray(ends[index - 1] ?? 0, end - 1));
}
