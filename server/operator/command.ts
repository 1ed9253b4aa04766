import { parseArgs } from "@std/cli/parse-args";
import { ConfigError } from "../config_error.ts";
import { StorageError } from "../journal/files.ts";

/** Where a command's results and remarks go. */
export interface Output {
  /** To standard output: the result. */
  write(text: string): Promise<void>;
  /** To standard error: a line for people. */
  note(line: string): void;
}

/** What a command is called with. */
export interface OperatorCall {
  readonly operands: readonly string[];
  readonly options: OperatorOptions;
  readonly output: Output;
  readonly version: string;
}

/** A subcommand of `chat` for who runs a node: it works on the node's files, and not over its ports. */
export interface OperatorRow {
  /** One word, or two: `log verify`. */
  readonly name: string;
  readonly summary: string;
  /** Loaded only when it is asked for: the client's commands do without the server's libraries. */
  readonly load: () => Promise<OperatorCommand>;
}

/** What such a command takes and does. */
export interface OperatorCommand {
  readonly operands?: { readonly usage: string; readonly min: number; readonly max: number };
  /** What else its help says. */
  readonly details?: string;
  readonly options: readonly OperatorOptionName[];
  /** Resolves to the exit code. */
  run(call: OperatorCall): Promise<number>;
}

/** The same of every command. */
export const EXIT_DONE = 0;
export const EXIT_FIXABLE = 1;
export const EXIT_USAGE = 2;

/** Every option of an operator's commands, once. */
export const OPERATOR_OPTIONS = {
  node: { value: "NAME", help: "whose data: that in data/NAME (default solo)" },
  data: { value: "DIR", help: "the data directory, if it is another" },
  config: { value: "FILE", help: "the configuration, servers.json unless said otherwise" },
  user: { value: "NAME", help: "only what concerns this person" },
  repair: { help: "get what is damaged from the other nodes; the node has to be stopped" },
  insecure: { help: "with --repair: the network between nodes is trusted" },
  "dry-run": { help: "check everything, and write nothing" },
  help: { help: "show this" },
} as const satisfies Record<string, { readonly value?: string; readonly help: string }>;

export type OperatorOptionName = keyof typeof OPERATOR_OPTIONS;

/** Of every command that works on a data directory. */
export const DATA_OPTIONS = ["node", "data", "help"] as const;

/** The command line is wrong: exit code 2. */
export class OperatorUsageError extends Error {
  override readonly name = "OperatorUsageError";
}

/** The options of a command line. */
export class OperatorOptions {
  readonly #values: ReadonlyMap<string, string | true>;

  constructor(values: ReadonlyMap<string, string | true>) {
    this.#values = values;
  }

  has(name: OperatorOptionName): boolean {
    return this.#values.has(name);
  }

  text(name: OperatorOptionName): string | undefined {
    const value = this.#values.get(name);
    return value === true ? undefined : value;
  }

  /** The name of the node that is meant. */
  get node(): string {
    return this.text("node") ?? "solo";
  }

  /** The data directory that is meant. */
  get directory(): string {
    return this.text("data") ?? `data/${this.node}`;
  }
}

/** Checks the command line, and runs the command. */
export async function runOperatorCommand(
  row: OperatorRow,
  args: readonly string[],
  surroundings: Pick<OperatorCall, "output" | "version">,
): Promise<number> {
  const { output } = surroundings;
  const command = await row.load();
  try {
    const { operands, options } = parse(command, args);
    if (options.has("help")) {
      await output.write(helpOf(row, command));
      return EXIT_DONE;
    }
    return await command.run({ ...surroundings, operands, options });
  } catch (error) {
    if (error instanceof OperatorUsageError) {
      output.note(`chat ${row.name}: ${error.message}\n${usageOf(row, command)}`);
      return EXIT_USAGE;
    }
    if (error instanceof ConfigError) {
      output.note(`chat: ${error.message}`);
      return EXIT_USAGE;
    }
    if (!(error instanceof StorageError)) throw error;
    output.note(`chat: ${error.message}`);
    return EXIT_FIXABLE;
  }
}

function parse(
  { options: names, operands: { min, max } = NO_OPERANDS }: OperatorCommand,
  args: readonly string[],
): Pick<OperatorCall, "operands" | "options"> {
  const takesValue = (name: OperatorOptionName) => "value" in OPERATOR_OPTIONS[name];
  const parsed: Record<string, unknown> = parseArgs(args, {
    string: ["_", ...names.filter(takesValue)],
    boolean: names.filter((name) => !takesValue(name)),
    alias: { help: "h" },
    unknown(arg, key) {
      if (key === undefined) return true;
      throw new OperatorUsageError(`unknown option ${arg}`);
    },
  });
  const values = new Map<string, string | true>();
  for (const name of names) {
    const value = parsed[name];
    if (value === "") throw new OperatorUsageError(`--${name} needs a value`);
    if (Array.isArray(value)) throw new OperatorUsageError(`--${name} is given more than once`);
    if (typeof value === "string" || value === true) values.set(name, value);
  }
  const operands = [parsed["_"] ?? []].flat().map(String);
  const options = new OperatorOptions(values);
  if (options.has("help")) return { operands, options };
  if (operands.length < min) throw new OperatorUsageError("it needs more than that");
  if (operands.length > max) throw new OperatorUsageError("it does not take that many words");
  return { operands, options };
}

const NO_OPERANDS = { usage: "", min: 0, max: 0 };

function usageOf({ name }: OperatorRow, { operands }: OperatorCommand): string {
  return `usage: chat ${name} [options] ${operands?.usage ?? ""}`.trimEnd();
}

function helpOf(row: OperatorRow, command: OperatorCommand): string {
  const rows = command.options.map((name): [string, string] => {
    const option: { readonly value?: string; readonly help: string } = OPERATOR_OPTIONS[name];
    return [`--${name}${option.value === undefined ? "" : ` ${option.value}`}`, option.help];
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    usageOf(row, command),
    "",
    row.summary,
    ...(command.details === undefined ? [] : ["", command.details]),
    "",
    "options:",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    "",
  ].join("\n");
}
