import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { encodeBatch, memoryFile, message, messages } from "../testing/journal_fixture.ts";
import { BATCH_BYTES_MAX, LINE_BYTES_MAX } from "./batch.ts";
import { recoverJournal, RecoveryError } from "./recovery.ts";
import {
  type FaultInFile,
  type Scan,
  scanFile,
  type ScannedEntry,
  type ScanOptions,
} from "./scan.ts";
import { headerLine, type SegmentHeader } from "./segment.ts";

const FIRST: SegmentHeader = { kind: "journal", segment: 1, after: 0 };
const HEADER = headerLine(FIRST);
const SECTOR = 512;

Deno.test("scanFile() gives all entries with their places, and all bytes", async () => {
  const { bytes, starts } = journal([3, 1, 2]);
  const { scan, given, faults, read } = await scanned(bytes);
  assertEquals(faults, []);
  assertEquals(given.map(({ entry }) => entry.seq), [1, 2, 3, 4, 5, 6]);
  assertEquals(given.map(({ line }) => line), [2, 3, 4, 5, 6, 7]);
  assertEquals(given.map(({ at }) => at), starts);
  assert(given.every(({ isAfterFault }) => !isAfterFault));
  assertEquals(read, bytes);
  const whole = { lines: 7, bytesRead: bytes.length, wholeBytes: bytes.length };
  assertEquals(scan, { ...whole, tail: undefined, isAfterFault: false });
});

Deno.test("scanFile() reads lines and batches that are longer than its chunks", async () => {
  const { bytes } = journalOf([
    messages(3, 1, () => "x".repeat(300_000)),
    messages(2, 4, () => "é".repeat(200_000)),
  ]);
  const { given, faults, read } = await scanned(bytes);
  assertEquals([faults, given.length], [[], 5]);
  assertEquals(read, bytes);
});

for (const counts of [[1, 1, 1], [2, 1, 3], [3]]) {
  Deno.test(`scanFile() of batches ${counts} finds every flipped bit that recovery does`, async () => {
    const { bytes } = journal(counts);
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] ?? 0) ^ 1 << bit;
        const { faults } = await assertAgrees(flipped, `bit ${bit} of byte ${at}`);
        assertGreater(faults.length, 0);
      }
    }
  });
}

Deno.test("scanFile() judges a file that ends early as recovery does, at every byte", async () => {
  for (const counts of [[1, 1], [2, 3], [4]]) {
    const { bytes } = journal(counts);
    for (let end = 0; end < bytes.length; end++) {
      await assertAgrees(bytes.subarray(0, end), `cut at ${end}`);
      // A file that was complete has no torn end.
      const { faults, scan } = await scanned(bytes.subarray(0, end), { mayBeTorn: false });
      const isWhole = scan.wholeBytes === end && end >= HEADER.length;
      assertEquals(faults.length > 0, !isWhole, `cut at ${end}`);
    }
  }
});

Deno.test("scanFile() judges unwritten sectors as recovery does", async () => {
  const { bytes, ends } = journal([4, 20]);
  let torn = 0;
  for (let from = 0; from < bytes.length; from = nextSector(from)) {
    for (let to = nextSector(from); to < bytes.length + SECTOR; to += SECTOR) {
      const holed = bytes.slice().fill(
        0,
        Math.max(from, HEADER.length),
        Math.min(to, bytes.length),
      );
      const { scan } = await assertAgrees(holed, `${from} to ${to}`);
      if (scan.tail !== undefined) torn++;
    }
    await assertAgrees(bytes.slice().fill(0, ends[1], from), "the start of the last batch");
  }
  assertGreater(torn, 0);
});

Deno.test("scanFile() goes on after faults, and says before which entries they are", async () => {
  const { bytes, starts } = journal([3, 1, 4, 2]);
  for (const seq of [2, 4, 8]) flip(bytes, (starts[seq - 1] ?? 0) + 12);
  const { given, faults } = await scanned(bytes);
  assertEquals(given.map(({ entry }) => entry.seq), [1, 3, 5, 6, 7, 9, 10]);
  const after = given.filter(({ isAfterFault }) => isAfterFault);
  assertEquals(after.map(({ entry }) => entry.seq), [3, 5, 9]);
  assertEquals(
    faults.map(({ line, at }) => [line, at]),
    [3, 5, 9].map((line) => [
      line,
      starts[line - 2],
    ]),
  );
  for (const { found } of faults) assertMatch(found, /^a wrong checksum: it says \w{8}, its bytes/);
});

Deno.test("scanFile() finds that lines of a batch are missing", async () => {
  const { bytes, starts } = journal([1, 3, 1]);
  const without = new Uint8Array([
    ...bytes.subarray(0, starts[1]),
    ...bytes.subarray(starts[2]),
  ]);
  const { given, faults } = await scanned(without);
  assertEquals(given.map(({ entry }) => entry.seq), [1, 3, 4, 5]);
  assertEquals(faults.map(({ line }) => line), [4]);
  assertMatch(faults[0]?.found ?? "", /a batch marker of 3 lines/);
});

Deno.test("scanFile() passes over bytes without a newline, however many", async () => {
  const { bytes, ends } = journal([2, 1, 1]);
  const middle = new Uint8Array(3 * LINE_BYTES_MAX).fill(0x78);
  const end = ends[1] ?? 0;
  const newline = new Uint8Array([0x0a]);
  const parts = [bytes.subarray(0, end), middle, newline, bytes.subarray(end)];
  const { given, faults } = await scanned(await joined(parts));
  assertEquals(faults, [{ line: 4, at: end, found: "no end of the line" }]);
  assertEquals(given.map(({ entry }) => entry.seq), [1, 2, 3, 4]);
  assertEquals(given.map(({ line }) => line), [2, 3, 5, 6]);
});

Deno.test("scanFile() tells of lines without a batch's end before it holds too many", async () => {
  const { bytes } = journalOf([[message(1)]]);
  const line = encodeBatch([message(2, "y".repeat(60_000)), message(3)]);
  const unmarked = line.subarray(0, line.indexOf(0x0a) + 1);
  const count = Math.ceil(BATCH_BYTES_MAX / unmarked.length) + 1;
  const endless = await joined([bytes, ...Array.from({ length: count }, () => unmarked), bytes]);
  const { faults, given } = await scanned(endless);
  assertEquals(faults[0], { line: 3, at: bytes.length, found: "a batch without end" });
  // The second header is no record.
  assertEquals(faults.length, 2);
  assertEquals(given.length, count + 2);
});

async function assertAgrees(bytes: Uint8Array, what: string) {
  const found = await scanned(bytes);
  const { scan, faults } = found;
  const applied: number[] = [];
  try {
    const recovery = await recoverJournal({
      ...{ file: memoryFile(bytes), path: "journal", header: FIRST, isLast: true, syncedBytes: 0 },
      apply: ({ seq }) => void applied.push(seq),
    });
    assertEquals(faults, [], what);
    assertEquals(scan.tail?.kind ?? "whole", recovery.tail, what);
    const added = recovery.tail === "lacks_newline" ? 1 : 0;
    assertEquals(scan.wholeBytes + added, recovery.wholeBytes, what);
    assertEquals(found.given.map(({ entry }) => entry.seq), applied, what);
  } catch (error) {
    if (!(error instanceof RecoveryError)) throw error;
    assertGreater(faults.length, 0, `${what}: ${error.message}`);
  }
  return found;
}

async function scanned(bytes: Uint8Array, options: Partial<ScanOptions> = {}) {
  const given: ScannedEntry[] = [];
  const faults: FaultInFile[] = [];
  const read: Uint8Array[] = [];
  const scan: Scan = await scanFile({
    ...{ file: memoryFile(bytes), bytes: bytes.length, header: FIRST, mayBeTorn: true },
    onFault: (fault) => faults.push(fault),
    onEntry: (entry) => given.push(entry),
    onRead: (some) => read.push(some.slice()),
    onProgress: () => Promise.resolve(),
    ...options,
  });
  return { scan, given, faults, read: await joined(read) };
}

function journal(counts: readonly number[]) {
  let from = 1;
  return journalOf(counts.map((count) => messages(count, (from += count) - count)));
}

/** Bytes of a journal, where its batches end after its first line, and where each record begins. */
function journalOf(batches: readonly ReturnType<typeof messages>[]) {
  const parts = [HEADER, ...batches.map(encodeBatch)];
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  const ends: number[] = [];
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
    ends.push(at);
  }
  const starts: number[] = [];
  for (let start = HEADER.length; start < bytes.length; start = bytes.indexOf(0x0a, start) + 1) {
    starts.push(start);
  }
  return { bytes, ends, starts };
}

async function joined(parts: readonly Uint8Array[]): Promise<Uint8Array> {
  return new Uint8Array(await new Blob(parts.map((part) => part.slice())).arrayBuffer());
}

function flip(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

function nextSector(at: number): number {
  return (Math.floor(at / SECTOR) + 1) * SECTOR;
}
