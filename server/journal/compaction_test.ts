import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import fc from "fast-check";
import { join } from "node:path";
import { apply } from "../core/apply.ts";
import type { Operation } from "../core/operation.ts";
import { contentsOf, FailingFiles, inTempDirectory } from "../testing/journal_fixture.ts";
import {
  account,
  ANN,
  BOB,
  deleted,
  JournalNode,
  read,
  sent,
  textOf,
} from "../testing/journal_node.ts";
import { arrivals, history, interleave, RUNS } from "../testing/histories.ts";
import { recount } from "../testing/observe.ts";
import { bytesOf } from "./compaction.ts";
import { FileError, StorageError } from "./files.ts";
import { JournalError } from "./journal.ts";

const SNAPSHOT_2 = "snapshot-00000002.jsonl";
const JOURNAL_1 = "journal-00000001.jsonl";
const JOURNAL_2 = "journal-00000002.jsonl";

Deno.test("compact() leaves a snapshot and an empty segment, of which a start makes the same state", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filled(directory);
    const before = node.summary;
    const entriesBefore = node.directory.journal.entries;
    const { bytesBefore, bytesAfter } = await node.compact();
    assertEquals(node.summary, before);
    assertEquals(await namesIn(directory), [JOURNAL_2, "lock", "node.json", SNAPSHOT_2]);
    assertEquals(bytesAfter, bytesOf(node.directory));
    assertLess(bytesAfter, bytesBefore);
    const sizes = await Promise.all(
      [JOURNAL_2, SNAPSHOT_2].map((name) => Deno.stat(join(directory, name))),
    );
    assertEquals(bytesAfter, sizes.reduce((sum, { size }) => sum + size, 0));
    const { entries } = node.directory.journal;
    assertLess(entries, entriesBefore);
    await node.close();

    const again = await JournalNode.open(directory);
    assertEquals(again.summary, before);
    assertEquals(recount(again.state).digest, before.digest);
    assertEquals(again.directory.report.entries, entries);
    assertEquals([again.origin, again.directory.report.epoch], [node.origin, "kept"]);
    assertEquals(again.directory.snapshot, node.directory.snapshot);
    // And it goes on.
    await again.write(sent(100));
    const after = again.summary;
    await again.close();
    const third = await JournalNode.open(directory);
    assertEquals(third.summary, after);
    await third.close();
  });
});

Deno.test("compact() of any history makes the same state, however often", async () => {
  const runs = { numRuns: Math.ceil(RUNS.numRuns / 10) };
  await fc.assert(
    fc.asyncProperty(history, arrivals, fc.nat(40), async (history, arrivals, cut) => {
      await inTempDirectory(async (directory) => {
        const arrived = interleave(history, arrivals).map(writable);
        const node = await JournalNode.open(directory);
        for (const part of [arrived.slice(0, cut), arrived.slice(cut)]) {
          for (const operation of part) apply(node.state, operation);
          await node.append(part);
          await node.compact();
        }
        const { summary } = node;
        await node.close();
        const again = await JournalNode.open(directory);
        assertEquals(again.summary, summary);
        await again.close();
      });
    }),
    runs,
  );
});

Deno.test("compact() leaves nothing of a deleted text in the directory", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filled(directory);
    assert(await isOnDisk(directory, textOf(3)));
    await node.compact();
    for (const key of [3, 4]) assertFalse(await isOnDisk(directory, textOf(key)), textOf(key));
    for (const key of [1, 2]) assert(await isOnDisk(directory, textOf(key)), textOf(key));
    // What the first snapshot still has goes with the second.
    await node.write(deleted(1));
    assert(await isOnDisk(directory, textOf(1)));
    await node.compact();
    assertFalse(await isOnDisk(directory, textOf(1)));
    assertEquals(await namesIn(directory), [
      ...["journal-00000003.jsonl", "lock", "node.json", "snapshot-00000003.jsonl"],
    ]);
    await node.close();
  });
});

Deno.test("compact() keeps what is written while it runs, and a start finds it", async () => {
  await inTempDirectory(async (directory) => {
    const node = await filled(directory);
    let key = 100;
    await node.compact({
      async meanwhile() {
        // Some are waited for, some are still on their way when the snapshot is finished.
        const writing = node.write(sent(key), deleted(key - 2), read(key - 1, 2));
        if (key++ % 3 === 0) await writing;
      },
    });
    await node.write(sent(99), deleted(99));
    assertGreater(key, 105);
    const before = node.summary;
    await node.close();
    const again = await JournalNode.open(directory);
    assertEquals(again.summary, before);
    assertEquals(again.origin, node.origin);
    const { entries } = again.directory.report;
    assertEquals(entries, node.directory.journal.entries);
    await again.compact();
    await again.close();
    const third = await JournalNode.open(directory);
    assertEquals(third.summary, before);
    await third.close();
  });
});

Deno.test("compact() waits for what the state holds to be on disk before the snapshot counts", async () => {
  await inTempDirectory(async (directory) => {
    const files = new FailingFiles({ change: /x^/, failAt: 1 });
    const node = await filled(directory, files);
    let isFirst = true;
    await node.compact({
      meanwhile() {
        if (!isFirst) return;
        isFirst = false;
        void node.append(node.decide(sent(200)));
      },
    });
    const { changes } = files;
    const written = changes.lastIndexOf(`sync ${JOURNAL_2}`);
    assertGreater(written, changes.indexOf(`write ${JOURNAL_2}`));
    assertLess(written, changes.indexOf(`name ${SNAPSHOT_2}`));
    await node.close();
  });
});

for (const code of ["ENOSPC", "EIO"] as const) {
  for (const mode of ["before", "half", "after"] as const) {
    Deno.test(`compact() leaves all as it was when the snapshot fails with ${code}, ${mode} any call`, async () => {
      for (let failAt = 1;; failAt++) {
        const failed = await inTempDirectory(async (directory) => {
          // Its making, its content, its name, and that this is durable.
          const change = /snapshot-|sync node1$/;
          const counting = new FailingFiles({ change, failAt: Infinity });
          const before = await filled(directory, counting);
          const opening = counting.changes.filter((one) => change.test(one)).length;
          await before.close();
          await Deno.remove(directory, { recursive: true });
          // The first two syncs of the directory are of the new segment: the journal's, and final.
          const files = new FailingFiles({ change, failAt: opening + 2 + failAt, mode, code });
          const node = await filled(directory, files);
          const { summary } = node;
          if (!await failsToCompact(node, directory)) return files.failed;
          assert(files.failed, `${failAt}`);
          assertEquals(node.directory.snapshot, undefined);
          // The journal goes on, and the next time it works.
          await node.write(sent(50));
          await node.write(deleted(50));
          await node.compact();
          assertEquals(await namesIn(directory), [
            ...["journal-00000003.jsonl", "lock", "node.json", "snapshot-00000003.jsonl"],
          ]);
          await node.close();
          const again = await JournalNode.open(directory);
          assertEquals(again.summary.digest, summary.digest);
          assertEquals(again.summary, node.summary);
          await again.close();
          return true;
        });
        if (!failed) break;
        assertLess(failAt, 50);
      }
    });
  }
}

/** Compacts, and if that fails before the snapshot counts, finds all as it was. */
async function failsToCompact(node: JournalNode, directory: string): Promise<boolean> {
  try {
    await node.compact();
    return false;
  } catch (error) {
    assert(error instanceof FileError, `${error}`);
  }
  if (node.directory.snapshot !== undefined) {
    // It counts: only what it replaces could not be removed, durably.
    return false;
  }
  const names = await namesIn(directory);
  // A rename that was reported as failed, and was not: it counts as well as what it would replace.
  const left = names.filter((name) => name.startsWith("snapshot-"));
  if (left.length > 0) assertEquals(left, [SNAPSHOT_2]);
  assertEquals(names.filter((name) => !name.startsWith("snapshot-")), [
    ...[JOURNAL_1, JOURNAL_2, "lock", "node.json"],
  ]);
  return true;
}

Deno.test("compact() that cannot remove what it replaced says so; the next one removes it", async () => {
  await inTempDirectory(async (directory) => {
    const files = new FailingFiles({ change: /^remove journal/, failAt: 1 });
    const node = await filled(directory, files);
    await assertRejects(() => node.compact(), FileError, "Input/output error");
    assert(await isOnDisk(directory, textOf(3)));
    await node.write(sent(60));
    await node.compact();
    assertFalse(await isOnDisk(directory, textOf(3)));
    assertEquals((await namesIn(directory)).length, 4);
    const before = node.summary;
    await node.close();
    const again = await JournalNode.open(directory);
    assertEquals(again.summary, before);
    await again.close();
  });
});

Deno.test("compact() that cannot remove what it replaced leaves that to the next start", async () => {
  await inTempDirectory(async (directory) => {
    const files = new FailingFiles({ change: /^remove journal/, failAt: 1 });
    const node = await filled(directory, files);
    await assertRejects(() => node.compact(), FileError);
    const before = node.summary;
    await node.close();
    const again = await JournalNode.open(directory);
    assertEquals(again.summary, before);
    assertEquals(await namesIn(directory), [JOURNAL_2, "lock", "node.json", SNAPSHOT_2]);
    await again.close();
  });
});

Deno.test("compact() that is stopped leaves no draft, and all as it was", async () => {
  await inTempDirectory(async (directory) => {
    for (let stopAt = 1; stopAt < 12; stopAt += 3) {
      const node = await filled(`${directory}-${stopAt}`);
      let pauses = 0;
      const stopped = new StorageError("stopped");
      const meanwhile = () => {
        if (++pauses === stopAt) throw stopped;
      };
      const error = await assertRejects(() => node.compact({ meanwhile }));
      assertEquals(error, stopped);
      assertEquals(await namesIn(`${directory}-${stopAt}`), [
        ...[JOURNAL_1, JOURNAL_2, "lock", "node.json"],
      ]);
      await node.write(sent(70));
      const before = node.summary;
      await node.close();
      const again = await JournalNode.open(`${directory}-${stopAt}`);
      assertEquals(again.summary, before);
      await again.close();
    }
  });
});

Deno.test("compact() makes no snapshot of what the journal failed to write", async () => {
  await inTempDirectory(async (directory) => {
    const files = new FailingFiles({
      change: /^write journal-00000002/,
      failAt: 2,
      code: "ENOSPC",
    });
    const node = await filled(directory, files);
    const before = node.summary;
    let isFirst = true;
    const refused = Promise.withResolvers<void>();
    const compacting = node.compact({
      async meanwhile() {
        if (!isFirst) return;
        isFirst = false;
        // A part of the state by now, and so of the snapshot.
        await assertRejects(() => node.write(sent(80)), JournalError, "No space left");
        refused.resolve();
      },
    });
    await assertRejects(() => compacting, JournalError);
    await refused.promise;
    await assertRejects(() => node.compact(), JournalError);
    await node.close();
    assertEquals(await namesIn(directory), [JOURNAL_1, JOURNAL_2, "lock", "node.json"]);
    const again = await JournalNode.open(directory);
    assertEquals(again.summary, before);
    await again.close();
  });
});

/** With the line that an operation of a kind that is not known has in a journal. */
function writable(operation: Operation): Operation {
  if (operation.kind !== "unknown") return operation;
  const { timeMs: time, tick, origin, seq } = operation;
  return { ...operation, line: JSON.stringify({ operation: "pin", time, tick, origin, seq }) };
}

/** Two batches and more: messages that are there, read, and deleted. */
async function filled(directory: string, files?: FailingFiles): Promise<JournalNode> {
  const node = await JournalNode.open(directory, files);
  await node.write(account(ANN, "ann"), account(BOB, "bob"), sent(1), sent(2));
  await node.write(sent(3), sent(4), sent(5), read(2, 3));
  await node.write(deleted(3, 4), deleted(77));
  for (let round = 0; round < 4; round++) await node.write(sent(10 + round), deleted(10 + round));
  return node;
}

async function isOnDisk(directory: string, text: string): Promise<boolean> {
  const latin1 = new TextDecoder("latin1");
  const contents = await contentsOf(directory);
  return contents.values().some((bytes) => latin1.decode(bytes).includes(text));
}

async function namesIn(directory: string): Promise<string[]> {
  return [...(await contentsOf(directory)).keys()];
}
