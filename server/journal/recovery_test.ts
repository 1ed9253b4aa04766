import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Operation } from "../core/operation.ts";
import type { Entry } from "../core/state_record.ts";
import { BATCH_BYTES_MAX, sealedLine } from "./batch.ts";
import { encodeBatch, memoryFile, messages } from "../testing/journal_fixture.ts";
import { recoverJournal, type Recovery, RecoveryError } from "./recovery.ts";
import { headerLine, type SegmentHeader } from "./segment.ts";

const FIRST: SegmentHeader = { kind: "journal", segment: 1, after: 0 };
const HEADER = headerLine(FIRST);
const SECTOR = 512;

Deno.test("recoverJournal() gives all operations of whole batches, in order", async () => {
  const { bytes, operations } = journal([3, 1, 2]);
  const { recovery, applied } = await recover(bytes);
  assertEquals(applied, operations);
  const whole = { headerBytes: HEADER.length, wholeBytes: bytes.length, tail: "whole" as const };
  assertEquals(recovery, { entries: 6, ...whole, why: "" });
});

Deno.test("recoverJournal() reads lines and batches that are longer than its chunks", async () => {
  const batches = [
    messages(3, 1, () => "x".repeat(300_000)),
    messages(2, 4, () => "é".repeat(200_000)),
  ];
  const { bytes, operations } = journalOf(batches);
  assertEquals((await recover(bytes)).applied, operations);
});

for (const counts of [[1, 1], [2, 3], [1, 8], [5, 1], [4]]) {
  Deno.test(`recoverJournal() of batches ${counts} cut at every byte of the last`, async () => {
    const { bytes, ends, operations } = journal(counts);
    const [last, end] = [ends.at(-2) ?? 0, bytes.length];
    const before = operations.slice(0, -(counts.at(-1) ?? 0));
    for (let cut = last; cut < end; cut++) {
      const { recovery, applied } = await recover(bytes.subarray(0, cut));
      const tail = cut === last ? "whole" : cut === end - 1 ? "lacks_newline" : "torn";
      assertEquals(recovery.tail, tail, `cut at ${cut} of ${last}…${end}`);
      assertEquals(applied, tail === "lacks_newline" ? operations : before);
      assertEquals(recovery.wholeBytes, tail === "lacks_newline" ? end : last);
    }
  });
}

for (const counts of [[1, 1, 1], [2, 1, 3], [3]]) {
  Deno.test(`recoverJournal() of batches ${counts} refuses every flipped bit`, async () => {
    const { bytes, ends, operations } = journal(counts);
    assertEquals((await recover(bytes)).applied, operations);
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] ?? 0) ^ 1 << bit;
        const error = await assertRejects(
          () => recover(flipped),
          RecoveryError,
          "",
          `${at}.${bit}`,
        );
        assertLocates(error, flipped, at);
        // What the message offers to cut from is always after the last batch that is sound.
        const sound = ends.findLast((end) => end <= at) ?? 0;
        const offered = /truncate -s (\d+) /.exec(error.message)?.[1] ?? "0";
        assertEquals(Number(offered), sound);
      }
    }
  });
}

Deno.test("recoverJournal() cuts a batch from any of its sectors on that was not written", async () => {
  const { bytes, ends, operations } = journal([4, 12]);
  const last = ends.at(-2) ?? 0;
  for (let from = last; from < bytes.length; from = nextSector(from)) {
    const { recovery, applied } = await recover(bytes.slice().fill(0, from));
    assertEquals([recovery.tail, recovery.wholeBytes], ["torn", last]);
    assertEquals(applied, operations.slice(0, 4));
  }
});

Deno.test("recoverJournal() cuts a batch that lacks any one of its sectors, or several", async () => {
  const { bytes, ends } = journal([4, 20]);
  const last = ends.at(-2) ?? 0;
  for (let from = last; from < bytes.length; from = nextSector(from)) {
    for (let to = nextSector(from); to < bytes.length; to += SECTOR) {
      const { recovery } = await recover(bytes.slice().fill(0, from, to));
      assertEquals([recovery.tail, recovery.wholeBytes], ["torn", last], `${from}…${to}`);
      // And the file may end early as well.
      const early = bytes.slice(0, to + 100).fill(0, from, to);
      assertEquals((await recover(early)).recovery.tail, "torn", `${from}…${to}`);
    }
  }
});

Deno.test("recoverJournal() refuses NULs that do not reach from sector to sector", async () => {
  const { bytes, ends } = journal([4, 12]);
  const last = ends.at(-2) ?? 0;
  const sector = nextSector(last);
  const runs = [[last, last + 1], [sector, sector + SECTOR - 1], [sector + 1, sector + SECTOR]];
  for (const [from = 0, to] of [...runs, [sector + 100, bytes.length]]) {
    const error = await assertRejects(
      () => recover(bytes.slice().fill(0, from, to)),
      RecoveryError,
      "NUL bytes",
    );
    assertEquals(error.at, from);
  }
});

Deno.test("recoverJournal() refuses unwritten sectors before a later whole batch", async () => {
  const { bytes, ends } = journal([1, 9, 9, 3]);
  // The last line is whole: its marker says where its batch began.
  const reachable = bytes.lastIndexOf(0x0a, -2) + 1;
  for (const [index, end] of ends.slice(1, -1).entries()) {
    for (let from = ends[index] ?? 0; from < end; from = nextSector(from)) {
      for (let to = nextSector(from); to <= reachable; to += SECTOR) {
        await assertRejects(
          () => recover(bytes.slice().fill(0, from, to)),
          RecoveryError,
          `byte ${from}`,
        );
      }
    }
  }
});

Deno.test("recoverJournal() refuses unwritten sectors that end within the last batch's one line", async () => {
  const { bytes, ends } = journal([1, 9, 1]);
  const last = ends.at(-2) ?? 0;
  const to = nextSector(last);
  assert(to < bytes.length - 80, "the marker is there");
  for (let from = to - SECTOR; from > (ends[1] ?? 0) + 200; from -= SECTOR) {
    const hole = bytes.slice().fill(0, from, to);
    await assertRejects(() => recover(hole), RecoveryError, `byte ${from}`);
  }
});

Deno.test("recoverJournal() refuses a batch that is missing lines, or twice there", async () => {
  const { bytes, ends } = journal([3, 2]);
  const [first = 0, second = 0] = ends;
  const lineEnd = bytes.indexOf(0x0a, first) + 1;
  const without = concat(bytes.subarray(0, first), bytes.subarray(lineEnd));
  await assertRejects(() => recover(without), RecoveryError, "batch marker");
  const doubled = concat(bytes.subarray(0, lineEnd), bytes.subarray(first));
  await assertRejects(() => recover(doubled), RecoveryError, "batch marker");
  const lastDoubled = concat(bytes, bytes.subarray(bytes.lastIndexOf(0x0a, -2) + 1));
  await assertRejects(() => recover(lastDoubled), RecoveryError, "batch marker");
  assert(second < bytes.length);
});

Deno.test("recoverJournal() refuses garbage after the last batch", async () => {
  const { bytes } = journal([1]);
  for (const garbage of ["x", "\n", '{"id"\n', '{"id":"\x01', "\xff"]) {
    const tail = Uint8Array.from(garbage, (char) => char.charCodeAt(0));
    const error = await assertRejects(() => recover(concat(bytes, tail)), RecoveryError);
    assertEquals([error.at, error.line], [bytes.length, 3]);
  }
});

Deno.test("recoverJournal() refuses a record that it cannot understand", async () => {
  const { bytes } = journal([1]);
  const strange = sealedLine('{"id":7,"time":1,"tick":0,"origin":"o","seq":1}');
  const error = await assertRejects(() => recover(concat(bytes, strange)), RecoveryError);
  assertStringIncludes(error.message, "expected status");
});

Deno.test("recoverJournal() refuses an end before what was once synced", async () => {
  const { bytes, ends } = journal([2, 2, 2]);
  const synced = ends[2] ?? 0;
  await recover(bytes.subarray(0, synced), synced);
  for (const cut of [synced - 1, synced - 40, ends[1] ?? 0]) {
    const attempt = () => recover(bytes.subarray(0, cut), synced);
    if (cut === synced - 1) assertEquals((await attempt()).recovery.tail, "lacks_newline");
    else await assertRejects(attempt, RecoveryError, "synced once");
  }
  // Unwritten sectors explain nothing there either.
  const hole = bytes.slice().fill(0, ends[2]);
  await assertRejects(() => recover(hole, bytes.length), RecoveryError, "synced once");
});

Deno.test("recoverJournal() refuses the header of another file, or after another length", async () => {
  const { bytes } = journal([2]);
  const batch = bytes.subarray(HEADER.length);
  const recoverAs = (found: SegmentHeader, header: Partial<SegmentHeader>) =>
    recover(concat(headerLine(found), batch), 0, { header });
  const second = { kind: "journal", segment: 2, after: 500 } as const;
  const others: Partial<SegmentHeader>[] = [
    { ...second, segment: 3 },
    { ...second, kind: "snapshot" },
    { kind: "journal", segment: 1 },
  ];
  for (const other of others) {
    await assertRejects(() => recoverAs(second, other), RecoveryError, "another first line");
  }
  for (const after of [499, 501, 0]) {
    const error = await assertRejects(() => recoverAs(second, { ...second, after }), RecoveryError);
    assertStringIncludes(
      error.message,
      `that the segment before it had 500 bytes, where there are ${after}`,
    );
    assertEquals([error.line, error.at], [1, 0]);
  }
  assertEquals((await recoverAs(second, second)).recovery.entries, 2);
  // What a snapshot has replaced had a length that nobody knows any more.
  assertEquals((await recoverAs(second, { kind: "journal", segment: 2 })).recovery.entries, 2);
});

Deno.test("recoverJournal() refuses in a file that was complete what a crash can leave in the last one", async () => {
  const { bytes, ends } = journal([2, 3]);
  const whole = await recover(bytes, 0, { isLast: false });
  assertEquals([whole.recovery.entries, whole.recovery.tail], [5, "whole"]);
  for (const cut of [(ends[1] ?? 0) + 1, bytes.length - 30, bytes.length - 1]) {
    const error = await assertRejects(
      () => recover(bytes.subarray(0, cut), 0, { isLast: false }),
      RecoveryError,
      "in a file that was complete",
    );
    // Nothing of it may be cut off.
    assert(!error.message.includes("truncate"));
  }
});

Deno.test("recoverJournal() refuses a tail that is longer than any batch", async () => {
  const { bytes } = journal([1]);
  const long = new Uint8Array(bytes.length + BATCH_BYTES_MAX + 1);
  long.set(bytes);
  await assertRejects(() => recover(long), RecoveryError, `byte ${bytes.length}`);
  const { recovery } = await recover(long.subarray(0, -1));
  assertEquals(recovery.tail, "torn");
});

/** The error names file and line, and no byte after the one that is wrong. */
function assertLocates(error: RecoveryError, bytes: Uint8Array, wrongAt: number): void {
  assertMatch(error.message, /^Cannot read journal data\/node1\/journal-00000001\.jsonl: found /);
  assertStringIncludes(error.message, `line ${error.line}, byte ${error.at}.`);
  assert(error.at <= wrongAt, `says byte ${error.at} of the flip at ${wrongAt}`);
  const newlines = bytes.subarray(0, error.at).filter((byte) => byte === 0x0a).length;
  assertEquals(error.line, newlines + 1);
}

async function recover(
  bytes: Uint8Array,
  syncedBytes = 0,
  parts: { readonly header?: Partial<SegmentHeader>; readonly isLast?: boolean } = {},
): Promise<{ recovery: Recovery; applied: Entry[] }> {
  const applied: Entry[] = [];
  const recovery = await recoverJournal({
    file: memoryFile(bytes),
    path: "data/node1/journal-00000001.jsonl",
    header: FIRST,
    isLast: true,
    syncedBytes,
    ...parts,
    apply(entry) {
      applied.push(entry);
      return undefined;
    },
  });
  return { recovery, applied };
}

/** A journal with batches of so many messages; `ends` begins with the end of the header. */
function journal(counts: readonly number[]) {
  let from = 1;
  return journalOf(counts.map((count) => messages(count, (from += count) - count)));
}

function journalOf(batches: readonly Operation[][]) {
  const parts = [HEADER, ...batches.map(encodeBatch)];
  const ends = parts.map((_, index) => concat(...parts.slice(0, index + 1)).length);
  return { bytes: concat(...parts), ends, operations: batches.flat() };
}

function nextSector(at: number): number {
  return (Math.floor(at / SECTOR) + 1) * SECTOR;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
