import { assertEquals, assertRejects } from "@std/assert";
import { apply } from "../core/apply.ts";
import { ChatState } from "../core/state.ts";
import { askNode } from "../operator/control.ts";
import { exportWith } from "../testing/export_fixture.ts";
import { runOperator } from "../testing/operator_run.ts";
import { Scratch } from "../testing/scratch.ts";
import { testServer } from "../testing/test_server.ts";
import { denoFiles } from "./deno_files.ts";
import { foldDirectory } from "./fold.ts";
import { DataDirectoryError } from "./layout.ts";

const FIRST = "journal-00000001.jsonl";

Deno.test("foldDirectory() reads snapshot and journal, and changes nothing", async () => {
  await using scratch = await Scratch.make();
  const data = await imported(scratch, 50);
  const { digest } = await folded(data);
  await compacted(data);
  await runOperator("import", await scratch.write(exportWith(60)), "--data", data);
  const before = await contentsOf(data);
  const state = await folded(data);
  assertEquals(state.messages.presentCount, 60);
  assertEquals(state.digest === digest, false);
  assertEquals(await contentsOf(data), before);
});

Deno.test("foldDirectory() refuses a directory that lacks a file, and one without a journal", async () => {
  await using scratch = await Scratch.make();
  await assertRejects(
    () => folded(scratch.path("nothing")),
    DataDirectoryError,
    "no such directory",
  );
  const data = await imported(scratch, 5);
  await compacted(data);
  await Deno.remove(`${data}/journal-00000002.jsonl`);
  await assertRejects(() => folded(data), DataDirectoryError);
});

Deno.test("foldDirectory() reads a journal that is being written up to its last whole batch", async () => {
  await using scratch = await Scratch.make();
  const data = await imported(scratch, 3);
  const first = await Deno.readFile(`${data}/${FIRST}`);
  await runOperator("import", await scratch.write(exportWith(6)), "--data", data);
  const both = await Deno.readFile(`${data}/${FIRST}`);
  const nodeFile = await Deno.readTextFile(`${data}/node.json`);
  assertEquals(JSON.parse(nodeFile).journalBytes, first.length);
  for (let length = first.length; length <= both.length; length++) {
    await Deno.writeFile(`${data}/${FIRST}`, both.subarray(0, length));
    const { messages } = await folded(data);
    // All but its newline is enough of a batch.
    assertEquals(messages.presentCount, length >= both.length - 1 ? 6 : 3, String(length));
  }
  // What was on disk once is missing: no crash, and nobody who writes, explains that.
  await Deno.writeFile(`${data}/${FIRST}`, both.subarray(0, first.length - 1 - 200));
  await assertRejects(() => folded(data), DataDirectoryError);
});

Deno.test("foldDirectory() passes over a segment that has not begun", async () => {
  await using scratch = await Scratch.make();
  const data = await imported(scratch, 3);
  for (const start of ["", `{"journal":1,"seg`, "\0".repeat(40)]) {
    await Deno.writeTextFile(`${data}/journal-00000002.jsonl`, start);
    assertEquals((await folded(data)).messages.presentCount, 3);
  }
  await Deno.remove(`${data}/journal-00000002.jsonl`);
  await compacted(data);
  await Deno.writeTextFile(`${data}/journal-00000003.jsonl`, "");
  assertEquals((await folded(data)).messages.presentCount, 3);
  await Deno.remove(`${data}/journal-00000003.jsonl`);
  await Deno.writeTextFile(`${data}/journal-00000002.jsonl`, "");
  await assertRejects(() => folded(data), DataDirectoryError);
});

Deno.test("foldDirectory() refuses a snapshot without its end", async () => {
  await using scratch = await Scratch.make();
  const data = await imported(scratch, 300);
  await compacted(data);
  const path = `${data}/snapshot-00000002.jsonl`;
  const text = await Deno.readTextFile(path);
  const lines = text.trimEnd().split("\n");
  const ends = lines.flatMap((line, index) => line.includes(`"batch":`) ? [index] : []);
  const whole = lines.slice(0, (ends.at(-2) ?? 0) + 1);
  await Deno.writeTextFile(path, `${whole.join("\n")}\n`);
  await assertRejects(() => folded(data), DataDirectoryError, "snapshot-00000002.jsonl");
});

async function folded(directory: string): Promise<ChatState> {
  const state = new ChatState();
  await foldDirectory({
    directory,
    files: denoFiles,
    apply: (entry) => void apply(state, entry),
  });
  return state;
}

async function imported(scratch: Scratch, messages: number): Promise<string> {
  const data = scratch.path("data");
  const file = await scratch.write(exportWith(messages));
  await runOperator("import", file, "--node", "node1", "--data", data);
  return data;
}

async function compacted(data: string): Promise<void> {
  await using _server = await testServer({ directory: data });
  await askNode(data, { command: "compact" });
}

async function contentsOf(data: string): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const name of (await denoFiles.list(data) ?? []).toSorted()) {
    contents[name] = await Deno.readTextFile(`${data}/${name}`);
  }
  return contents;
}
