/** Crashes at every call to the disk, and the order of the calls, which is what outlives a power cut. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { basename, dirname, join } from "node:path";
import type { Operation } from "../core/operation.ts";
import { StorageError } from "./files.ts";
import {
  CrashingFiles,
  type FaultMode,
  fill,
  inTempDirectory,
  JOURNAL,
  messages,
  open,
} from "../testing/journal_fixture.ts";

const NODE_FILE_STEPS = [
  "write node.json.new",
  "sync node.json.new",
  "name node.json",
  "sync node1",
];

Deno.test("openDataDirectory() makes a new journal durable before it is known by node.json", async () => {
  await inTempDirectory(async (parent) => {
    const temporary = basename(dirname(parent));
    assertEquals(await changesOfOpening(join(parent, "node1")), [
      ...["make node1", `sync ${temporary}`, "make node1", "sync node1"],
      ...["truncate " + JOURNAL, "write " + JOURNAL, "sync " + JOURNAL, "sync node1"],
      ...["sync " + JOURNAL, ...NODE_FILE_STEPS],
    ]);
  });
});

Deno.test("openDataDirectory() makes durable what it read, whether or not it was", async () => {
  await inTempDirectory(async (directory) => {
    await fill(directory, [messages(2)]);
    assertEquals(await changesOfOpening(directory), ["sync " + JOURNAL, ...NODE_FILE_STEPS]);
    assertEquals(await changesOfOpening(directory), ["sync " + JOURNAL]);
  });
});

Deno.test("openDataDirectory() has the tail kept and the epoch renewed before it cuts", async () => {
  await inTempDirectory(async (directory) => {
    const { ends } = await fill(directory, [messages(2)]);
    await Deno.truncate(join(directory, JOURNAL), (ends.at(-1) ?? 0) - 5);
    const kept = `cut-${ends[0]}-1.jsonl`;
    assertEquals(await changesOfOpening(directory), [
      ...["sync " + JOURNAL, "write " + kept, "sync " + kept, "sync node1"],
      ...NODE_FILE_STEPS,
      ...["truncate " + JOURNAL, "sync " + JOURNAL],
    ]);
  });
});

interface Beginning {
  readonly acknowledged: Operation[];
  /** An epoch that must not go on. */
  readonly ended?: string;
}

/** What is in the directory before the node starts. */
const BEGINNINGS: Record<string, (directory: string) => Promise<Beginning>> = {
  "nothing": () => Promise.resolve({ acknowledged: [] }),
  "a journal": async (directory) => {
    await fill(directory, [messages(2, 1)]);
    return { acknowledged: messages(2, 1) };
  },
  "a torn tail": async (directory) => {
    const { epoch, ends } = await fill(directory, [messages(2, 1), messages(2, 3)]);
    await Deno.truncate(join(directory, JOURNAL), (ends.at(-1) ?? 0) - 5);
    return { acknowledged: messages(2, 1), ended: epoch };
  },
  "a batch without its newline": async (directory) => {
    const { ends } = await fill(directory, [messages(2, 1)]);
    await Deno.truncate(join(directory, JOURNAL), (ends.at(-1) ?? 0) - 1);
    return { acknowledged: messages(2, 1) };
  },
  "the data of another node": async (directory) => {
    const { epoch, close } = await open(directory, { node: "node2" });
    await close();
    return { acknowledged: [], ended: epoch };
  },
};

for (const [beginning, begin] of Object.entries(BEGINNINGS)) {
  for (const mode of ["before", "after", "half"] satisfies FaultMode[]) {
    Deno.test(`a crash ${mode} any call to the disk loses nothing, from ${beginning}`, async () => {
      for (let failAt = 1; await crashAt(failAt, mode, begin); failAt++);
    });
  }
}

/** Starts a node that crashes at its `failAt`-th call; false if it needed fewer calls. */
async function crashAt(
  failAt: number,
  mode: FaultMode,
  begin: (directory: string) => Promise<Beginning>,
): Promise<boolean> {
  return await inTempDirectory(async (directory) => {
    const { acknowledged, ended } = await begin(directory);
    const attempted = [...acknowledged];
    const epochs: string[] = [];
    const files = new CrashingFiles(failAt, mode);
    try {
      const { journal, epoch } = await open(directory, { files });
      epochs.push(epoch);
      for (const batch of [messages(1, 3), messages(3, 4)]) {
        attempted.push(...batch);
        await journal.writeBatch(batch);
        acknowledged.push(...batch);
      }
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
    files.closeAll();
    const opened = await open(directory);
    await opened.journal.writeBatch(messages(1, 90));
    await opened.close();
    const { applied, report } = opened;
    assertEquals(applied, attempted.slice(0, applied.length), `call ${failAt}`);
    assert(applied.length >= acknowledged.length, `call ${failAt}: ${applied.length} are left`);
    // An epoch that somebody may know goes on only where nothing of it is gone.
    assertNotEquals(opened.epoch, ended);
    if (report.cut !== undefined) assert(!epochs.includes(opened.epoch));
    const again = await open(directory);
    await again.close();
    assertEquals(again.applied, [...applied, ...messages(1, 90)]);
    assertEquals([again.epoch, again.report.epoch], [opened.epoch, "kept"]);
    return files.crashed;
  });
}

async function changesOfOpening(directory: string): Promise<string[]> {
  const files = new CrashingFiles();
  const { close } = await open(directory, { files });
  await close();
  return files.changes;
}
