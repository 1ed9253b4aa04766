import { assertEquals } from "@std/assert";
import { TestShell } from "../testing/test_shell.ts";
import { FileInputLog } from "./input_log.ts";

const HISTORY = "/home/al/.local/state/chat/history";

function shellWith(text: string): TestShell {
  return new TestShell({ HOME: "/home/al" }, { files: { [HISTORY]: text } });
}

Deno.test("FileInputLog.read() passes over lines that are none of its own", async () => {
  const lines = ['"one"', "two", "\ufffd\0\x1b", "{}", '"three"', "", '"cut'];
  assertEquals(await new FileInputLog(shellWith(lines.join("\n"))).read(), ["one", "three"]);
});

Deno.test("FileInputLog.read() takes a file from others who may read it", async () => {
  const shell = shellWith('"one"\n');
  shell.files.set(HISTORY, { text: '"one"\n', mode: 0o644 });
  assertEquals(await new FileInputLog(shell).read(), ["one"]);
  assertEquals(shell.files.get(HISTORY), { text: '"one"\n', mode: 0o600 });
});

Deno.test("FileInputLog.add() keeps the last thousand, and nothing that is very long", async () => {
  const shell = shellWith("");
  const log = new FileInputLog(shell);
  for (let number = 1; number <= 2_001; number++) await log.add(`${number}`);
  const entries = await new FileInputLog(shell).read();
  assertEquals([entries.length, entries[0], entries.at(-1)], [1_000, "1002", "2001"]);
  await log.add("x".repeat(2_001));
  assertEquals(shell.files.get(HISTORY)?.text.split("\n").length, 1_001);
});

Deno.test("FileInputLog keeps nothing without a home", async () => {
  const shell = new TestShell({});
  const log = new FileInputLog(shell);
  await log.add("one");
  assertEquals([await log.read(), shell.files.size], [[], 0]);
});
