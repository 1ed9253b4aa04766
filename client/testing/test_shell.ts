import { OutputClosedError, type Shell } from "../commands/shell.ts";

const PRIVATE = 0o600;

/** Surroundings without a terminal, which keep what a command says. */
export class TestShell implements Shell {
  readonly stdinIsTerminal = false;
  readonly stdoutIsTerminal = false;
  readonly stderrIsTerminal = false;
  readonly notes: string[] = [];
  stdout = "";
  readonly #env: Readonly<Record<string, string>>;
  /** What there is, by path. */
  readonly files: Map<string, { readonly text: string; readonly mode: number }>;
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
    this.files = new Map(
      Object.entries(files).map(([path, text]) => [path, { text, mode: PRIVATE }]),
    );
    this.#onNote = onNote;
  }

  env(name: string): string | undefined {
    return this.#env[name];
  }

  readTextFile(path: string): Promise<string> {
    const file = this.files.get(path);
    if (file !== undefined) return Promise.resolve(file.text);
    return Promise.reject(new Deno.errors.NotFound(`no ${path}`));
  }

  modeOf(path: string): Promise<number | undefined> {
    return Promise.resolve(this.files.get(path)?.mode);
  }

  writePrivateFile(path: string, text: string): Promise<void> {
    this.files.set(path, { text, mode: PRIVATE });
    return Promise.resolve();
  }

  appendPrivateFile(path: string, text: string): Promise<void> {
    return this.writePrivateFile(path, (this.files.get(path)?.text ?? "") + text);
  }

  runCommand(): Promise<void> {
    return Promise.resolve();
  }

  wallMs(): number {
    return Date.now();
  }

  lendTerminal(): () => void {
    return () => {};
  }

  removeFile(path: string): Promise<void> {
    this.files.delete(path);
    return Promise.resolve();
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
