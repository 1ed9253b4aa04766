import type { Outside } from "../outside.ts";
import type { Shell } from "../shell.ts";
import type { ExitCode } from "./exit_code.ts";
import {
  describeOptions,
  type OptionName,
  type Options,
  parseOptions,
  SERVER_OPTIONS,
} from "./option_table.ts";
import { UsageError } from "./usage.ts";

/** What a command is called with. */
export interface Call {
  readonly options: Options;
  readonly shell: Shell;
  readonly outside: Outside;
}

/** A subcommand of `chat`: all that its help and its checks need. */
export interface Command {
  readonly name: string;
  /** As in a usage line: `TO [TEXT…]`. */
  readonly operands: string;
  readonly operandsMin: number;
  readonly operandsMax: number;
  readonly summary: string;
  readonly options: readonly OptionName[];
  run(call: Call): Promise<ExitCode | number>;
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
    return 0;
  }
  const { length } = options.operands;
  if (length < command.operandsMin || length > command.operandsMax) {
    const problem = length < command.operandsMin ? "something is missing" : "too many words";
    throw new UsageError(`${problem}\n${usageOf(command)}`);
  }
  return await command.run({ ...surroundings, options });
}

function parseForCommand(command: Command, args: readonly string[]): Options {
  try {
    return parseOptions(args, command.options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message}\n${usageOf(command)}`);
  }
}

/** `usage: chat send [options] TO [TEXT…]` */
export function usageOf({ name, operands }: Command): string {
  return `usage: chat ${name} [options]${operands === "" ? "" : ` ${operands}`}`;
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
