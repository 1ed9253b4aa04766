import { printable } from "../../codec/printable.ts";
import type { Operands } from "../../command_line/option.ts";
import {
  type Described,
  exitStatusOf,
  type Item,
  type Page,
  renderPage,
  usageText,
} from "../../command_line/page.ts";
import { checkOperands } from "../../command_line/parse.ts";
import type { Outside } from "../connection.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_code.ts";
import {
  namedOptions,
  type OptionName,
  type Options,
  parseOptions,
  SIGN_IN_OPTIONS,
} from "./option_table.ts";
import type { Shell } from "./shell.ts";

/** What a command is called with. */
export interface Call {
  readonly options: Options;
  readonly shell: Shell;
  readonly outside: Outside;
}

/** A subcommand of `chat`: all that its help, its checks and the shells' completion need. */
export interface Command extends Described {
  readonly name: string;
  /** The words it takes besides options. */
  readonly operands?: Operands;
  readonly options: readonly OptionName[];
  /** What else has to be right about a command line. Throws {@linkcode UsageError}. */
  check?(options: Options): void;
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
    await surroundings.shell.write(renderPage(pageOf(command)));
    return EXIT.done;
  }
  return await command.run({ ...surroundings, options });
}

/** The manual page of a command. */
export function pageOf(command: Command): Page {
  const { name, summary, description, examples, seeAlso, operands } = command;
  const own = command.options.filter((option) => !SHARED.includes(option));
  const shared = command.options.filter((option) => SHARED.includes(option));
  return {
    ...{ name, summary, description, examples, seeAlso },
    ...operands === undefined ? {} : { operands },
    options: namedOptions([...own, ...shared]),
    exitStatus: exitStatusOf(commonExits(command), command.exits),
    files: RELATED.filter((row) => isRelated(row, command)).flatMap(({ files }) => files ?? []),
    environment: RELATED.filter((row) => isRelated(row, command))
      .flatMap(({ environment }) => environment ?? []),
  };
}

function parseForCommand(command: Command, args: readonly string[]): Options {
  try {
    const options = parseOptions(args, command.options);
    if (!options.has("help")) {
      checkOperands(options.operands, command.operands);
      command.check?.(options);
    }
    return options;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const wrong = printable(error.message);
    throw new UsageError(`${command.name}: ${wrong}\n${usageText(command)}`);
  }
}

const SHARED: readonly OptionName[] = SIGN_IN_OPTIONS;

function commonExits({ options }: Command): Item[] {
  const isOfServers = options.includes("host");
  const isSignedIn = options.includes("user");
  return [
    ["0", "Done."],
    ["1", "Something that you can fix, and that is said."],
    ["2", "Wrong usage or configuration: nothing was done."],
    ...isOfServers ? [["3", "No server could be reached."] satisfies Item] : [],
    ...isSignedIn ? [["4", "Refused: a wrong password, or not allowed."] satisfies Item] : [],
    ["70", "A bug."],
  ];
}

/** What files and variables mean to the commands with any of these options. */
const RELATED: readonly {
  readonly options: readonly OptionName[];
  readonly files?: readonly Item[];
  readonly environment?: readonly Item[];
}[] = [
  {
    options: ["host"],
    files: [[
      "$XDG_CONFIG_HOME/chat/config.json",
      'The servers and the user where no option says them: {"hosts": ["a", "b:9002"], "user": ' +
      '"ops"}. chat client writes there who has signed in, and where.',
    ]],
    environment: [["XDG_CONFIG_HOME", "Where the user's own files are, ~/.config if not set."]],
  },
  {
    options: ["password-file"],
    files: [[
      "$XDG_CONFIG_HOME/chat/credentials.json",
      "The password, if chat client was told to --remember it. It is used for that user on those " +
      "servers only, and only if nobody else may read the file (chmod 600).",
    ]],
    environment: [
      ["CHAT_USER", "Who to sign in as where --user does not say it."],
      ["CHAT_PASSWORD", "The password where --password-file does not say it."],
    ],
  },
  {
    options: ["color"],
    environment: [["NO_COLOR", "If it is set to anything, there are no colours."]],
  },
];

function isRelated({ options }: (typeof RELATED)[number], command: Command): boolean {
  return options.some((name) => command.options.includes(name));
}
