import { assert, assertEquals } from "@std/assert";
import {
  FailingFiles,
  inTempDirectory,
  message,
  messages,
  open,
} from "../testing/journal_fixture.ts";
import { JournalNode, sent } from "../testing/journal_node.ts";
import { LineReader } from "./line_reader.ts";
import { readLines } from "./lines.ts";

Deno.test("LineReader.read() gives whole lines, and goes on where the last ended", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, index, openReader, close } = await open(directory);
    await journal.writeBatch(messages(10));
    await journal.writeBatch(messages(10, 11));
    const reader = openReader();
    const seqs: number[] = [];
    for (let at = index.start;;) {
      const lines = await reader.read(at, 700);
      assert(lines !== undefined);
      if (lines.length === 0) break;
      seqs.push(...readLines(lines).map(({ seq }) => seq));
      at += lines.length;
    }
    assertEquals(seqs, Array.from({ length: 20 }, (_, index) => index + 1));
    reader.close();
    await close();
  });
});

Deno.test("LineReader.read() gives a line that is longer than asked for", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, openReader, close } = await open(directory);
    const at = journal.end;
    await journal.writeBatch([message(1, "x".repeat(10_000)), message(2, "y".repeat(10_000))]);
    const reader = openReader();
    assertEquals(readLines(await readAt(reader, at, 100)).map(({ seq }) => seq), [1]);
    reader.close();
    await close();
  });
});

Deno.test("LineReader.read() sees what is written while it is open, as soon as it is on disk", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, openReader, close } = await open(directory);
    const reader = openReader();
    const at = journal.end;
    const writing = journal.writeBatch(messages(3));
    assertEquals((await readAt(reader, at, 1000)).length, 0);
    await writing;
    assertEquals(readLines(await readAt(reader, at, 10_000)).length, 3);
    reader.close();
    await close();
  });
});

async function readAt(reader: LineReader, at: number, bytesMax: number): Promise<Uint8Array> {
  const lines = await reader.read(at, bytesMax);
  assert(lines !== undefined);
  return lines;
}

Deno.test("LineReader.read() reads across segments, each place the same after a restart", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, openReader, close } = await open(directory);
    for (let seq = 1; seq <= 9; seq += 3) {
      await journal.writeBatch(messages(3, seq));
      await journal.rotate();
      // One that stays empty.
      if (seq === 4) await journal.rotate();
    }
    await journal.writeBatch(messages(2, 10));
    const reader = openReader();
    const found = await readFrom(reader, 0);
    assertEquals([...found.values()].flat(), Array.from({ length: 11 }, (_, index) => index + 1));
    assertEquals(journal.segments.map(({ number }) => number), [1, 2, 3, 4, 5]);
    reader.close();
    await close();
    const again = await open(directory);
    const second = again.openReader();
    // Back and forth.
    for (const [at, seqs] of [...found].reverse()) {
      assertEquals(readLines(await readAt(second, at, 1)).map(({ seq }) => seq), seqs.slice(0, 1));
    }
    assertEquals(await readFrom(second, 0), found);
    assertEquals(again.journal.end, journal.end);
    second.close();
    await again.close();
  });
});

Deno.test("LineReader.read() tells that a snapshot has taken the place of lines", async () => {
  await inTempDirectory(async (directory) => {
    const node = await JournalNode.open(directory);
    await node.write(sent(1), sent(2));
    const [early, late] = [node.directory.openReader(), node.directory.openReader()];
    const { end } = node.directory.journal;
    assertEquals(readLines(await readAt(early, 0, 10)).length, 1);
    await node.compact();
    const [operation] = await node.write(sent(3));
    for (const reader of [early, late]) {
      assertEquals(await reader.read(0, 1000), undefined);
      assertEquals(await reader.read(end - 1, 1000), undefined);
      const [found] = readLines(await readAt(reader, end, 1000));
      assertEquals([found?.origin, found?.seq], [operation?.origin, operation?.seq]);
      reader.close();
    }
    await node.close();
  });
});

Deno.test("LineReader.read() of a segment that goes while it is opened tells so, and no error", async () => {
  const files = new FailingFiles({ change: /x^/, failAt: 1 });
  await inTempDirectory(async (directory) => {
    const node = await JournalNode.open(directory, files);
    await node.write(sent(1));
    const reader = new LineReader({
      async open(path, mode) {
        await node.compact();
        return await files.open(path, mode);
      },
    }, node.directory.journal);
    assertEquals(await reader.read(0, 1000), undefined);
    reader.close();
    await node.close();
  });
});

/** All sequence numbers from `at` on, by where they were read, a few at a time. */
async function readFrom(reader: LineReader, at: number): Promise<Map<number, number[]>> {
  const found = new Map<number, number[]>();
  for (;;) {
    const lines = await readAt(reader, at, 400);
    if (lines.length === 0) return found;
    found.set(at, readLines(lines).map(({ seq }) => seq));
    at += lines.length;
  }
}
