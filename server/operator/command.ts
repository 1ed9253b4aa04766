import { printable, printableLines } from "../../codec/printable.ts";
import type { NamedOption, Operands, OptionRow } from "../../command_line/option.ts";
import {
  type Described,
  exitStatusOf,
  type Item,
  type Page,
  renderPage,
  usageText,
} from "../../command_line/page.ts";
import { checkOperands, parseCommandLine } from "../../command_line/parse.ts";
import { UsageError } from "../../command_line/usage_error.ts";
import { ConfigError } from "../config_error.ts";
import { StorageError } from "../journal/files.ts";
import { LOG_FORMATS } from "../log.ts";

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
  /** From now on `tell` says why the process ends, if it does so by itself: else that is a note. */
  readonly tellEndBy: (tell: TellEnd) => void;
}

/** Told in whole sentences why the process ends, and whether that is a bug. */
export type TellEnd = (why: string, isBug: boolean) => void;

/** A subcommand of `chat` for who runs a node: it works on the node's files, and not over its ports. */
export interface OperatorRow {
  /** One word, or two: `log verify`. */
  readonly name: string;
  readonly summary: string;
  /** Loaded only when it is asked for: the client's commands do without the server's libraries. */
  readonly load: () => Promise<OperatorCommand>;
}

/** What such a command takes and does, and what its help says besides the row's summary. */
export interface OperatorCommand extends Omit<Described, "summary"> {
  readonly operands?: Operands;
  readonly options: readonly OperatorOptionName[];
  /** Where an option is something else for this command than for the others. */
  readonly optionHelp?: { readonly [N in OperatorOptionName]?: string };
  readonly files?: readonly Item[];
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
  data: { value: "DIR", path: "directory", help: "the data directory, if it is another" },
  config: {
    value: "FILE",
    path: "file",
    help: "the configuration, servers.json unless said otherwise",
  },
  user: { value: "NAME", help: "only what concerns this person" },
  repair: { help: "get what is damaged from the other nodes; the node has to be stopped" },
  insecure: { help: "with --repair: the network between nodes is trusted" },
  log: { words: LOG_FORMATS, help: "how its log is written: lines of text, or of JSON" },
  nodes: { value: "LIST", help: "the nodes, as NAME=HOST[:TCP[:GRPC]],…" },
  days: { value: "N", help: "how long the invitation in it is good (default 7)" },
  hours: { value: "N", help: "for so many hours" },
  json: { help: "one JSON object a line" },
  "dry-run": { help: "check everything, and write nothing" },
  help: { help: "show this" },
} as const satisfies Record<string, OptionRow>;

export type OperatorOptionName = keyof typeof OPERATOR_OPTIONS;

/** Of every command that works on a data directory. */
export const DATA_OPTIONS = ["node", "data", "help"] as const;

/** The options of a command line. */
export class OperatorOptions {
  readonly #values: ReadonlyMap<string, readonly string[] | true>;

  constructor(values: ReadonlyMap<string, readonly string[] | true>) {
    this.#values = values;
  }

  has(name: OperatorOptionName): boolean {
    return this.#values.has(name);
  }

  text(name: OperatorOptionName): string | undefined {
    const value = this.#values.get(name);
    return value === true ? undefined : value?.at(-1);
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
  surroundings: Omit<OperatorCall, "operands" | "options">,
): Promise<number> {
  const output = safeOutput(surroundings.output);
  const command = await row.load();
  try {
    const { operands, options } = parse(command, args);
    if (options.has("help")) {
      await output.write(renderPage(operatorPageOf(row, command)));
      return EXIT_DONE;
    }
    return await command.run({ ...surroundings, output, operands, options });
  } catch (error) {
    if (error instanceof UsageError) {
      const usage = usageText(operatorPageOf(row, command));
      output.note(`chat: ${row.name}: ${printable(error.message)}\n${usage}`);
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

/**
 * What is in a node's files was written by others, and may be damaged besides: here, once for all commands,
 * it becomes what moves no terminal. JSON that {@linkcode printableJson} made stays as it is.
 */
function safeOutput({ write, note }: Output): Output {
  const safe = (text: string) => printableLines(text).join("\n");
  return { write: (text) => write(safe(text)), note: (line) => note(safe(line)) };
}

/** The manual page of a command. */
export function operatorPageOf({ name, summary }: OperatorRow, command: OperatorCommand): Page {
  const { description, examples, seeAlso, operands, files = [] } = command;
  const isOfData = command.options.includes("data");
  return {
    ...{ name, summary, description, examples, seeAlso },
    ...operands === undefined ? {} : { operands },
    options: namedOptions(command),
    exitStatus: exitStatusOf(COMMON_EXITS, command.exits),
    files: [
      ...isOfData
        ? [["data/NAME", "What node NAME keeps, if --data does not name it."] as const]
        : [],
      ...files,
    ],
  };
}

const COMMON_EXITS: readonly Item[] = [
  ["0", "Done."],
  ["1", "Something that you can fix, and that is said."],
  ["2", "Wrong usage or configuration: nothing was done."],
  ["70", "A bug."],
];

function namedOptions({ options, optionHelp = {} }: OperatorCommand): NamedOption[] {
  return options.map((name) => {
    const row = OPERATOR_OPTIONS[name];
    return { name, row: { ...row, help: optionHelp[name] ?? row.help } };
  });
}

function parse(
  command: OperatorCommand,
  args: readonly string[],
): Pick<OperatorCall, "operands" | "options"> {
  const { operands, values } = parseCommandLine(args, namedOptions(command));
  const options = new OperatorOptions(values);
  if (!options.has("help")) checkOperands(operands, command.operands);
  return { operands, options };
}
