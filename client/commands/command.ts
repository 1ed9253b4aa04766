import type { Outside } from "../connection.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_code.ts";
import {
  describeOptions,
  type OptionName,
  type Options,
  parseOptions,
  SERVER_OPTIONS,
} from "./option_table.ts";
import type { Shell } from "./shell.ts";

/** What a command is called with. */
export interface Call {
  readonly options: Options;
  readonly shell: Shell;
  readonly outside: Outside;
}

/** A subcommand of `chat`: all that its help and its checks need. */
export interface Command {
  readonly name: string;
  /** The words it takes besides options: how a usage line shows them, and how many. */
  readonly operands?: { readonly usage: string; readonly min: number; readonly max: number };
  readonly summary: string;
  readonly options: readonly OptionName[];
  /** Resolves to the exit code. */
  run(call: Call): Promise<number>;
}

/** Checks the command line, and runs the command. */
export async function runCommand(
  command: Command,
  args: readonly string[],
  surroundings: Omit<Call, "options">,
): Promise<number> {
  const options = parseForCommand(command, args);
  if (options.has("help")) {
    await surroundings.shell.write(helpOf(command));
    return EXIT.done;
  }
  return await command.run({ ...surroundings, options });
}

function parseForCommand(command: Command, args: readonly string[]): Options {
  try {
    const options = parseOptions(args, command.options);
    if (!options.has("help")) checkOperands(command, options.operands.length);
    return options;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message}\n${usageOf(command)}`);
  }
}

function checkOperands(
  { name, operands: { min, max } = NO_OPERANDS }: Command,
  given: number,
): void {
  if (given < min) throw new UsageError(`${name} needs more than that`);
  if (given > max) throw new UsageError(`${name} does not take that many words`);
}

const NO_OPERANDS = { usage: "", min: 0, max: 0 };

/** `usage: chat send [options] TO [TEXT…]` */
function usageOf({ name, operands }: Command): string {
  return `usage: chat ${name} [options] ${operands?.usage ?? ""}`.trimEnd();
}

function helpOf(command: Command): string {
  const own = command.options.filter((name) => !isServerOption(name));
  const shared = command.options.filter(isServerOption);
  return [
    usageOf(command),
    "",
    command.summary,
    "",
    "options:",
    ...describeOptions([...own, ...shared]),
    "",
  ].join("\n");
}

function isServerOption(name: OptionName): boolean {
  return SERVER_OPTIONS.some((one) => one === name);
}
