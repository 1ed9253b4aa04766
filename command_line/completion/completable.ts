import type { OptionRow } from "../option.ts";
import type { Page } from "../page.ts";

/** What completion needs of a command. */
export type Completable = Pick<Page, "name" | "summary" | "options" | "operands">;

/** What may stand in a place: nothing that could be told, paths, or one of these words. */
export type Candidates = "none" | "file" | "directory" | readonly string[];

/** What an option's value may be; undefined if it takes none. */
export function candidatesOf(row: OptionRow): Candidates | undefined {
  if ("words" in row) return row.words;
  return "value" in row ? row.path ?? "none" : undefined;
}

/** What the words besides options may be. */
export function operandsOf({ operands }: Completable): Candidates {
  return operands?.words ?? operands?.path ?? "none";
}

/** The first words of commands, each once. */
export function firstWords(commands: readonly Completable[]): [word: string, summary: string][] {
  const summaries = new Map<string, string>();
  for (const { name, summary } of commands) {
    const [first = ""] = name.split(" ");
    summaries.set(first, summary);
  }
  return [...summaries];
}

/** The commands of two words, by the first. */
export function secondWords(
  commands: readonly Completable[],
): Map<string, { readonly word: string; readonly summary: string }[]> {
  const groups = new Map<string, { word: string; summary: string }[]>();
  for (const { name, summary } of commands) {
    const [first = "", word] = name.split(" ");
    if (word === undefined) continue;
    groups.set(first, [...groups.get(first) ?? [], { word, summary }]);
  }
  return groups;
}
