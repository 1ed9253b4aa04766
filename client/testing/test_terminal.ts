import { type Frame, frameText } from "../screen/frame.ts";
import type { Size } from "../screen/model.ts";
import type { Terminal, TerminalListener } from "../screen/terminal.ts";

const DEADLINE_MS = 20_000;

/** A terminal without a screen: a test presses keys, and reads frames as text. */
export class TestTerminal implements Terminal {
  size: Size;
  readonly signals: string[] = [];
  isClosed = false;
  #listener: TerminalListener | undefined;
  #shown = "";
  #more = Promise.withResolvers<void>();

  constructor(size: Size = { columns: 80, rows: 24 }) {
    this.size = size;
  }

  listen(listener: TerminalListener): void {
    this.#listener = listener;
  }

  draw(frame: Frame): void {
    this.#shown = frameText(frame);
    this.#wake();
  }

  forget(): void {}

  signal(sequence: string): void {
    this.signals.push(sequence);
    this.#wake();
  }

  close(): void {
    this.isClosed = true;
  }

  press(...keys: readonly string[]): void {
    for (const key of keys) this.#listener?.onPress({ kind: "key", key });
  }

  type(text: string): void {
    this.#listener?.onPress({ kind: "text", text });
  }

  enter(text: string): void {
    this.type(text);
    this.press("enter");
  }

  resize(columns: number, rows: number): void {
    this.size = { columns, rows };
    this.#listener?.onResize(this.size);
  }

  /** What was drawn last. */
  get shown(): string {
    return this.#shown;
  }

  /** Resolves with what is shown once that has this in it. */
  async until(wanted: string | RegExp): Promise<string> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`Cannot find ${wanted} in what is shown:\n${this.#shown}`)),
      DEADLINE_MS,
    );
    try {
      for (;;) {
        const shown = this.#shown;
        if (typeof wanted === "string" ? shown.includes(wanted) : wanted.test(shown)) return shown;
        await Promise.race([this.#more.promise, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}
