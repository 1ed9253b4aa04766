import type { Page } from "../page.ts";
import { bashScript } from "./bash.ts";
import type { Completable } from "./completable.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

/** The shells that there is a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type ShellName = (typeof SHELLS)[number];

const SCRIPTS: Record<ShellName, (commands: readonly Completable[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** A script by which a shell completes these commands, their options, and values. */
export function completionScript(shell: ShellName, pages: readonly Page[]): string {
  const help: Completable = {
    name: "help",
    summary: "Shows the manual page of a command.",
    options: [],
    operands: { usage: "COMMAND", min: 0, max: 2, words: pages.map(({ name }) => name) },
  };
  const version: Completable = { name: "version", summary: "Shows the version.", options: [] };
  return SCRIPTS[shell]([...pages, help, version]);
}
