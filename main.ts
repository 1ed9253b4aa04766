/** `chat`: a node of a small self-hosted messenger, and its client. */

import { runCommand } from "./client/commands/command.ts";
import { demo } from "./client/commands/demo.ts";
import { EXIT, exitCodeOf } from "./client/commands/exit_code.ts";
import { OutputClosedError } from "./client/commands/shell.ts";
import { commands } from "./client/commands/table.ts";
import { denoNodes } from "./client/deno_nodes.ts";
import { denoOutside } from "./client/deno_outside.ts";
import { denoShell } from "./client/deno_shell.ts";
import { printableLines } from "./client/text/printable.ts";
import { runOperatorCommand } from "./server/operator/command.ts";
import { operatorCommands } from "./server/operator/table.ts";
import config from "./deno.json" with { type: "json" };

const { version } = config;
const HELP = ["help", "--help", "-h"];
const clientCommands = [...commands, demo(denoNodes(import.meta.url))];

if (import.meta.main) {
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    exitFor(event.reason);
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    exitFor(event.error);
  });
  try {
    await giveUpRunning(Deno.args[0]);
    Deno.exit(await run(Deno.args));
  } catch (error) {
    exitFor(error);
  }
}

/** Only the demo starts processes, and only more of this program. */
async function giveUpRunning(command: string | undefined): Promise<void> {
  if (command !== "demo") await Deno.permissions.revoke({ name: "run" });
}

async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined) {
    denoShell.note(overview());
    return EXIT.usage;
  }
  if (HELP.includes(name)) return await help(args);
  if (["version", "--version", "-V"].includes(name)) {
    await denoShell.write(`chat ${version}\n`);
    return EXIT.done;
  }
  if (name === "serve") return await serve(args);
  const operator = operatorCommandOf(name, args);
  if (operator !== undefined) {
    return await runOperatorCommand(operator.row, operator.args, {
      output: denoShell,
      version,
    });
  }
  const command = clientCommands.find((one) => one.name === name);
  if (command !== undefined) {
    return await runCommand(command, args, { shell: denoShell, outside: denoOutside });
  }
  denoShell.note(`chat: there is no command ${JSON.stringify(name)}\n\n${overview()}`);
  return EXIT.usage;
}

/** A command's name may be of two words. */
function operatorCommandOf(name: string, args: readonly string[]) {
  for (const row of operatorCommands) {
    const [first, second] = row.name.split(" ");
    if (first !== name) continue;
    if (second === undefined) return { row, args };
    if (second === args[0]) return { row, args: args.slice(1) };
  }
  return undefined;
}

/** Loaded only when it is asked for: the client's commands do without the server's libraries. */
async function serve(args: readonly string[]): Promise<number> {
  const { runServe } = await import("./server/serve_command.ts");
  return await runServe(args, version);
}

async function help([name, ...rest]: readonly string[]): Promise<number> {
  if (name !== undefined && !HELP.includes(name)) return await run([name, ...rest, "--help"]);
  await denoShell.write(`${overview()}\n`);
  return EXIT.done;
}

function overview(): string {
  const rows: [string, string][] = [
    ["serve", "Runs a node."],
    ...clientCommands.map(({ name, summary }): [string, string] => [name, summary]),
    ...operatorCommands.map(({ name, summary }): [string, string] => [name, summary]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    "usage: chat COMMAND [options]",
    "",
    ...rows.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "chat COMMAND --help tells more. Exit codes: 0 done, 1 you can fix it, 2 wrong usage or",
    "configuration, 3 no server reachable, 4 refused, 5 too few copies, 70 a bug.",
  ].join("\n");
}

/** The one place where a failure becomes a message and an exit code. */
function exitFor(error: unknown): never {
  const code = exitCodeOf(error);
  if (code === EXIT.bug) {
    const trace = error instanceof Error ? error.stack ?? error.message : String(error);
    denoShell.note(`chat: this is a bug in chat ${version}, please report it:\n${trace}`);
  } else if (code !== EXIT.interrupted && !(error instanceof OutputClosedError)) {
    denoShell.note(
      `chat: ${error instanceof Error ? printableLines(error.message).join("\n") : error}`,
    );
  }
  Deno.exit(code);
}
