import * as v from "valibot";
import type { InputLog } from "../screen/screen_client.ts";
import { OTHERS, type Shell } from "./shell.ts";

/** Inputs that are kept. */
const ENTRIES_MAX = 1_000;
/** Longer ones are not: nobody recalls them. */
const ENTRY_CHARACTERS_MAX = 2_000;

const entryShape = v.pipe(v.string(), v.parseJson(), v.string());

/**
 * What a person entered, in `$XDG_STATE_HOME/chat/history`: one JSON string a line, for its owner only.
 * Without a home directory nothing is kept.
 */
export class FileInputLog implements InputLog {
  readonly #shell: Shell;
  readonly #path: string | undefined;
  #lines = 0;

  constructor(shell: Shell) {
    this.#shell = shell;
    const home = shell.env("HOME");
    const directory = shell.env("XDG_STATE_HOME") || (home ? `${home}/.local/state` : undefined);
    this.#path = directory === undefined ? undefined : `${directory}/chat/history`;
  }

  async read(): Promise<readonly string[]> {
    if (this.#path === undefined) return [];
    const text = await this.#shell.readTextFile(this.#path).catch((error) => {
      if (error instanceof Error && error.name === "NotFound") return "";
      throw error;
    });
    const mode = await this.#shell.modeOf(this.#path) ?? 0;
    // Whoever copied it here may have let others at it.
    if ((mode & OTHERS) !== 0) await this.#shell.writePrivateFile(this.#path, text);
    const lines = text.split("\n").slice(0, -1);
    this.#lines = lines.length;
    // A line that is none of ours does no harm.
    return lines.slice(-ENTRIES_MAX).flatMap((line) => {
      const entry = v.safeParse(entryShape, line);
      return entry.success ? [entry.output] : [];
    });
  }

  async add(text: string): Promise<void> {
    if (this.#path === undefined || text.length > ENTRY_CHARACTERS_MAX) return;
    await this.#shell.appendPrivateFile(this.#path, `${JSON.stringify(text)}\n`);
    if (++this.#lines <= 2 * ENTRIES_MAX) return;
    const kept = await this.read();
    this.#lines = kept.length;
    const lines = kept.map((entry) => `${JSON.stringify(entry)}\n`);
    await this.#shell.writePrivateFile(this.#path, lines.join(""));
  }
}
