import process from "node:process";
import * as readline from "node:readline";
import { Writable } from "node:stream";
import { EnteredLines } from "./entered_lines.ts";
import type { EndOfInput } from "../dialog/dialog.ts";
import type { LineScreen } from "./line_screen.ts";

/** Lines that were entered and not taken; then no more are read. */
const WAITING_LINES_MAX = 100;
const BELL = "\x07";

/** What node:readline keeps and its types do not tell. */
interface ReadlineInternals {
  /** The row of the prompt's block that the cursor is in, as of the last time it was drawn. */
  prevRows: number;
  history: string[];
}

/** Standard output, or nothing while a secret is typed. */
class MutableOutput extends Writable {
  isMuted = false;

  constructor() {
    super({
      write: (chunk, _encoding, done) => {
        if (!this.isMuted) process.stdout.write(chunk);
        done();
      },
    });
    process.stdout.on("resize", () => this.emit("resize"));
  }

  get columns(): number {
    return process.stdout.columns || 80;
  }
}

/** Completes what is typed: the whole lines it may become. */
export type Completer = (line: string) => string[];

/** The terminal, in lines: with editing and recall, and room above for what comes in. */
export class ReadlineScreen implements LineScreen {
  readonly isInteractive = true;
  readonly #output = new MutableOutput();
  readonly #readline: readline.Interface & Partial<ReadlineInternals>;
  readonly #lines: EnteredLines;
  readonly #restore = () => this.#close();
  #prompt = "> ";
  /** A hidden question that is open. */
  #secret: string | undefined;
  #isClosed = false;
  /** Ctrl+D closes readline by itself. */
  #hasEnded = false;

  constructor(completer: Completer) {
    this.#readline = readline.createInterface({
      input: process.stdin,
      output: this.#output,
      terminal: true,
      prompt: "",
      completer: (line: string) => [completer(line), line],
    });
    this.#lines = new EnteredLines(this.#readline, WAITING_LINES_MAX);
    this.#readline.on("line", (line) => this.#lines.push(line));
    this.#readline.on("SIGINT", () => this.#lines.end("interrupt"));
    this.#readline.on("close", () => {
      this.#hasEnded = true;
      this.#lines.end("end");
    });
    // However the program ends, the terminal is as before.
    globalThis.addEventListener("unload", this.#restore);
  }

  async next(): Promise<{ readonly line: string } | { readonly end: EndOfInput }> {
    this.#show(this.#prompt);
    const entered = await this.#lines.next();
    this.#readline.setPrompt("");
    return entered;
  }

  async ask(question: string, { isHidden = false } = {}): Promise<string | undefined> {
    this.#show(question);
    if (isHidden) {
      this.#secret = question;
      this.#output.isMuted = true;
    }
    const entered = await this.#lines.next();
    if (isHidden) {
      this.#output.isMuted = false;
      this.#secret = undefined;
      this.#output.write("\n");
    }
    // Answers are not for recall, least of all secrets.
    if ("line" in entered && this.#readline.history?.[0] === entered.line) {
      this.#readline.history.shift();
    }
    this.#readline.setPrompt("");
    return "line" in entered ? entered.line : undefined;
  }

  print(...lines: readonly string[]): void {
    const { rows } = this.#secret === undefined ? this.#readline.getCursorPos() : { rows: 0 };
    this.#output.isMuted = false;
    readline.moveCursor(this.#output, 0, -rows);
    readline.cursorTo(this.#output, 0);
    readline.clearScreenDown(this.#output);
    this.#output.write(lines.map((line) => `${line}\n`).join(""));
    this.#readline.prevRows = 0;
    if (this.#isClosed) return;
    if (this.#secret === undefined) return this.#readline.prompt(true);
    this.#output.write(this.#secret);
    this.#output.isMuted = true;
  }

  setPrompt(prompt: string): void {
    this.#prompt = prompt;
  }

  ring(): void {
    process.stdout.write(BELL);
  }

  end(why: EndOfInput): void {
    this.#lines.end(why);
  }

  close(): Promise<void> {
    this.#close();
    return Promise.resolve();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    globalThis.removeEventListener("unload", this.#restore);
    this.#output.isMuted = false;
    if (this.#hasEnded) return void process.stdout.write("\n");
    // Below what was being typed, wherever in it the cursor was.
    this.#readline.write(null, { ctrl: true, name: "e" });
    const hasPrompt = this.#readline.getCursorPos().cols > 0;
    this.#readline.close();
    if (hasPrompt) process.stdout.write("\n");
  }

  #show(prompt: string): void {
    this.#readline.setPrompt(prompt);
    this.#readline.prompt(true);
  }
}

/** A script instead of a person: lines from standard input, nothing asked, nothing drawn. */
export class PipedScreen implements LineScreen {
  readonly isInteractive = false;
  readonly #readline = readline.createInterface({ input: process.stdin, terminal: false });
  readonly #lines = new EnteredLines(this.#readline, WAITING_LINES_MAX);
  readonly #write: (text: string) => Promise<void>;
  #written = Promise.resolve();

  /** `write` takes what is printed. */
  constructor(write: (text: string) => Promise<void>) {
    this.#write = write;
    this.#readline.on("line", (line) => this.#lines.push(line));
    this.#readline.on("close", () => this.#lines.end("end"));
  }

  next(): Promise<{ readonly line: string } | { readonly end: EndOfInput }> {
    return this.#lines.next();
  }

  ask(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  print(...lines: readonly string[]): void {
    const text = lines.map((line) => `${line}\n`).join("");
    this.#written = this.#written.then(() => this.#write(text));
  }

  setPrompt(): void {}

  ring(): void {}

  end(why: EndOfInput): void {
    this.#lines.end(why);
  }

  async close(): Promise<void> {
    this.#readline.close();
    await this.#written;
  }
}
