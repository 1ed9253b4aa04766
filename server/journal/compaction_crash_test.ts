/**
 * Crashes at every call to the disk while a journal is compacted, and the order of the calls, which is
 * what outlives a power cut.
 */

import { assert, assertEquals, assertFalse, assertGreater } from "@std/assert";
import { join } from "node:path";
import { apply } from "../core/apply.ts";
import type { Fact, Operation } from "../core/operation.ts";
import { ChatState } from "../core/state.ts";
import {
  contentsOf,
  CrashingFiles,
  type FaultMode,
  inTempDirectory,
} from "../testing/journal_fixture.ts";
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
import { MemoryDisk } from "../testing/memory_disk.ts";
import { RUNS } from "../testing/histories.ts";
import { seen } from "../testing/observe.ts";
import { Random } from "../testing/random.ts";
import { denoFiles } from "./deno_files.ts";
import { type Files, StorageError } from "./files.ts";

/** Power cuts at each call: with CHAT_RUNS=30000 a hundred times as many. */
const POWER_CUTS = Math.ceil(RUNS.numRuns / 75);

const BEGINNING: readonly Fact[][] = [
  [account(ANN, "ann"), account(BOB, "bob"), sent(1), sent(2)],
  [sent(3), read(2, 3), deleted(1)],
];

Deno.test("compact() removes nothing before what stands for it is durable", async () => {
  await inTempDirectory(async (directory) => {
    const files = new CrashingFiles();
    const node = await begun(directory, files);
    for (const number of [2, 3]) {
      const before = files.changes.length;
      await node.compact();
      const [journal, snapshot] = [
        `journal-0000000${number}.jsonl`,
        `snapshot-0000000${number}.jsonl`,
      ];
      const changes = files.changes.slice(before);
      const writes = changes.filter((change) => change === `write ${snapshot}.new`).length;
      assertGreater(writes, 2);
      const removed = number === 2
        ? ["remove journal-00000001.jsonl"]
        : ["remove journal-00000002.jsonl", "remove snapshot-00000002.jsonl"];
      assertEquals(changes.filter((change) => !change.startsWith("remove")), [
        ...[`truncate ${journal}`, `write ${journal}`, `sync ${journal}`, "sync node1"],
        ...["write node.json.new", "sync node.json.new", "name node.json", "sync node1"],
        ...Array.from({ length: writes }, () => `write ${snapshot}.new`),
        ...[`sync ${snapshot}.new`, `name ${snapshot}`, "sync node1", "sync node1"],
      ]);
      // Between the last two.
      assertEquals(changes.slice(-1 - removed.length, -1).sort(), removed);
    }
    await node.close();
  });
});

Deno.test("openDataDirectory() removes what a snapshot has replaced only after all else is durable", async () => {
  await inTempDirectory(async (directory) => {
    const node = await begun(directory);
    await node.compact();
    await node.close();
    await Deno.writeTextFile(join(directory, "journal-00000001.jsonl"), "what was before");
    await Deno.writeTextFile(join(directory, "snapshot-00000003.jsonl.new"), "a draft");
    const files = new CrashingFiles();
    const again = await JournalNode.open(directory, files);
    await again.close();
    const removed = ["remove journal-00000001.jsonl", "remove snapshot-00000003.jsonl.new"];
    assertEquals(files.changes[0], "sync journal-00000002.jsonl");
    assertEquals(files.changes.slice(-3, -1).sort(), removed);
    assertEquals(files.changes.at(-1), "sync node1");
  });
});

for (const mode of ["before", "after", "half"] satisfies FaultMode[]) {
  Deno.test(`a crash ${mode} any call to the disk during two compactions loses nothing, and nothing comes back`, async () => {
    const log = await inTempDirectory(async (directory) => {
      const files = new CrashingFiles();
      await live(directory, files);
      return files.log;
    });
    const isDifferent = {
      before: () => true,
      // A crash after a call that changes nothing is one before the next call.
      after: (change: string) => change !== "",
      half: (change: string) => change.startsWith("write"),
    }[mode];
    for (const [index, change] of log.entries()) {
      if (isDifferent(change)) await crashAt(index + 1, mode);
    }
  });
}

Deno.test("a power cut at any call to the disk loses nothing that was acknowledged, whatever was not synced", async () => {
  const directory = "/data/node1";
  const whole = new CrashingFiles(Infinity, "before", new MemoryDisk());
  await live(directory, whole);
  const random = new Random(1);
  for (let failAt = 1; failAt <= whole.calls; failAt++) {
    // Between two calls that change nothing it is the same.
    if (whole.log[failAt - 2] === "") continue;
    for (let run = 0; run < POWER_CUTS; run++) {
      const disk = new MemoryDisk();
      const files = new CrashingFiles(failAt, "before", disk);
      const life = await live(directory, files);
      const what = `call ${failAt}, ${files.log[failAt - 1]}, cut ${run}`;
      // Sometimes much is lost, sometimes little.
      const in8 = 1 + run % 7;
      const chance = () => random.below(8) < in8;
      let left = disk.afterPowerCut(chance);
      const next = new CrashingFiles(1 + random.below(30), "before", left);
      try {
        await (await JournalNode.open(directory, next)).close();
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
      }
      left = left.afterPowerCut(chance);
      await checkLife(
        life,
        directory,
        left,
        () => Promise.resolve(left.contentsOf(directory)),
        what,
      );
    }
  }
});

/** What a node did until it crashed, or ended. */
interface Life {
  readonly attempted: readonly Operation[];
  /** So many of those were acknowledged. */
  readonly acknowledged: number;
  readonly origins: readonly string[];
}

/** Starts, writes, compacts twice while it writes, and starts again. Ends with the first failure. */
async function live(directory: string, files: CrashingFiles): Promise<Life> {
  const life = { attempted: [] as Operation[], acknowledged: 0, origins: [] as string[] };
  const write = async (node: JournalNode, ...facts: readonly Fact[]) => {
    const operations = node.decide(...facts);
    life.attempted.push(...operations);
    const count = life.attempted.length;
    await node.append(operations);
    life.acknowledged = count;
  };
  try {
    const node = await JournalNode.open(directory, files);
    life.origins.push(node.origin);
    for (const facts of BEGINNING) await write(node, ...facts);
    for (const key of [10, 20]) {
      let calls = 0;
      await node.compact({
        meanwhile: async () => {
          if (calls++ === 2) await write(node, long(key), deleted(key - 10, 2));
        },
      });
      await write(node, long(key + 1), read(key));
    }
    await node.close();
    const again = await JournalNode.open(directory, files);
    life.origins.push(again.origin);
    await write(again, long(30), deleted(3));
    await again.close();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
  }
  files.closeAll();
  return life;
}

async function crashAt(failAt: number, mode: FaultMode): Promise<void> {
  await inTempDirectory(async (directory) => {
    const files = new CrashingFiles(failAt, mode);
    const life = await live(directory, files);
    assert(files.crashed);
    const what = `call ${failAt}, ${files.log[failAt - 1]}`;
    // The next start crashes as well, each time elsewhere.
    const next = new CrashingFiles(1 + failAt * 7 % 23, mode);
    try {
      await (await JournalNode.open(directory, next)).close();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
    next.closeAll();

    await checkLife(life, directory, denoFiles, () => contentsOf(directory), what);
  });
}

/** What a node left goes on: nothing acknowledged is lost, and the epoch only where it may. */
async function checkLife(
  life: Life,
  directory: string,
  disk: Files,
  contents: () => Promise<ReadonlyMap<string, Uint8Array>>,
  what: string,
): Promise<void> {
  const node = await JournalNode.open(directory, disk);
  const { report } = node.directory;
  const found = checkState(life, node, what);
  if (report.cut !== undefined) assertEquals(report.epoch, "renewed", what);
  // Cut by the start that crashed, too: then nothing says so but the files.
  const wasCut = [...(await contents()).keys()].some((name) => name.startsWith("cut-"));
  const last = life.origins.at(-1);
  if (report.cut !== undefined) assertFalse(life.origins.includes(node.origin), what);
  else if (last !== undefined && !wasCut) assertEquals(node.origin, last, what);

  await node.write(sent(90), deleted(90));
  await node.compact();
  const before = node.summary;
  checkContents(await contents(), found, what);
  await node.close();
  const again = await JournalNode.open(directory, disk);
  assertEquals(again.summary, before, what);
  assertEquals([again.origin, again.directory.report.epoch], [node.origin, "kept"], what);
  await again.close();
}

/** The state is of what was acknowledged, or of more that was on its way; returns which operations. */
function checkState(
  { attempted, acknowledged }: Life,
  node: JournalNode,
  what: string,
): readonly Operation[] {
  const { vector } = node.state;
  const known = attempted.filter((operation) => vector.covers(operation));
  assertEquals(known, attempted.slice(0, known.length), what);
  assert(known.length >= acknowledged, `${what}: ${known.length} of ${acknowledged} are left`);
  const expected = new ChatState();
  for (const operation of known) apply(expected, operation);
  assertEquals(node.summary, { digest: expected.digest, seen: seen(expected) }, what);
  return known;
}

/** After a compaction, nothing of what was deleted is anywhere, and no file is left over. */
function checkContents(
  contents: ReadonlyMap<string, Uint8Array>,
  operations: readonly Operation[],
  what: string,
): void {
  const data = [...contents.keys()].filter((name) => /^(journal|snapshot)/.test(name));
  assertEquals(data.length, 2, `${what}: ${data}`);
  const gone = operations.some(({ kind }) => kind === "messages_deleted") ? [1] : [];
  const latin1 = new TextDecoder("latin1");
  for (const name of data) {
    for (const key of gone) {
      assertFalse(latin1.decode(contents.get(name)).includes(textOf(key)), `${what}: ${name}`);
    }
  }
}

/** A message that takes several sectors. */
function long(key: number): Fact {
  return sent(key, textOf(key) + "x".repeat(1200));
}

async function begun(directory: string, files?: CrashingFiles): Promise<JournalNode> {
  const node = await JournalNode.open(directory, files);
  for (const facts of BEGINNING) await node.write(...facts);
  return node;
}
