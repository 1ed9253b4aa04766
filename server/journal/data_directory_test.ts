import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import { DataDirectoryError } from "./data_directory.ts";
import { StorageError } from "./files.ts";
import { fill, inTempDirectory, JOURNAL, messages, open } from "../testing/journal_fixture.ts";
import { RecoveryError } from "./recovery.ts";

const BATCHES = [messages(2, 1), messages(1, 3), messages(3, 4)];
const OPERATIONS = BATCHES.flat();

Deno.test("openDataDirectory() makes a directory and keeps its epoch from then on", async () => {
  await inTempDirectory(async (temporary) => {
    const directory = join(temporary, "data", "node1");
    const { epoch } = await fill(directory, BATCHES);
    const opened = await open(directory);
    assertEquals(opened.applied, OPERATIONS);
    assertEquals(opened.epoch, epoch);
    const report = { epoch: "kept" as const, why: [], operations: 6, cut: undefined };
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
  ["with a later segment", "journal-00000002.jsonl", async (path) => {
    await Deno.writeTextFile(join(path, "journal-00000002.jsonl"), "");
  }],
  ["with an empty journal", "byte 0", (path) => Deno.truncate(join(path, JOURNAL))],
];

for (const [name, found, change] of REFUSALS) {
  Deno.test(`openDataDirectory() refuses a directory ${name}, and leaves it as it is`, async () => {
    await inTempDirectory(async (directory) => {
      await fill(directory, BATCHES);
      await change(directory);
      const before = await namesIn(directory);
      await assertRejects(() => open(directory), StorageError, found);
      assertEquals(await namesIn(directory), before);
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
    const before = await namesIn(directory);
    const error = await assertRejects(() => open(directory), RecoveryError);
    assertEquals(error.at, ends[1]);
    assertStringIncludes(error.message, path);
    assertEquals([await Deno.readFile(path), await namesIn(directory)], [bytes, before]);

    const remedy = /truncate .*$/.exec(error.message)?.[0] ?? "false";
    assert((await new Deno.Command("sh", { args: ["-c", remedy] }).output()).success, remedy);
    const opened = await open(directory);
    await opened.close();
    assertEquals(opened.applied, OPERATIONS.slice(0, 2));
    assertNotEquals(opened.epoch, epoch);
  });
});

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), ({ name }) => name)).sort();
}
