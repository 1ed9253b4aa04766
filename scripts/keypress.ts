/**
 * `deno task bench:screen [--messages N]`: how long a key takes from being sent until the client has
 * it on its terminal, in a conversation of 100,000 messages, and the memory that the client takes. The
 * way through tmux is part of the times: what `cat` takes tells how much.
 */

import { parseArgs } from "@std/cli/parse-args";
import { megabytes, print } from "./load/print.ts";
import { ControlModeTerminal } from "./screen/control_mode.ts";
import { openLongConversation } from "./screen/long_conversation.ts";
import { measurePresses, type PressTimes, pressTimes, RARE_KEYS } from "./screen/press_times.ts";
import { memoryOfLargest } from "./screen/process_memory.ts";

const SIZE = { columns: 100, rows: 30 };
const PRESSES = { presses: 300, pauseMs: 30, keys: RARE_KEYS };
const PAGES = 2_000;

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, { string: ["messages"], default: { messages: "100000" } });
  const messages = Number(flags.messages);
  if (!Number.isSafeInteger(messages) || messages < 1) {
    console.error("--messages is a whole number from 1");
    Deno.exit(2);
  }
  {
    await using terminal = await ControlModeTerminal.start({ command: ["cat"], ...SIZE });
    tell("a key to cat", await measurePresses(terminal, PRESSES));
  }
  await using conversation = await openLongConversation(messages, SIZE);
  const { terminal } = conversation;
  await tellMemory(terminal);
  tell("a key at the newest message", await measurePresses(terminal, PRESSES));
  await tellMemory(terminal);
  await terminal.press("C-u");
  await terminal.until(/>$/);
  tell(`${PAGES} pages back`, await measurePages(terminal, PAGES));
  tell("a key there", await measurePresses(terminal, PRESSES));
  await terminal.press("C-u", "Home");
  await terminal.until("number 0 ");
  await tellMemory(terminal);
}

async function tellMemory(terminal: ControlModeTerminal): Promise<void> {
  const { rssBytes, rssBytesMax } = await memoryOfLargest(await terminal.pid());
  print("memory of the client", `${megabytes(rssBytes)}, at most ${megabytes(rssBytesMax)}`);
}

/** From each PgUp to anything that it changed: more is loaded as it goes. */
async function measurePages(terminal: ControlModeTerminal, pages: number): Promise<PressTimes> {
  const timesMs: number[] = [];
  for (let page = 0; page < pages; page++) {
    const startMs = performance.now();
    const shown = terminal.nextOutput((output) => output !== "")
      .then(() => performance.now() - startMs);
    const [ms] = await Promise.all([shown, terminal.press("PageUp")]);
    timesMs.push(ms);
  }
  return pressTimes(timesMs);
}

function tell(what: string, { count, medianMs, p95Ms, p99Ms, maxMs }: PressTimes): void {
  const [median, p95, p99, max] = [medianMs, p95Ms, p99Ms, maxMs].map((ms) =>
    `${ms.toFixed(1)} ms`
  );
  print(what, `median ${median}, p95 ${p95}, p99 ${p99}, at most ${max}, of ${count}`);
}

if (import.meta.main) await main();
