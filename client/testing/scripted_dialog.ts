import { assertEquals } from "@std/assert";
import type { Dialog } from "../dialog/dialog.ts";

/** A question, and the answer to it, or what happens before there is one. */
type Turn = readonly [question: string, answer: string | (() => Promise<string>)];

/** A person who is asked these questions, in this order, gives these answers, and then leaves. */
export class ScriptedDialog implements Dialog {
  readonly isInteractive = true;
  readonly printed: string[] = [];
  readonly #turns: Turn[];

  constructor(...turns: readonly Turn[]) {
    this.#turns = [...turns];
  }

  /** Whether everything was asked. */
  get isDone(): boolean {
    return this.#turns.length === 0;
  }

  async ask(question: string): Promise<string | undefined> {
    const [expected, answer] = this.#turns.shift() ?? [question, undefined];
    assertEquals(question, expected);
    return typeof answer === "function" ? await answer() : answer;
  }

  print(...lines: readonly string[]): void {
    this.printed.push(...lines);
  }
}
