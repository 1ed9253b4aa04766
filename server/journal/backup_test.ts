import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { dirname, join } from "node:path";
import {
  contentsOf,
  CrashingFiles,
  FailingFiles,
  type FaultMode,
  inTempDirectory,
} from "../testing/journal_fixture.ts";
import { account, ANN, BOB, deleted, JournalNode, read, sent } from "../testing/journal_node.ts";
import { makeBackup } from "./backup.ts";
import { BackupError, type BackupFile } from "./backup_file.ts";
import { denoFiles } from "./deno_files.ts";
import { type Files, StorageError } from "./files.ts";
import { DataDirectoryError } from "./layout.ts";
import { openBackup, refuseUsed, restoreBackup, RestoreError } from "./restore.ts";

const JOURNAL_1 = "journal-00000001.jsonl";
const JOURNAL_2 = "journal-00000002.jsonl";
const JOURNAL_3 = "journal-00000003.jsonl";
const SNAPSHOT_2 = "snapshot-00000002.jsonl";
const MODES: readonly FaultMode[] = ["before", "after", "half"];

Deno.test("a backup, restored, is the node's data in a new epoch", async () => {
  await inDirectories(async ({ directory, backup, restored }) => {
    const node = await filledNode(directory);
    const { summary } = node;
    const made = await backUp(directory, backup);
    await node.close();
    assertEquals(made.files.map(({ name }) => name), [SNAPSHOT_2, JOURNAL_2, JOURNAL_3]);
    assertEquals(made.digest, summary.digest);
    assertEquals([made.messages, made.accounts, made.node], [6, 2, "node1"]);
    assertEquals(await namesIn(backup), [
      ...["backup.json", JOURNAL_2, JOURNAL_3, SNAPSHOT_2],
    ]);
    const modeOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;
    assertEquals(await modeOf(backup), 0o700);
    for (const name of await namesIn(backup)) {
      assertEquals(await modeOf(join(backup, name)), 0o600);
    }

    await restore(backup, restored);
    assertEquals(await namesIn(restored), [JOURNAL_2, JOURNAL_3, "lock", SNAPSHOT_2]);
    const again = await JournalNode.open(restored);
    assertEquals(again.summary, summary);
    assertEquals(again.directory.report.epoch, "renewed");
    assertNotEquals(again.origin, node.origin);
    await again.write(sent(90));
    await again.close();
  });
});

Deno.test("a backup of a node that compacts and writes has all that was acknowledged before", async () => {
  await inDirectories(async ({ directory, backup, restored }) => {
    const node = await filledNode(directory);
    let key = 100;
    let calls = 0;
    // Something happens between any two of the backup's calls to the disk.
    const meanwhile = async () => {
      calls++;
      await node.write(sent(key++));
      if (calls % 7 === 0 && calls < 60) await node.compact();
    };
    const acknowledged = node.state.vector.seqOf(node.origin);
    const made = await backUp(directory, backup, { files: interrupted(meanwhile) });
    assertGreater(key, 110);
    await restore(backup, restored);
    const again = await JournalNode.open(restored);
    assertEquals([again.state.digest, String(again.state.vector)], [made.digest, made.vector]);
    assert(again.state.vector.seqOf(node.origin) >= acknowledged);
    await again.close();
    await node.close();
  });
});

Deno.test("a backup ends with the last whole batch, and has nothing of one that is being written", async () => {
  await inDirectories(async ({ directory, backup }) => {
    const node = await filledNode(directory);
    const { digest } = node.state;
    const path = join(directory, JOURNAL_3);
    const line = (await Deno.readTextFile(path)).split("\n")[1] ?? "";
    for (const bytes of [1, 40, line.length]) {
      const { size } = await Deno.stat(path);
      await Deno.writeTextFile(path, line.slice(0, bytes), { append: true });
      const made = await backUp(directory, `${backup}-${bytes}`);
      assertEquals([made.digest, made.files.at(-1)?.bytes], [digest, size]);
      await Deno.truncate(path, size);
    }
    await Deno.writeTextFile(join(directory, "journal-00000004.jsonl"), "");
    const made = await backUp(directory, backup);
    assertEquals([made.digest, made.files.length], [digest, 3]);
    await node.close();
  });
});

Deno.test("a backup of damaged data is refused with file, line and byte, and leaves nothing", async () => {
  await inDirectories(async ({ directory, backup }) => {
    await (await filledNode(directory)).close();
    for (const name of [SNAPSHOT_2, JOURNAL_2, JOURNAL_3]) {
      const path = join(directory, name);
      const bytes = await Deno.readFile(path);
      const changed = bytes.slice();
      changed[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
      await Deno.writeFile(path, changed);
      const error = await assertRejects(() => backUp(directory, backup), StorageError);
      assertMatch(error.message, new RegExp(`it is damaged: ${path}:\\d+ byte \\d+: a wrong`));
      assertStringIncludes(error.message, "What was written is removed again");
      assertEquals(await denoFiles.list(backup), undefined);
      await Deno.writeFile(path, bytes);
    }
    await Deno.remove(join(directory, JOURNAL_2));
    await assertRejects(() => backUp(directory, backup), StorageError, `${JOURNAL_2}: missing`);
    assertEquals(await denoFiles.list(backup), undefined);
  });
});

Deno.test("a backup goes only where nothing is", async () => {
  await inDirectories(async ({ directory, backup }) => {
    await (await filledNode(directory)).close();
    await Deno.mkdir(join(backup, "lost+found"), { recursive: true });
    await backUp(directory, backup);
    const before = await contentsOf(directory);
    await assertRejects(() => backUp(directory, backup), BackupError, "it holds a backup.");
    await assertRejects(() => backUp(directory, directory), BackupError, "it holds ");
    assertEquals(await contentsOf(directory), before);
    await assertRejects(() => backUp(backup, `${backup}-2`), BackupError, "it is a backup itself");
    await assertRejects(
      () => backUp(`${directory}-9`, `${backup}-2`),
      DataDirectoryError,
      "no such directory",
    );
  });
});

Deno.test("a backup that fills the disk says so, and is removed again", async () => {
  await inDirectories(async ({ directory, backup }) => {
    await (await filledNode(directory)).close();
    for (const made of [false, true]) {
      for (let failAt = 1;; failAt++) {
        if (made) await Deno.mkdir(backup);
        const change = /^(write|sync \w+-0)/;
        const files = new FailingFiles({ change, failAt, mode: "half", code: "ENOSPC" });
        if (await succeeds(() => backUp(directory, backup, { files }), /No space left/)) break;
        assertEquals(await denoFiles.list(backup), made ? [] : undefined);
        if (made) await Deno.remove(backup);
      }
      await Deno.remove(backup, { recursive: true });
    }
  });
});

for (const mode of MODES) {
  Deno.test(`a backup that crashes ${mode} any call to the disk passes for none before it is whole`, async () => {
    await inDirectories(async ({ directory, backup, restored }) => {
      const node = await filledNode(directory);
      const { digest } = node.state;
      await node.close();
      let whole = 0;
      for (let failAt = 1;; failAt++) {
        const files = new CrashingFiles(failAt, mode);
        const isDone = await succeeds(() => backUp(directory, backup, { files }));
        files.closeAll();
        const names = await denoFiles.list(backup) ?? [];
        if (names.includes("backup.json")) {
          assertEquals((await restore(backup, restored, { isDryRun: true })).digest, digest);
          whole++;
        } else if (names.length > 0) {
          await assertRejects(() => restore(backup, restored), BackupError, "it was not finished");
          await assertRejects(() => JournalNode.open(backup), DataDirectoryError, "is a backup");
        }
        assertEquals(await denoFiles.list(restored), undefined);
        await Deno.remove(backup, { recursive: true }).catch(() => {});
        if (isDone) break;
      }
      assertGreater(whole, 0);
    });
  });

  Deno.test(`a restore that crashes ${mode} any call to the disk leaves nothing, all, or what is refused`, async () => {
    await inDirectories(async ({ directory, backup, restored }) => {
      const node = await filledNode(directory);
      const { summary } = node;
      await node.close();
      await backUp(directory, backup);
      const seen = { nothing: 0, refused: 0, whole: 0 };
      for (let failAt = 1;; failAt++) {
        const files = new CrashingFiles(failAt, mode);
        const isDone = await succeeds(() => restore(backup, restored, { files }));
        files.closeAll();
        const names = await denoFiles.list(restored) ?? [];
        if (names.some((name) => name.startsWith("restore-"))) {
          await assertRejects(() => JournalNode.open(restored), DataDirectoryError, "not finished");
          await assertRejects(() => restore(backup, restored), RestoreError, "not finished");
          const refused = await assertRejects(
            () => backUp(restored, `${backup}-2`),
            StorageError,
          );
          assertMatch(refused.message, /was not finished|there is no journal/);
          seen.refused++;
        } else if (names.some((name) => name !== "lock")) {
          const again = await JournalNode.open(restored);
          assertEquals(again.summary, summary);
          await again.close();
          seen.whole++;
        } else {
          // It can be done again as it is.
          await restore(backup, restored);
          seen.nothing++;
        }
        await Deno.remove(restored, { recursive: true }).catch(() => {});
        if (isDone) break;
      }
      assertGreater(Math.min(seen.nothing, seen.refused, seen.whole), 0);
    });
  });
}

Deno.test("a backup is on disk before its backup.json, a restore before its files have their names", async () => {
  await inDirectories(async ({ directory, backup, restored }) => {
    await (await filledNode(directory)).close();
    const backingUp = new CrashingFiles();
    await backUp(directory, backup, { files: backingUp });
    const copied = (name: string) => [`write ${name}`, `sync ${name}`];
    assertEquals(backingUp.changes, [
      `sync ${JOURNAL_3}`,
      ...["make backup", "sync " + dirname(backup).split("/").at(-1), "sync backup"],
      ...[SNAPSHOT_2, JOURNAL_2, JOURNAL_3].flatMap(copied),
      "sync backup",
      ...copied("backup.json.new"),
      ...["name backup.json", "sync backup"],
    ]);
    const restoring = new CrashingFiles();
    await restore(backup, restored, { files: restoring });
    assertEquals(restoring.changes, [
      ...["make restored", "sync " + dirname(restored).split("/").at(-1)],
      ...[SNAPSHOT_2, JOURNAL_2, JOURNAL_3].flatMap((name) => copied(`restore-${name}`)),
      "sync restored",
      ...[SNAPSHOT_2, JOURNAL_2, JOURNAL_3].map((name) => `name ${name}`),
      "sync restored",
    ]);
  });
});

Deno.test("a restore finds every changed byte of a backup, and names the file", async () => {
  await inDirectories(async ({ directory, backup, restored }) => {
    await (await filledNode(directory)).close();
    await backUp(directory, backup);
    for (const [name, bytes] of await contentsOf(backup)) {
      const path = join(backup, name);
      using file = await Deno.open(path, { write: true });
      for (let at = 0; at < bytes.length; at++) {
        const put = (byte: number) => {
          file.seekSync(at, Deno.SeekMode.Start);
          file.writeSync(new Uint8Array([byte]));
        };
        put((bytes[at] ?? 0) ^ 1 << at % 8);
        const error = await assertRejects(() => restore(backup, restored), BackupError);
        assertStringIncludes(error.message, path, `byte ${at}`);
        put(bytes[at] ?? 0);
      }
    }
    assertEquals(await denoFiles.list(restored), undefined);
    await restore(backup, restored);
  });
});

Deno.test("a restore finds that files of a backup are missing, cut, longer or of another one", async () => {
  await inDirectories(async ({ directory, backup, restored }) => {
    await (await filledNode(directory)).close();
    const { size } = await Deno.stat(join(directory, JOURNAL_3));
    // Once the node's last batch is one message, once another one.
    for (const [key, into] of [[61, backup], [62, `${backup}-2`]] as const) {
      await Deno.truncate(join(directory, JOURNAL_3), size);
      const node = await JournalNode.open(directory);
      await node.write(sent(key));
      await backUp(directory, into);
      await node.close();
    }
    const path = join(backup, JOURNAL_3);
    const bytes = await Deno.readFile(path);
    const longer = new Uint8Array([...bytes, 0x0a]);
    const refuses = async (says: string) => {
      const error = await assertRejects(() => restore(backup, restored), BackupError);
      assertStringIncludes(error.message, `${path} ${says}`);
    };
    await Deno.writeFile(path, bytes.subarray(0, -1));
    await refuses(`has ${bytes.length - 1} bytes, where ${bytes.length} were written`);
    await Deno.writeFile(path, longer);
    await refuses(`has ${longer.length} bytes`);
    await Deno.copyFile(join(`${backup}-2`, JOURNAL_3), path);
    await refuses("is not what was written");
    await Deno.remove(path);
    await refuses("is missing");
    await Deno.writeFile(path, bytes);
    await restore(backup, restored);
  });
});

Deno.test("a restore goes only where nothing is, and a dry run writes nothing", async () => {
  await inDirectories(async ({ directory, backup, restored }) => {
    await (await filledNode(directory)).close();
    await backUp(directory, backup);
    await restore(backup, restored, { isDryRun: true });
    assertEquals(await denoFiles.list(restored), undefined);
    await Deno.mkdir(join(restored, "lost+found"), { recursive: true });
    await Deno.writeTextFile(join(restored, "notes.txt"), "");
    for (const isDryRun of [true, false]) {
      await assertRejects(
        () => restore(backup, restored, { isDryRun }),
        RestoreError,
        "it holds notes.txt",
      );
      await assertRejects(
        () => restore(backup, directory, { isDryRun }),
        RestoreError,
        "it holds j",
      );
    }
    await Deno.remove(join(restored, "notes.txt"));
    await restore(backup, restored, { isDryRun: true });
    assertEquals(await namesIn(restored), ["lost+found"]);
    await restore(backup, restored);
    await (await JournalNode.open(restored)).close();
  });
});

Deno.test("a restore leaves alone a directory that somebody has locked", async () => {
  await inDirectories(async ({ directory, backup, restored }) => {
    await (await filledNode(directory)).close();
    await backUp(directory, backup);
    await Deno.mkdir(restored);
    const lock = await denoFiles.open(join(restored, "lock"), "append");
    assert(await lock.tryLock());
    await assertRejects(() => restore(backup, restored), StorageError, "somebody is using it");
    assertEquals(await namesIn(restored), ["lock"]);
    lock.close();
  });
});

Deno.test("a restore leaves alone what a node made until the directory was locked", async () => {
  await inDirectories(async ({ directory, backup, restored }) => {
    await (await filledNode(directory)).close();
    await backUp(directory, backup);
    const files: Files = {
      ...denoFiles,
      async open(path, mode) {
        if (path.endsWith("/lock")) await (await JournalNode.open(restored)).close();
        return await denoFiles.open(path, mode);
      },
    };
    await assertRejects(() => restore(backup, restored, { files }), StorageError, "it holds ");
    assertEquals(await namesIn(restored), [JOURNAL_1, "lock", "node.json"]);
  });
});

Deno.test("a restore notices that a backup changed after it was checked", async () => {
  await inDirectories(async ({ directory, backup: path, restored }) => {
    await (await filledNode(directory)).close();
    await backUp(directory, path);
    const backup = await openBackup(denoFiles, path, 1);
    const text = await Deno.readTextFile(join(path, JOURNAL_2));
    await Deno.writeTextFile(join(path, JOURNAL_2), text.replace("text <5>", "text <6>"));
    await assertRejects(
      () => restoreBackup(denoFiles, backup, restored),
      StorageError,
      `${JOURNAL_2}: it has changed since it was checked`,
    );
    assertEquals(await denoFiles.list(restored), undefined);
    backup.close();
  });
});

Deno.test("a restore that fills the disk says so, and is removed again or refused", async () => {
  await inDirectories(async ({ directory, backup, restored }) => {
    await (await filledNode(directory)).close();
    await backUp(directory, backup);
    for (let failAt = 1;; failAt++) {
      const change = /^(write|sync|name)/;
      const files = new FailingFiles({ change, failAt, mode: "half", code: "ENOSPC" });
      if (await succeeds(() => restore(backup, restored, { files }), /No space left/)) break;
      const names = await denoFiles.list(restored);
      if (names !== undefined && names.some((name) => name !== "lock")) {
        if (names.some((name) => name.startsWith("restore-"))) {
          await assertRejects(() => JournalNode.open(restored), DataDirectoryError, "not finished");
        } else await (await JournalNode.open(restored)).close();
      }
      if (names !== undefined) await Deno.remove(restored, { recursive: true });
    }
  });
});

interface Directories {
  readonly directory: string;
  readonly backup: string;
  readonly restored: string;
}

async function inDirectories(body: (directories: Directories) => Promise<void>): Promise<void> {
  await inTempDirectory(async (directory) => {
    const parent = dirname(directory);
    await body({ directory, backup: join(parent, "backup"), restored: join(parent, "restored") });
  });
}

/** A snapshot and two segments. */
async function filledNode(directory: string): Promise<JournalNode> {
  const node = await JournalNode.open(directory);
  await node.write(account(ANN, "ann"), account(BOB, "bob"), sent(1), sent(2), sent(3));
  await node.write(deleted(1), read(2));
  await node.compact();
  await node.write(sent(4), sent(5));
  await node.write(sent(6));
  await node.directory.journal.rotate();
  await node.write(read(4), sent(7));
  assert(!(await namesIn(directory)).includes(JOURNAL_1));
  return node;
}

async function backUp(
  directory: string,
  destination: string,
  { files = denoFiles }: { readonly files?: Files } = {},
): Promise<BackupFile> {
  const made = "2026-11-23T00:00:00.000Z";
  const rest = { node: "solo", version: "0.0.0-test", made, indexSeed: 1 };
  return await makeBackup({ files, directory, destination, ...rest });
}

async function restore(
  from: string,
  directory: string,
  { files = denoFiles, isDryRun = false }: { readonly files?: Files; readonly isDryRun?: boolean } =
    {},
): Promise<BackupFile> {
  const backup = await openBackup(files, from, 1);
  try {
    if (isDryRun) await refuseUsed(files, directory);
    else await restoreBackup(files, backup, directory);
    return backup.said;
  } finally {
    backup.close();
  }
}

async function succeeds(action: () => Promise<unknown>, says = /./): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    assertMatch(error.message, says);
    return false;
  }
}

/** The real disk, with something happening before each of some calls to it. */
function interrupted(meanwhile: () => Promise<void>): Files {
  return {
    ...denoFiles,
    async list(path) {
      await meanwhile();
      return await denoFiles.list(path);
    },
    async open(path, mode) {
      await meanwhile();
      const file = await denoFiles.open(path, mode);
      return {
        read: async (into, at) => {
          await meanwhile();
          return await file.read(into, at);
        },
        write: (bytes) => file.write(bytes),
        sync: () => file.sync(),
        truncate: (bytes) => file.truncate(bytes),
        stat: () => file.stat(),
        tryLock: () => file.tryLock(),
        close: () => file.close(),
      };
    },
  };
}

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), ({ name }) => name)).sort();
}
