import { assert, assertEquals, assertRejects } from "@std/assert";
import { hasTmux } from "../../client/testing/tmux_pane.ts";
import { ControlModeTerminal } from "./control_mode.ts";
import { measurePresses, pressTimes } from "./press_times.ts";
import { memoryOfLargest } from "./process_memory.ts";

const ignore = !await hasTmux();

function terminalTest(
  name: string,
  command: readonly string[],
  test: (terminal: ControlModeTerminal) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using terminal = await ControlModeTerminal.start({ command, columns: 40, rows: 10 });
      await test(terminal);
    },
  });
}

terminalTest("ControlModeTerminal types, and tells what a program writes", ["cat"], async (cat) => {
  await cat.type("it's “quoted” \\ ;");
  await cat.until("it's “quoted” \\ ;");
  const output = cat.nextOutput((output) => output.split("\n").length > 2);
  await cat.press("Enter");
  assertEquals(await output, "\r\nit's “quoted” \\ ;\r\n");
  assertEquals(await cat.screen(), "it's “quoted” \\ ;\nit's “quoted” \\ ;");
});

terminalTest(
  "ControlModeTerminal gives a program its arguments and the size that was asked for",
  ["sh", "-c", 'stty size; echo "$0"; cat', "it's a 'word'"],
  async (terminal) => {
    await terminal.until(/^10 40\nit's a 'word'$/);
  },
);

terminalTest("ControlModeTerminal.command() says why tmux refused", ["cat"], async (cat) => {
  await assertRejects(() => cat.command("no-such-command"), Error, "unknown command");
  assertEquals(await cat.command('display-message -p "a b"'), ["a b"]);
});

terminalTest("ControlModeTerminal fails once the program has ended", ["cat"], async (cat) => {
  const waiting = assertRejects(() => cat.nextOutput(() => false), Error, "has ended");
  await cat.type("\x04");
  await waiting;
  await assertRejects(() => cat.screen(), Error, "has ended");
});

terminalTest("measurePresses() measures each press", ["cat"], async (cat) => {
  const times = await measurePresses(cat, { presses: 20, pauseMs: 0, keys: ["a", "b"] });
  assertEquals(times.count, 20);
  assert(times.medianMs > 0 && times.medianMs <= times.p95Ms && times.p95Ms <= times.maxMs);
  await cat.until("ab".repeat(10));
});

terminalTest(
  "memoryOfLargest() finds the program behind those that started it",
  ["sh", "-c", "sh -c 'echo begun; tail -f /dev/null; :'; :"],
  async (terminal) => {
    await terminal.until("begun");
    const root = await terminal.pid();
    const alone = await memoryOfLargest(root);
    assert(alone.rssBytes > 0 && alone.rssBytes <= alone.rssBytesMax);
    assert(["sh", "dash", "bash", "tail"].includes(alone.name), alone.name);
  },
);

Deno.test("memoryOfLargest() says that a process has ended", async () => {
  const child = new Deno.Command("true").spawn();
  await child.status;
  await assertRejects(() => memoryOfLargest(child.pid), Error, "it has ended");
});

Deno.test("pressTimes() gives the times that so many presses are not above", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assertEquals(pressTimes(hundred), {
    count: 100,
    medianMs: 50,
    p95Ms: 95,
    p99Ms: 99,
    maxMs: 100,
  });
  assertEquals(pressTimes([7]).p99Ms, 7);
});
