import { parseArgs } from "@std/cli/parse-args";
import { didYouMean, nearest } from "./nearest.ts";
import { type NamedOption, NO_OPERANDS, type Operands, valueOf } from "./option.ts";
import { UsageError } from "./usage_error.ts";

export interface CommandLine {
  readonly operands: readonly string[];
  /** By name, those that are given: the values, or true for what takes none. */
  readonly values: ReadonlyMap<string, readonly string[] | true>;
}

/** Reads the options and operands of a command. Throws {@linkcode UsageError}. */
export function parseCommandLine(
  args: readonly string[],
  options: readonly NamedOption[],
): CommandLine {
  const takesValue = ({ row }: NamedOption) => valueOf(row) !== undefined;
  const taking = options.filter(takesValue).map(({ name }) => name);
  const flags = options.filter((one) => !takesValue(one)).map(({ name }) => name);
  const parsed: Record<string, unknown> = parseArgs(args, {
    string: ["_", ...taking],
    collect: taking,
    boolean: flags,
    alias: { help: "h" },
    unknown(arg, key) {
      if (key === undefined) return true;
      throw unknownOption(arg, options);
    },
  });
  const values = new Map<string, readonly string[] | true>();
  for (const name of flags) if (parsed[name] === true) values.set(name, true);
  for (const option of options.filter(takesValue)) {
    const given = [parsed[option.name] ?? []].flat().map(String);
    checkValues(option, given);
    if (given.length > 0) values.set(option.name, given);
  }
  return { operands: [parsed["_"] ?? []].flat().map(String), values };
}

/** Throws {@linkcode UsageError} for too few or too many, and for a word that is none of the row's. */
export function checkOperands(
  given: readonly string[],
  { min, max, words }: Operands = NO_OPERANDS,
): void {
  if (given.length < min) throw new UsageError("it needs more than that");
  if (given.length > max) throw new UsageError("it does not take that many words");
  const [first] = given;
  if (words !== undefined && first !== undefined) checkWord(first, first, words);
}

function unknownOption(arg: string, options: readonly NamedOption[]): UsageError {
  const [written = ""] = arg.split("=");
  const known = options.map(({ name }) => `--${name}`);
  const meant = written.startsWith("--") ? nearest(written, known) : undefined;
  const advice = didYouMean(meant) || " (put -- before text that begins with -)";
  return new UsageError(`unknown option ${written}${advice}`);
}

function checkValues({ name, row }: NamedOption, given: readonly string[]): void {
  if (given.includes("")) throw new UsageError(`--${name} needs a value: ${valueOf(row)}`);
  const isRepeatable = "value" in row && row.isRepeatable === true;
  if (given.length > 1 && !isRepeatable) {
    throw new UsageError(`--${name} is given ${given.length} times`);
  }
  if (!("words" in row)) return;
  for (const text of given) checkWord(`--${name} ${text}`, text, row.words);
}

function checkWord(what: string, text: string, words: readonly string[]): void {
  if (words.includes(text)) return;
  throw new UsageError(
    `${what}${didYouMean(nearest(text, words)) || `: expected ${words.join(", ")}`}`,
  );
}
