/** `chat`: a node of a small self-hosted messenger, and its client. */

import { pageOf, runCommand } from "./client/commands/command.ts";
import { completion } from "./client/commands/completion.ts";
import { demo } from "./client/commands/demo.ts";
import { EXIT, exitCodeOf } from "./client/commands/exit_code.ts";
import { OutputClosedError } from "./client/commands/shell.ts";
import { commands } from "./client/commands/table.ts";
import { denoNodes } from "./client/deno_nodes.ts";
import { denoOutside } from "./client/deno_outside.ts";
import { denoShell } from "./client/deno_shell.ts";
import { printable, printableLines } from "./codec/printable.ts";
import { didYouMean, nearest } from "./command_line/nearest.ts";
import { type Page, wrap } from "./command_line/page.ts";
import { UsageError } from "./command_line/usage_error.ts";
import {
  operatorPageOf,
  type OperatorRow,
  runOperatorCommand,
  type TellEnd,
} from "./server/operator/command.ts";
import { operatorCommands } from "./server/operator/table.ts";
import config from "./deno.json" with { type: "json" };

const { version } = config;
const HELP = ["help", "--help", "-h"];
const VERSION = ["version", "--version", "-V"];

const serve: OperatorRow = {
  name: "serve",
  summary: "Runs a node.",
  load: async () => (await import("./server/serve_command.ts")).serveCommand,
};
const clientCommands = [...commands, demo(denoNodes(import.meta.url)), completion(allPages)];
/** Loaded only when they are asked for: the client's commands do without the server's libraries. */
const nodeCommands = [serve, ...operatorCommands];

/** The manual pages of all commands, in the order of the overview. */
export async function allPages(): Promise<readonly Page[]> {
  const load = async (row: OperatorRow) => operatorPageOf(row, await row.load());
  const [ofServe, ...ofOperator] = await Promise.all(nodeCommands.map(load));
  const first = ofServe === undefined ? [] : [ofServe];
  return [...first, ...clientCommands.map(pageOf), ...ofOperator];
}

/** A node has its log say why it ends. */
let tellEnd: TellEnd = (why) => denoShell.note(`chat: ${printableLines(why).join("\n")}`);

if (import.meta.main) {
  // React, under the full-screen client, would check itself for its developers.
  Deno.env.set("NODE_ENV", "production");
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    exitFor(event.reason);
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    exitFor(event.error);
  });
  try {
    await giveUpRunning(Deno.args);
    Deno.exit(await run(Deno.args));
  } catch (error) {
    exitFor(error);
  }
}

/** Only the demo starts processes, more of this program, and a client that was given a command. */
async function giveUpRunning([name, ...args]: readonly string[]): Promise<void> {
  const isCalledFor = args.some((arg) => /^--notify-command(=|$)/.test(arg));
  if (name === "demo" || name === "client" && isCalledFor) return;
  await Deno.permissions.revoke({ name: "run" });
}

async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined) {
    denoShell.note(overview());
    return EXIT.usage;
  }
  if (HELP.includes(name)) return await help(args);
  if (VERSION.includes(name)) {
    await denoShell.write(`chat ${version}\n`);
    return EXIT.done;
  }
  const ofNode = nodeCommandOf(name, args);
  if (ofNode !== undefined) {
    return await runOperatorCommand(ofNode.row, ofNode.args, {
      ...{ output: denoShell, version },
      tellEndBy: (tell) => tellEnd = tell,
    });
  }
  const command = clientCommands.find((one) => one.name === name);
  if (command !== undefined) {
    return await runCommand(command, args, { shell: denoShell, outside: denoOutside });
  }
  denoShell.note(unknownCommand(name, args));
  return EXIT.usage;
}

/** A command's name may be of two words. */
function nodeCommandOf(name: string, args: readonly string[]) {
  for (const row of nodeCommands) {
    const [first, second] = row.name.split(" ");
    if (first !== name) continue;
    if (second === undefined) return { row, args };
    if (second === args[0]) return { row, args: args.slice(1) };
  }
  return undefined;
}

function unknownCommand(name: string, [next = ""]: readonly string[]): string {
  const names = [...clientCommands, ...nodeCommands].map((command) => command.name);
  const known = [...names, "help", "version"];
  const meant = known.find((one) => one.startsWith(`${name} `)) ??
    nearest(name, known) ?? nearest(`${name} ${next}`, known);
  return `chat: there is no command ${printable(name)}${didYouMean(meant)}\n` +
    "chat help lists all commands";
}

/** Shells complete a name of two words as one. */
async function help(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words.flatMap((word) => word.split(" "));
  if (name !== undefined && !HELP.includes(name)) return await run([name, ...rest, "--help"]);
  await denoShell.write(`${overview()}\n`);
  return EXIT.done;
}

function overview(): string {
  const rows = [serve, ...clientCommands, ...operatorCommands];
  const width = Math.max(...rows.map(({ name }) => name.length)) + 4;
  const described = rows.flatMap(({ name, summary }) => {
    const lines = wrap(summary, " ".repeat(width));
    return [`  ${name}`.padEnd(width) + (lines[0] ?? "").trimStart(), ...lines.slice(1)];
  });
  return [
    "usage: chat COMMAND [options]",
    "",
    ...described,
    "",
    ...wrap(
      "chat help COMMAND tells more. Exit codes: 0 done, 1 you can fix it, 2 wrong usage or " +
        "configuration, 3 no server reachable, 4 refused, 5 too few copies, 70 a bug.",
    ),
  ].join("\n");
}

/** The one place where a failure becomes a message and an exit code. */
function exitFor(error: unknown): never {
  const code = exitCodeOf(error);
  if (code === EXIT.bug) {
    const trace = error instanceof Error ? error.stack ?? error.message : String(error);
    tellEnd(`this is a bug in chat ${version}, please report it:\n${trace}`, true);
  } else if (code !== EXIT.interrupted && !(error instanceof OutputClosedError)) {
    const why = error instanceof Error ? error.message : String(error);
    // Only how a command is used takes lines: a server's refusal could make some that look like ours.
    tellEnd(error instanceof UsageError ? why : printable(why), false);
  }
  Deno.exit(code);
}
