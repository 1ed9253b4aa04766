/** Damage to any byte and any bit of what a data directory holds: refused loudly, or without effect. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { basename, join } from "node:path";
import { account, ANN, BOB, deleted, JournalNode, read, sent } from "../testing/journal_node.ts";
import { MemoryDisk } from "../testing/memory_disk.ts";
import { StorageError } from "./files.ts";

const DIRECTORY = "/data/node1";
const SNAPSHOT = join(DIRECTORY, "snapshot-00000002.jsonl");
const MIDDLE = join(DIRECTORY, "journal-00000002.jsonl");
const LAST = join(DIRECTORY, "journal-00000003.jsonl");

/** A snapshot and two segments, all of which was there when the node was last started. */
async function filledDisk() {
  const disk = new MemoryDisk();
  const node = await JournalNode.open(DIRECTORY, disk);
  await node.write(account(ANN, "ann"), account(BOB, "bob"), sent(1), sent(2), sent(3));
  await node.write(read(2), deleted(3, 9), read(8));
  await node.compact();
  await node.write(sent(4), sent(5));
  await node.write(deleted(4));
  await node.directory.journal.rotate();
  await node.write(sent(6), read(5));
  await node.write(deleted(1));
  await node.close();
  const again = await JournalNode.open(DIRECTORY, disk);
  const { summary, origin } = again;
  await again.close();
  assertEquals(disk.namesIn(DIRECTORY), [
    ...[MIDDLE, LAST].map((path) => basename(path)),
    ...["lock", "node.json", basename(SNAPSHOT)],
  ]);
  return { disk, summary, origin };
}

for (const [name, path] of Object.entries({ SNAPSHOT, MIDDLE, LAST })) {
  Deno.test(`openDataDirectory() refuses every flipped bit in ${basename(path)} (${name})`, async () => {
    const { disk } = await filledDisk();
    const bytes = disk.get(path) ?? new Uint8Array(0);
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] ?? 0) ^ 1 << bit;
        assert(await isRefused(disk, path, flipped), `byte ${at}, bit ${bit}`);
      }
    }
  });

  Deno.test(`openDataDirectory() refuses ${basename(path)} cut at any byte (${name})`, async () => {
    const { disk, summary, origin } = await filledDisk();
    const bytes = disk.get(path) ?? new Uint8Array(0);
    for (let cut = 0; cut < bytes.length; cut++) {
      const isWithoutNewline = path === LAST && cut === bytes.length - 1;
      if (!isWithoutNewline) {
        assert(await isRefused(disk, path, bytes.slice(0, cut)), `cut at ${cut}`);
        continue;
      }
      const copy = disk.copy();
      copy.put(path, bytes.slice(0, cut));
      const node = await JournalNode.open(DIRECTORY, copy);
      assertEquals([node.summary, node.origin], [summary, origin]);
      await node.close();
    }
  });
}

for (const path of [SNAPSHOT, MIDDLE, LAST]) {
  Deno.test(`openDataDirectory() refuses a directory that lacks ${basename(path)}`, async () => {
    const { disk, summary } = await filledDisk();
    await disk.remove(path);
    const error = await refusal(disk);
    assertMatch(error.message, /^Cannot use \/data\/node1: journal-0000000\d\.jsonl is missing/);
    assert(summary.digest !== "");
  });
}

Deno.test("openDataDirectory() refuses segments that changed places", async () => {
  const { disk } = await filledDisk();
  const [middle, last] = [disk.get(MIDDLE), disk.get(LAST)];
  assert(middle !== undefined && last !== undefined);
  const copy = disk.copy();
  copy.put(MIDDLE, last);
  copy.put(LAST, middle);
  assertMatch((await refusal(copy)).message, /journal-00000002\.jsonl: found another first line/);
  assert(await isRefused(disk, SNAPSHOT, middle));
  assert(await isRefused(disk, LAST, disk.get(SNAPSHOT) ?? middle));
});

Deno.test("openDataDirectory() refuses a snapshot that lost whole batches, or has more after its end", async () => {
  const { disk } = await filledDisk();
  const [snapshot, middle] = [disk.get(SNAPSHOT), disk.get(MIDDLE)];
  assert(snapshot !== undefined && middle !== undefined);
  const end = snapshot.lastIndexOf(0x0a, -2) + 1;
  assert(await isRefused(disk, SNAPSHOT, snapshot.slice(0, end)));
  const batches = middle.subarray(middle.indexOf(0x0a) + 1);
  assert(await isRefused(disk, SNAPSHOT, Uint8Array.from([...snapshot, ...batches])));
});

Deno.test("openDataDirectory() takes a node.json with any bit flipped, or cut, for one that says nothing", async () => {
  const { disk, summary, origin } = await filledDisk();
  const path = join(DIRECTORY, "node.json");
  const bytes = disk.get(path) ?? new Uint8Array(0);
  const damaged = Array.from(bytes, (_, cut) => bytes.slice(0, cut));
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1 << bit;
      damaged.push(flipped);
    }
  }
  for (const one of damaged) {
    const copy = disk.copy();
    copy.put(path, one);
    const node = await JournalNode.open(DIRECTORY, copy);
    assertEquals(node.summary, summary);
    // Its sequence numbers may be known to others, as far as it can tell.
    assertNotEquals(node.origin, origin);
    await node.close();
  }
});

Deno.test("openDataDirectory() of a last segment cut since the last start keeps whole batches, and says what it cut", async () => {
  const { disk } = await filledDisk();
  const node = await JournalNode.open(DIRECTORY, disk);
  const start = disk.get(LAST)?.length ?? 0;
  const summaries = new Map([[start, node.summary]]);
  for (const key of [60, 61]) {
    await node.write(sent(key), deleted(key - 1));
    summaries.set(disk.get(LAST)?.length ?? 0, node.summary);
  }
  await node.close();
  const bytes = disk.get(LAST) ?? new Uint8Array(0);
  const ends = [...summaries.keys()];
  for (let cut = start; cut <= bytes.length; cut++) {
    const copy = disk.copy();
    copy.put(LAST, bytes.slice(0, cut));
    const again = await JournalNode.open(DIRECTORY, copy);
    const { cut: tail, epoch, newlineAdded } = again.directory.report;
    const end = ends.findLast((end) => end <= cut + 1) ?? 0;
    assertEquals(again.summary, summaries.get(end), `cut at ${cut}`);
    assertEquals(newlineAdded, cut === end - 1);
    assertEquals([tail?.at, tail?.bytes], cut > end ? [end, cut - end] : [undefined, undefined]);
    assertEquals(epoch, cut > end ? "renewed" : "kept");
    await again.close();
  }
});

/** Whether the directory is refused with these bytes in a file, with the place of what is wrong. */
async function isRefused(
  disk: MemoryDisk,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const copy = disk.copy();
  copy.put(path, bytes);
  const before = copy.copy();
  const error = await refusal(copy);
  assertMatch(
    error.message,
    /(journal|snapshot) \/data\/node1\/\S+\.jsonl: found .* at line \d+, byte \d+\./,
  );
  // What is named is the damaged file, or the one that tells of its damage.
  assert([path, LAST].some((one) => error.message.includes(one)), error.message);
  for (const name of before.namesIn(DIRECTORY)) {
    const file = join(DIRECTORY, name);
    assertEquals(copy.get(file), before.get(file));
  }
  return true;
}

async function refusal(disk: MemoryDisk): Promise<StorageError> {
  try {
    await (await JournalNode.open(DIRECTORY, disk)).close();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error("Expected a refusal, it was opened");
}
