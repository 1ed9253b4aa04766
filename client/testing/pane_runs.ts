import { CHAT } from "./chat_process.ts";
import type { TmuxPane } from "./tmux_pane.ts";

/** Runs `chat` on a terminal, time and again. */
export class PaneRuns {
  readonly #pane: TmuxPane;
  readonly #script: string;
  readonly #before: string;
  #count = 0;

  /** `script` is a file of its own to write commands to; `before` is the beginning of each. */
  constructor(pane: TmuxPane, script: string, before: string) {
    this.#pane = pane;
    this.#script = script;
    this.#before = before;
  }

  /** Resolves when the terminal shows nothing else. */
  async start(args: readonly string[]): Promise<void> {
    const run = `run ${++this.#count}`;
    const command = `${this.#before} ${[...CHAT, ...args].join(" ")}`;
    const lines = ["clear", `echo "${run}"`, command, 'echo "ended with $?"', ""];
    await Deno.writeTextFile(this.#script, lines.join("\n"));
    await this.#pane.enter(`sh ${this.#script}`);
    // Until then the terminal shows what was before.
    await this.#pane.until(run);
  }

  async quit(): Promise<void> {
    await this.#pane.until(/^> $|^>$/m);
    await this.#pane.enter("/quit");
    await this.#pane.until("ended with 0");
  }
}
