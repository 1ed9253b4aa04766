import type { EndOfInput } from "../dialog/dialog.ts";

type Entered = { readonly line: string } | { readonly end: EndOfInput };

/** Lines between the keyboard, or a pipe, and whoever takes them. */
export class EnteredLines {
  readonly #lines: string[] = [];
  readonly #source: { pause(): void; resume(): void };
  readonly #linesMax: number;
  #end: EndOfInput | undefined;
  #taker: ((entered: Entered) => void) | undefined;

  /** Pauses `source` while `linesMax` lines are waiting. */
  constructor(source: { pause(): void; resume(): void }, linesMax: number) {
    this.#source = source;
    this.#linesMax = linesMax;
  }

  push(line: string): void {
    if (this.#taker !== undefined) return this.#give({ line });
    this.#lines.push(line);
    if (this.#lines.length >= this.#linesMax) this.#source.pause();
  }

  /** After the lines that wait, or at once if somebody wants out. */
  end(why: EndOfInput): void {
    this.#end ??= why;
    if (why !== "end") this.#lines.length = 0;
    if (this.#lines.length === 0) this.#give({ end: this.#end });
  }

  next(): Promise<Entered> {
    const line = this.#lines.shift();
    if (line !== undefined) {
      if (this.#end === undefined && this.#lines.length < this.#linesMax / 2) this.#source.resume();
      return Promise.resolve({ line });
    }
    if (this.#end !== undefined) return Promise.resolve({ end: this.#end });
    return new Promise((resolve) => this.#taker = resolve);
  }

  #give(entered: Entered): void {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.(entered);
  }
}
