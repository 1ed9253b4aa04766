import { EnteredLines } from "../lines/entered_lines.ts";
import type { EndOfInput } from "../dialog/dialog.ts";
import type { LineScreen } from "../lines/line_screen.ts";

const NEVER_FULL = { pause() {}, resume() {} };

/** A screen without a person: a test enters lines and answers, and reads what is printed. */
export class TestScreen implements LineScreen {
  readonly isInteractive = false;
  readonly printed: string[] = [];
  readonly #lines = new EnteredLines(NEVER_FULL, Infinity);
  #more = Promise.withResolvers<void>();

  enter(line: string): void {
    this.#lines.push(line);
  }

  next(): Promise<{ readonly line: string } | { readonly end: EndOfInput }> {
    return this.#lines.next();
  }

  ask(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  print(...lines: readonly string[]): void {
    this.printed.push(...lines);
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  setPrompt(): void {}

  ring(): void {}

  end(why: EndOfInput): void {
    this.#lines.end(why);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Resolves with the first line printed that has this in it. */
  async until(part: string): Promise<string> {
    for (;;) {
      const found = this.printed.find((line) => line.includes(part));
      if (found !== undefined) return found;
      await this.#more.promise;
    }
  }
}
