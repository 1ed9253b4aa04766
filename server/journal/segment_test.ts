import { assertEquals } from "@std/assert";
import { memoryFile } from "../testing/journal_fixture.ts";
import { sealedLine } from "./batch.ts";
import { headerLine, parseSegmentName, readExactly, readHeader, segmentName } from "./segment.ts";

Deno.test("segmentName() and parseSegmentName() are inverse", () => {
  for (const kind of ["journal", "snapshot"] as const) {
    for (const segment of [1, 12_345_678, 99_999_999, 100_000_000, 123_456_789_012_345]) {
      assertEquals(parseSegmentName(segmentName(kind, segment)), { kind, segment });
    }
  }
  assertEquals(segmentName("journal", 7), "journal-00000007.jsonl");
});

Deno.test("parseSegmentName() knows only the names that segmentName() gives", () => {
  const others = [
    "journal-1.jsonl",
    "journal-00000000.jsonl",
    "journal-000000001.jsonl",
    "journal-00000001.json",
    "journal-00000001.jsonl.new",
    "journal-0000000x.jsonl",
    "journal-1234567890123456.jsonl",
    "Journal-00000001.jsonl",
    "cut-00000001.jsonl",
    "",
  ];
  for (const name of others) assertEquals(parseSegmentName(name), undefined, name);
});

Deno.test("headerLine() and readHeader() are inverse", async () => {
  const headers = [
    { kind: "journal", segment: 1, after: 0 },
    { kind: "journal", segment: 2, after: 81_920 },
    { kind: "snapshot", segment: 99_999_999, after: 0 },
    { kind: "journal", segment: 123_456_789_012_345, after: Number.MAX_SAFE_INTEGER },
  ] as const;
  for (const header of headers) {
    const line = headerLine(header);
    assertEquals(await readHeader(memoryFile(line)), { header, bytes: line.length });
    const longer = new Uint8Array(10_000);
    longer.set(line);
    assertEquals(await readHeader(memoryFile(longer)), { header, bytes: line.length });
  }
  const text = new TextDecoder().decode(headerLine({ kind: "journal", segment: 2, after: 81_920 }));
  assertEquals(text.slice(0, 41), '{"journal":1,"segment":2,"after":81920,"c');
});

Deno.test("readHeader() finds none where it is cut, changed or of another version", async () => {
  const line = headerLine({ kind: "journal", segment: 2, after: 5 });
  for (let cut = 0; cut < line.length; cut++) {
    assertEquals(await readHeader(memoryFile(line.subarray(0, cut))), undefined);
  }
  for (let at = 0; at < line.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = line.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1 << bit;
      assertEquals(await readHeader(memoryFile(flipped)), undefined, `${at}.${bit}`);
    }
  }
  for (const json of ['{"journal":2,"segment":1}', '{"segment":1}', '{"snapshot":0,"segment":1}']) {
    assertEquals(await readHeader(memoryFile(sealedLine(json))), undefined, json);
  }
});

Deno.test("readExactly() reads on where a file gives little at a time", async () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);
  const slow = {
    read(into: Uint8Array, at: number) {
      const some = bytes.subarray(at, at + Math.min(7, into.length));
      into.set(some);
      return Promise.resolve(some.length);
    },
  };
  assertEquals(await readExactly(slow, 10, 50), bytes.slice(10, 60));
  assertEquals(await readExactly(slow, 90, 50), bytes.slice(90));
  assertEquals(await readExactly(slow, 100, 50), new Uint8Array(0));
});
