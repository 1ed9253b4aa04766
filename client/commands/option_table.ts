import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "./errors.ts";

interface OptionRow {
  /** What its value is called; without, the option is there or not. */
  readonly value?: string;
  readonly isRepeatable?: true;
  readonly help: string;
}

/** Every option of the client's commands, once. */
export const OPTIONS = {
  host: {
    value: "HOST[:PORT]",
    isRepeatable: true,
    help: "a server; several are tried in turn (default 127.0.0.1:9001)",
  },
  config: { value: "FILE", help: "take the servers from this servers.json" },
  user: { value: "NAME", help: "who to sign in as (or CHAT_USER)" },
  "password-file": { value: "FILE", help: "file with the password (or CHAT_PASSWORD)" },
  create: { help: "create the account if there is none of this name" },
  json: { help: "print JSON, one object a line" },
  color: { value: "WHEN", help: "auto, always or never (NO_COLOR is respected)" },
  help: { help: "show this" },
  key: { value: "KEY", help: "the message's own unique id: sent twice, it is one message" },
  "min-copies": { value: "N", help: "exit with 5 if it is stored on fewer nodes than N" },
  "mark-read": { help: "mark what is shown as read" },
  limit: { value: "N", help: "how many messages (default 50)" },
  all: { help: "all messages, however many" },
  before: { value: "ID", help: "only what is older than this message" },
  since: { value: "CURSOR", help: "first what has happened since then (from --json)" },
  bell: { value: "WHEN", help: "on or off: ring for messages in other conversations" },
} as const satisfies Record<string, OptionRow>;

export type OptionName = keyof typeof OPTIONS;

/** Of every command that talks to a server. */
export const SERVER_OPTIONS = ["host", "config", "color", "help"] as const;
/** Of every command that signs in. */
export const SIGN_IN_OPTIONS = [...SERVER_OPTIONS, "user", "password-file"] as const;

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

  word<const W extends string>(name: OptionName, ...words: readonly W[]): W | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const word = words.find((one) => one === text);
    if (word === undefined) throw new UsageError(`--${name} ${text}: expected ${words.join(", ")}`);
    return word;
  }
}

/** Reads a command line. Throws {@linkcode UsageError}. */
export function parseOptions(args: readonly string[], names: readonly OptionName[]): Options {
  const rows = names.map((name): [OptionName, OptionRow] => [name, OPTIONS[name]]);
  const takingValue = rows.filter(([, { value }]) => value !== undefined).map(([name]) => name);
  const flags = rows.filter(([, { value }]) => value === undefined).map(([name]) => name);
  const parsed: Record<string, unknown> = parseArgs(args, {
    string: ["_", ...takingValue],
    collect: takingValue,
    boolean: flags,
    alias: { help: "h" },
    unknown(arg, key) {
      if (key === undefined) return true;
      throw new UsageError(`unknown option ${arg} (put -- before text that begins with -)`);
    },
  });
  const values = new Map<string, readonly string[] | true>();
  for (const name of flags) if (parsed[name] === true) values.set(name, true);
  for (const [name, row] of rows) {
    if (row.value === undefined) continue;
    const given = [parsed[name] ?? []].flat().map(String);
    if (given.includes("")) throw new UsageError(`--${name} needs a value: ${row.value}`);
    if (given.length > 1 && row.isRepeatable !== true) {
      throw new UsageError(`--${name} is given ${given.length} times`);
    }
    if (given.length > 0) values.set(name, given);
  }
  return new Options([parsed["_"] ?? []].flat().map(String), values);
}

/** A line of help for each option. */
export function describeOptions(names: readonly OptionName[]): string[] {
  const shown = names.map((name): [string, string] => {
    const row: OptionRow = OPTIONS[name];
    return [row.value === undefined ? `--${name}` : `--${name} ${row.value}`, row.help];
  });
  const width = Math.max(...shown.map(([left]) => left.length));
  return shown.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`);
}
