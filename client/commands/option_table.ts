import type { NamedOption, OptionRow } from "../../command_line/option.ts";
import { parseCommandLine } from "../../command_line/parse.ts";
import { UsageError } from "../../command_line/usage_error.ts";

/** Every option of the client's commands, once. */
export const OPTIONS = {
  host: {
    value: "HOST[:PORT]",
    isRepeatable: true,
    help: "a server; several are tried in turn (default 127.0.0.1:9001)",
  },
  config: { value: "FILE", path: "file", help: "take the servers from this servers.json" },
  invite: {
    value: "INVITE",
    path: "file",
    help: "a cluster's invite, or a file that holds it: its servers, and how to know them (TLS)",
  },
  user: { value: "NAME", help: "who to sign in as (or CHAT_USER)" },
  "password-file": {
    value: "FILE",
    path: "file",
    help: "file with the password (or CHAT_PASSWORD)",
  },
  remember: { help: "keep the password for the next time, in a file that only you can read" },
  create: { help: "create the account if there is none of this name" },
  json: { help: "print JSON, one object a line" },
  color: {
    words: ["auto", "always", "never"],
    help: "when to use colours (NO_COLOR is respected)",
  },
  help: { help: "show this" },
  to: { value: "NAME", isRepeatable: true, help: "a recipient; may be given several times" },
  key: {
    value: "KEY",
    help: "the message's own unique id: sent twice, it is one message; with several recipients " +
      "each has KEY/NAME",
  },
  "min-copies": { value: "N", help: "exit with 5 if it is stored on fewer nodes than N" },
  "mark-read": { help: "mark what is shown as read" },
  limit: { value: "N", help: "how many messages (default 50)" },
  all: { help: "all messages, however many" },
  before: { value: "ID", help: "only what is older than this message" },
  since: { value: "CURSOR", help: "first what has happened since then (from --json)" },
  plain: { help: "talk in lines, instead of on the whole terminal" },
  bell: { words: ["on", "off"], help: "whether messages in other conversations ring the bell" },
  notify: {
    words: ["off", "osc9", "osc777"],
    help: "let the terminal itself show a notification of such messages",
  },
  "notify-command": {
    value: "COMMAND",
    help: "run this with sh for such messages, with CHAT_FROM and CHAT_TEXT set",
  },
} as const satisfies Record<string, OptionRow>;

export type OptionName = keyof typeof OPTIONS;
/** An option whose value is one of a few words. */
type ChosenOption = {
  [N in OptionName]: (typeof OPTIONS)[N] extends { readonly words: readonly string[] } ? N : never;
}[OptionName];

/** Of every command that talks to a server. */
export const SERVER_OPTIONS = ["host", "config", "invite", "color", "help"] as const;
/** Of every command that signs in. */
export const SIGN_IN_OPTIONS = ["user", "password-file", ...SERVER_OPTIONS] as const;

/** What a command line says. */
export class Options {
  readonly operands: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[] | true>;

  constructor(operands: readonly string[], values: ReadonlyMap<string, readonly string[] | true>) {
    this.operands = operands;
    this.#values = values;
  }

  has(name: OptionName): boolean {
    return this.#values.has(name);
  }

  all(name: OptionName): readonly string[] {
    const values = this.#values.get(name);
    return values === undefined || values === true ? [] : values;
  }

  text(name: OptionName): string | undefined {
    return this.all(name).at(-1);
  }

  /** A whole number of at least 1. */
  count(name: OptionName): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^[1-9]\d{0,8}$/.test(text)) {
      throw new UsageError(`--${name} ${text}: a whole number from 1 is expected`);
    }
    return Number(text);
  }

  /** One of the words that the table has for it. */
  word<N extends ChosenOption>(name: N): (typeof OPTIONS)[N]["words"][number] | undefined {
    const text = this.text(name);
    const words: readonly (typeof OPTIONS)[N]["words"][number][] = OPTIONS[name].words;
    return words.find((word) => word === text);
  }
}

/** Reads a command line. Throws {@linkcode UsageError}. */
export function parseOptions(args: readonly string[], names: readonly OptionName[]): Options {
  const { operands, values } = parseCommandLine(args, namedOptions(names));
  return new Options(operands, values);
}

/** The rows of these options. */
export function namedOptions(names: readonly OptionName[]): NamedOption[] {
  return names.map((name) => ({ name, row: OPTIONS[name] }));
}
