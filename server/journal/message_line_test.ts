import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Operation } from "../core/operation.ts";
import { sealedLine } from "./batch.ts";
import { encodeBatch, message, PROVENANCE } from "../testing/journal_fixture.ts";
import { MessageLines } from "./message_line.ts";
import { decodeLine, encodeRecord, type Line } from "./record.ts";
import { RecordError } from "./fields.ts";

const anyText = fc.string({ unit: "binary", minLength: 1 }).filter((text) => text.isWellFormed());
const plainText = fc.string({ minLength: 1 }).filter((text) => !/["\\]/.test(text));
const natural = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

function messageOf(text: fc.Arbitrary<string>): fc.Arbitrary<Operation> {
  return fc.record({
    kind: fc.constant("message_sent"),
    id: text,
    sender: text,
    recipient: text,
    recipientAccount: text,
    content: text,
    timeMs: natural,
    tick: natural,
    origin: text,
    seq: natural.map((seq) => Math.max(1, seq)),
  });
}

/** What the quick reader and the thorough one make of each line. */
function readBoth(bytes: Uint8Array): [Line | undefined, Line | undefined][] {
  const messages = new MessageLines(bytes);
  const found: [Line | undefined, Line | undefined][] = [];
  for (let start = 0; start < bytes.length;) {
    const end = messages.endOfLine(start);
    found.push([messages.read(start, end), thorough(bytes.subarray(start, end))]);
    start = end + 1;
  }
  return found;
}

function thorough(line: Uint8Array): Line | undefined {
  try {
    return decodeLine(line);
  } catch (error) {
    if (error instanceof RecordError) return undefined;
    throw error;
  }
}

Deno.test("MessageLines.read() reads what decodeLine() reads, or leaves it alone", () => {
  fc.assert(fc.property(fc.array(messageOf(anyText), { minLength: 1 }), (operations) => {
    for (const [quick, slow] of readBoth(encodeBatch(operations))) {
      if (quick !== undefined) assertEquals(quick, slow);
    }
  }));
});

Deno.test("MessageLines.read() reads messages of usual names and any text without escapes", () => {
  const usual = messageOf(plainText).map((operation) => ({
    ...operation,
    timeMs: 1_795_000_000_000,
    tick: 7,
    seq: 123_456,
  }));
  fc.assert(fc.property(fc.array(usual, { minLength: 1 }), (operations) => {
    const lines = readBoth(encodeBatch(operations));
    assertEquals(lines.map(([quick]) => quick?.entry), operations);
    assertEquals(lines.map(([quick]) => quick), lines.map(([, slow]) => slow));
  }));
  const [umlauts] = readBoth(encodeBatch([message(1, "grüße 👋")]));
  assertEquals(umlauts?.[0]?.entry, message(1, "grüße 👋"));
});

Deno.test("MessageLines.read() leaves other operations and odd forms alone", () => {
  const usual = encodeRecord(message(12));
  const odd = [
    encodeRecord({ kind: "messages_read", by: "b", ids: ["a.1"], ...PROVENANCE }),
    usual.replace('"seq":', '"more":1,"seq":'),
    usual.replace('"seq":12', '"seq":012'),
    usual.replace('"seq":12', '"seq":1.2'),
    usual.replace('"seq":12', '"seq":0'),
    usual.replace('"unread"', '"read"'),
    usual.replace('"sender":"', '"sender":"\\u0041'),
  ];
  for (const text of odd) {
    assertEquals(readBoth(sealedLine(text)).map(([quick]) => quick), [undefined], text);
  }
});
