import { assertEquals } from "@std/assert";
import { VersionVector } from "../core/version_vector.ts";
import { inTempDirectory, message, messages, open } from "../testing/journal_fixture.ts";
import { readLines } from "./lines.ts";

Deno.test("LineReader.read() gives whole lines, and goes on where the last ended", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, index, openReader, close } = await open(directory);
    await journal.writeBatch(messages(10));
    await journal.writeBatch(messages(10, 11));
    const reader = await openReader();
    const seqs: number[] = [];
    for (let at = index.placeOf(new VersionVector(), () => true);;) {
      const lines = await reader.read(at, 700);
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
    const at = journal.bytes;
    await journal.writeBatch([message(1, "x".repeat(10_000)), message(2, "y".repeat(10_000))]);
    const reader = await openReader();
    assertEquals(readLines(await reader.read(at, 100)).map(({ seq }) => seq), [1]);
    reader.close();
    await close();
  });
});

Deno.test("LineReader.read() sees what is written while it is open, as soon as it is on disk", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, openReader, close } = await open(directory);
    const reader = await openReader();
    const at = journal.bytes;
    const writing = journal.writeBatch(messages(3));
    assertEquals((await reader.read(at, 1000)).length, 0);
    await writing;
    assertEquals(readLines(await reader.read(at, 10_000)).length, 3);
    reader.close();
    await close();
  });
});
