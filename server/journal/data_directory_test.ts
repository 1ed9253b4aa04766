import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { basename, dirname, join } from "node:path";
import { denoFiles } from "./deno_files.ts";
import { type Files, StorageError } from "./files.ts";
import { DataDirectoryError } from "./layout.ts";
import {
  contentsOf,
  fill,
  inTempDirectory,
  JOURNAL,
  messages,
  open,
} from "../testing/journal_fixture.ts";
import { RecoveryError } from "./recovery.ts";
import { headerLine } from "./segment.ts";

const BATCHES = [messages(2, 1), messages(1, 3), messages(3, 4)];
const OPERATIONS = BATCHES.flat();

Deno.test("openDataDirectory() makes a directory and keeps its epoch from then on", async () => {
  await inTempDirectory(async (temporary) => {
    const directory = join(temporary, "data", "node1");
    const { epoch } = await fill(directory, BATCHES);
    const opened = await open(directory);
    assertEquals(opened.applied, OPERATIONS);
    assertEquals(opened.epoch, epoch);
    const report = { epoch: "kept" as const, why: [], entries: 6, cut: undefined };
    assertEquals(opened.report, { ...report, newlineAdded: false });
    await opened.close();
    const modeOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;
    assertEquals(await modeOf(directory), 0o700);
    for await (const { name } of Deno.readDir(directory)) {
      assertEquals(await modeOf(join(directory, name)), 0o600, name);
    }
  });
});

Deno.test("openDataDirectory() refuses a directory that is open, before reading it", async () => {
  await inTempDirectory(async (directory) => {
    const first = await open(directory);
    const error = await assertRejects(() => open(directory), DataDirectoryError);
    assertStringIncludes(error.message, `Cannot use ${directory}: another chat serve has it open`);
    await first.close();
    await (await open(directory)).close();
  });
});

Deno.test("openDataDirectory() refuses a directory that another process has open", async () => {
  await inTempDirectory(async (directory) => {
    const script = `
      const { open } = await import(${
      JSON.stringify(import.meta.resolve("../testing/journal_fixture.ts"))
    });
      await open(${JSON.stringify(directory)});
      console.log("open");
      await Deno.stdin.read(new Uint8Array(1));`;
    const path = join(directory, "..", "child.ts");
    await Deno.writeTextFile(path, script);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const args = ["run", "-A", "--quiet", "--no-check", "--config", config, path];
    const command = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" });
    await using child = command.spawn();
    const reader = child.stdout.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "open\n");
    await assertRejects(() => open(directory), DataDirectoryError, "another chat serve");
    child.kill("SIGKILL");
    await child.status;
    await (await open(directory)).close();
    await reader.cancel();
    await child.stdin.abort().catch(() => {});
  });
});

Deno.test("openDataDirectory() renews the epoch of a copied directory", async () => {
  await inTempDirectory(async (directory) => {
    const { epoch } = await fill(directory, BATCHES);
    const copy = `${directory}-copy`;
    const args = ["-a", directory, copy];
    assert((await new Deno.Command("cp", { args }).output()).success);
    const opened = await open(copy);
    await opened.close();
    assertEquals(opened.applied, OPERATIONS);
    assertEquals(opened.report.epoch, "renewed");
    assertStringIncludes(opened.report.why.join(), "copy");
    assertNotEquals(opened.epoch, epoch);
    const again = await open(copy);
    await again.close();
    assertEquals([again.epoch, again.report.epoch], [opened.epoch, "kept"]);
    const original = await open(directory);
    await original.close();
    assertEquals(original.epoch, epoch);
  });
});

const RENEWALS: [string, string, (directory: string) => Promise<void>, string?][] = [
  ["node.json is missing", "missing", (path) => Deno.remove(join(path, "node.json"))],
  ["node.json is empty", "damaged", (path) => Deno.truncate(join(path, "node.json"))],
  ["a byte of node.json changed", "damaged", async (path) => {
    const text = await Deno.readTextFile(join(path, "node.json"));
    await Deno.writeTextFile(join(path, "node.json"), text.replace('"epoch":"e', '"epoch":"f'));
  }],
  ["the lock file was made anew", "copy", async (path) => {
    await Deno.rename(join(path, "lock"), join(path, "cut-lock"));
  }],
  ["the journal was put back from a backup", "copy", async (path) => {
    await Deno.copyFile(join(path, JOURNAL), join(path, "cut-journal"));
    await Deno.rename(join(path, "cut-journal"), join(path, JOURNAL));
  }],
  ["the node has another name", "node1", () => Promise.resolve(), "node2"],
];

for (const [name, why, change, node = "node1"] of RENEWALS) {
  Deno.test(`openDataDirectory() renews the epoch when ${name}`, async () => {
    await inTempDirectory(async (directory) => {
      const { epoch } = await fill(directory, BATCHES);
      await change(directory);
      const opened = await open(directory, { node });
      await opened.close();
      assertEquals(opened.applied, OPERATIONS);
      assertEquals(opened.report.epoch, "renewed");
      assertStringIncludes(opened.report.why.join(), why);
      assertNotEquals(opened.epoch, epoch);
      const again = await open(directory, { node });
      await again.close();
      assertEquals([again.epoch, again.report.epoch], [opened.epoch, "kept"]);
    });
  });
}

const REFUSALS: [string, string, (directory: string) => Promise<void>][] = [
  ["of something else", "holes.txt", async (path) => {
    await Deno.remove(path, { recursive: true });
    await Deno.mkdir(path);
    await Deno.writeTextFile(join(path, "holes.txt"), "");
  }],
  ["without its journal", "missing", (path) => Deno.remove(join(path, JOURNAL))],
  ["with a later segment after a gap", "journal-00000002.jsonl is missing", async (path) => {
    await Deno.writeTextFile(join(path, "journal-00000003.jsonl"), "");
  }],
  ["with an empty journal", "byte 0", (path) => Deno.truncate(join(path, JOURNAL))],
];

for (const [name, found, change] of REFUSALS) {
  Deno.test(`openDataDirectory() refuses a directory ${name}, and leaves it as it is`, async () => {
    await inTempDirectory(async (directory) => {
      await fill(directory, BATCHES);
      await change(directory);
      const before = await contentsOf(directory);
      await assertRejects(() => open(directory), StorageError, found);
      assertEquals(await contentsOf(directory), before);
    });
  });
}

Deno.test("openDataDirectory() begins anew when a crash cut short the making of the journal", async () => {
  await inTempDirectory(async (directory) => {
    await fill(directory, []);
    const path = join(directory, JOURNAL);
    const header = await Deno.readFile(path);
    const starts = [header.subarray(0, 0), header.subarray(0, 9), new Uint8Array(9), header];
    for (const start of starts) {
      await Deno.remove(join(directory, "node.json"));
      await Deno.writeFile(path, start);
      const opened = await open(directory);
      await opened.close();
      assertEquals(opened.report.epoch, "new");
      assertEquals(await Deno.readFile(path), header);
    }
  });
});

Deno.test("openDataDirectory() cuts a torn tail, keeps it aside and renews the epoch", async () => {
  await inTempDirectory(async (directory) => {
    const { epoch, ends } = await fill(directory, BATCHES);
    const path = join(directory, JOURNAL);
    const whole = await Deno.readFile(path);
    const [last = 0, end = 0] = ends.slice(-2);
    for (let cut = last + 1; cut < end - 1; cut += 29) {
      await Deno.writeFile(path, whole.subarray(0, cut));
      const opened = await open(directory);
      await opened.close();
      assertEquals(opened.applied, OPERATIONS.slice(0, 3));
      assertEquals(opened.report.epoch, "renewed");
      assertNotEquals(opened.epoch, epoch);
      assert(opened.report.cut !== undefined);
      const { at, bytes, keptIn } = opened.report.cut;
      assertEquals([at, bytes], [last, cut - last]);
      assertEquals(await Deno.readFile(keptIn), whole.slice(last, cut));
      assertEquals(await Deno.readFile(path), whole.slice(0, last));
    }
  });
});

Deno.test("openDataDirectory() completes a whole batch that lacks its newline", async () => {
  await inTempDirectory(async (directory) => {
    const { epoch, ends } = await fill(directory, BATCHES);
    await Deno.truncate(join(directory, JOURNAL), (ends.at(-1) ?? 0) - 1);
    const opened = await open(directory);
    assertEquals([opened.epoch, opened.report.newlineAdded], [epoch, true]);
    await opened.journal.writeBatch(messages(1, 7));
    await opened.close();
    const again = await open(directory);
    await again.close();
    assertEquals(again.applied, [...OPERATIONS, ...messages(1, 7)]);
  });
});

Deno.test("openDataDirectory() refuses damage and changes nothing; its remedy works", async () => {
  await inTempDirectory(async (parent) => {
    const directory = join(parent, "Ann's node");
    const { epoch, ends } = await fill(directory, BATCHES);
    const path = join(directory, JOURNAL);
    const bytes = await Deno.readFile(path);
    bytes[(ends[1] ?? 0) + 10] = 0x20;
    await Deno.writeFile(path, bytes);
    const before = await contentsOf(directory);
    const error = await assertRejects(() => open(directory), RecoveryError);
    assertEquals(error.at, ends[1]);
    assertStringIncludes(error.message, path);
    assertEquals(await contentsOf(directory), before);

    const remedy = /truncate .*$/.exec(error.message)?.[0] ?? "false";
    assert((await new Deno.Command("sh", { args: ["-c", remedy] }).output()).success, remedy);
    const opened = await open(directory);
    await opened.close();
    assertEquals(opened.applied, OPERATIONS.slice(0, 2));
    assertNotEquals(opened.epoch, epoch);
  });
});

Deno.test("beginEpoch() and Journal.rotate() at the same time leave a node.json that says both", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, beginEpoch, close } = await open(directory);
    for (let round = 1; round <= 5; round++) {
      await journal.writeBatch(messages(9, round * 9));
      const epoch = `again${round}`;
      await Promise.all(
        round % 2 === 0
          ? [beginEpoch(epoch), journal.rotate()]
          : [journal.rotate(), beginEpoch(epoch)],
      );
      const { segment, journalBytes, ...rest } = JSON.parse(
        await Deno.readTextFile(join(directory, "node.json")),
      );
      assertEquals([rest.epoch, segment], [epoch, journal.current.number]);
      assertEquals(journalBytes, journal.current.headerBytes);
    }
    await close();
    const again = await open(directory);
    assertEquals([again.epoch, again.report.epoch], ["again5", "kept"]);
    await again.close();
  });
});

Deno.test("beginEpoch() while Journal.rotate() writes node.json waits until that is done", async () => {
  await inTempDirectory(async (directory) => {
    let [inside, most] = [0, 0];
    let onDraft: (() => void) | undefined;
    const files: Files = {
      ...denoFiles,
      async open(path, mode) {
        if (basename(path) === "node.json.new") {
          most = Math.max(most, ++inside);
          onDraft?.();
          onDraft = undefined;
          // Whoever does not wait has time enough.
          for (let turn = 0; turn < 5; turn++) await denoFiles.list(dirname(path));
        }
        return await denoFiles.open(path, mode);
      },
      async rename(from, to) {
        await denoFiles.rename(from, to);
        inside--;
      },
    };
    const { journal, beginEpoch, close } = await open(directory, { files });
    await journal.writeBatch(messages(9));
    const began = Promise.withResolvers<void>();
    onDraft = () => began.resolve(beginEpoch("later"));
    await Promise.all([journal.rotate(), began.promise]);
    assertEquals([inside, most], [0, 1]);
    await close();
    const again = await open(directory);
    assertEquals([again.epoch, again.report.epoch], ["later", "kept"]);
    await again.close();
  });
});

Deno.test("beginEpoch() notes how much of the journal is on disk", async () => {
  await inTempDirectory(async (directory) => {
    const { journal, beginEpoch, close } = await open(directory);
    await journal.rotate();
    await journal.writeBatch(messages(3));
    await beginEpoch("later");
    await close();
    const path = join(directory, "journal-00000002.jsonl");
    const { size } = await Deno.stat(path);
    await Deno.truncate(path, size - 30);
    const error = await assertRejects(() => open(directory), RecoveryError);
    assertStringIncludes(error.message, "an incomplete batch where");
  });
});

Deno.test("openDataDirectory() keeps the epoch where a crash left a segment that is empty", async () => {
  await inTempDirectory(async (directory) => {
    const { epoch } = await fill(directory, BATCHES);
    const { size } = await Deno.stat(join(directory, JOURNAL));
    const header = headerLine({ kind: "journal", segment: 2, after: size });
    const path = join(directory, "journal-00000002.jsonl");
    for (const bytes of [header.length, 9, 0]) {
      const before = await Deno.readFile(join(directory, "node.json"));
      await Deno.writeFile(path, header.subarray(0, bytes));
      const opened = await open(directory);
      assertEquals([opened.epoch, opened.report.epoch, opened.applied], [
        epoch,
        "kept",
        OPERATIONS,
      ]);
      await opened.close();
      assertEquals(await Deno.readFile(path), header);
      await Deno.writeFile(join(directory, "node.json"), before);
    }
  });
});

Deno.test("openDataDirectory() renews the epoch when a segment is there that node.json cannot know of", async () => {
  await inTempDirectory(async (directory) => {
    const { epoch } = await fill(directory, BATCHES);
    const old = await Deno.readFile(join(directory, "node.json"));
    const opened = await open(directory);
    await opened.journal.rotate();
    await opened.journal.writeBatch(messages(1, 7));
    await opened.close();
    await Deno.writeFile(join(directory, "node.json"), old);
    const again = await open(directory);
    await again.close();
    assertNotEquals(again.epoch, epoch);
    assertEquals(again.report.epoch, "renewed");
    assertEquals(again.applied, [...OPERATIONS, ...messages(1, 7)]);
  });
});

Deno.test("openDataDirectory() refuses a directory whose newest segment is missing, and says which", async () => {
  await inTempDirectory(async (directory) => {
    await fill(directory, BATCHES);
    const opened = await open(directory);
    await opened.journal.rotate();
    await opened.journal.writeBatch(messages(1, 7));
    await opened.close();
    await Deno.remove(join(directory, "journal-00000002.jsonl"));
    const before = await contentsOf(directory);
    const error = await assertRejects(() => open(directory), DataDirectoryError);
    assertStringIncludes(error.message, "journal-00000002.jsonl is missing");
    assertEquals(await contentsOf(directory), before);
  });
});
