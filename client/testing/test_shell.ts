import { OutputClosedError, type Shell } from "../commands/shell.ts";

/** Surroundings without a terminal, which keep what a command says. */
export class TestShell implements Shell {
  readonly stdinIsTerminal = false;
  readonly stdoutIsTerminal = false;
  readonly stderrIsTerminal = false;
  readonly notes: string[] = [];
  stdout = "";
  readonly #env: Readonly<Record<string, string>>;
  readonly #files: Readonly<Record<string, string>>;
  readonly #onNote: (line: string) => void;
  #said = Promise.withResolvers<void>();
  #isOutputClosed = false;

  constructor(
    env: Readonly<Record<string, string>>,
    { files = {}, onNote = () => {} }: {
      files?: Readonly<Record<string, string>>;
      onNote?: (line: string) => void;
    } = {},
  ) {
    this.#env = env;
    this.#files = files;
    this.#onNote = onNote;
  }

  env(name: string): string | undefined {
    return this.#env[name];
  }

  readTextFile(path: string): Promise<string> {
    const text = this.#files[path];
    if (text !== undefined) return Promise.resolve(text);
    return Promise.reject(new Deno.errors.NotFound(`no ${path}`));
  }

  readStdin(): Promise<string> {
    return Promise.resolve("");
  }

  /** As when the reader of standard output leaves. */
  closeOutput(): void {
    this.#isOutputClosed = true;
  }

  write(text: string): Promise<void> {
    if (this.#isOutputClosed) return Promise.reject(new OutputClosedError("nobody reads"));
    this.stdout += text;
    this.#wake();
    return Promise.resolve();
  }

  note(line: string): void {
    this.notes.push(line);
    this.#onNote(line);
    this.#wake();
  }

  askSecret(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  onTermination(): () => void {
    return () => {};
  }

  /** Resolves when so many lines were written to standard output. */
  async linesWritten(count: number): Promise<string[]> {
    for (;;) {
      const lines = this.stdout.split("\n").slice(0, -1);
      if (lines.length >= count) return lines;
      await this.said;
    }
  }

  /** Resolves with the first note that has this in it. */
  async noted(part: string): Promise<string> {
    for (;;) {
      const found = this.notes.find((line) => line.includes(part));
      if (found !== undefined) return found;
      await this.said;
    }
  }

  /** Resolves when anything more is said. */
  get said(): Promise<void> {
    return this.#said.promise;
  }

  #wake(): void {
    this.#said.resolve();
    this.#said = Promise.withResolvers();
  }
}
