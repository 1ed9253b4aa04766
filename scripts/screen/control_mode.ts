import { TextLineStream } from "@std/streams";

export interface TerminalOptions {
  /** The program and its arguments, each as it is. */
  readonly command: readonly string[];
  readonly columns: number;
  readonly rows: number;
}

interface PendingCommand {
  readonly command: string;
  readonly resolve: (lines: string[]) => void;
  readonly reject: (error: Error) => void;
}

/** In UTF-16 units: what the program wrote before is not looked at any more. */
const OUTPUT_LENGTH_MAX = 1024 * 1024;
const OUTPUT_DEADLINE_MS = 60_000;

/**
 * A program on a terminal of tmux, which tells at once what the program writes: no asking again and
 * again, so that times can be measured. See CONTROL MODE in tmux(1).
 */
export class ControlModeTerminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #commands: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #pending: PendingCommand[] = [];
  /** The lines of a reply that has begun. */
  #reply: string[] | undefined;
  /** What the program wrote since somebody waits for it. */
  #output = "";
  #outputs = 0;
  #onOutput: () => void = () => undefined;
  #ended: Error | undefined;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#commands = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  static async start({ command, columns, rows }: TerminalOptions): Promise<ControlModeTerminal> {
    const size = ["-x", String(columns), "-y", String(rows)];
    const server = ["-u", "-L", `chat-screen-${crypto.randomUUID()}`, "-f", "/dev/null"];
    const child = new Deno.Command("tmux", {
      args: [...server, "-C", "new-session", ...size, command.map(quoted).join(" ")],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const terminal = new ControlModeTerminal(child);
    // Otherwise the terminal is as large as the one of nobody.
    await terminal.command(`refresh-client -C ${columns}x${rows}`);
    return terminal;
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    const codes = Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16));
    await this.command(`send-keys -H ${codes.join(" ")}`);
  }

  /** Presses keys by tmux's names. */
  async press(...keys: string[]): Promise<void> {
    await this.command(`send-keys ${keys.map(quoted).join(" ")}`);
  }

  /** What the terminal shows. */
  async screen(): Promise<string> {
    return (await this.command("capture-pane -p")).join("\n").trimEnd();
  }

  /** The process that tmux started. */
  async pid(): Promise<number> {
    const [pid] = await this.command('display-message -p "#{pane_pid}"');
    return Number(pid);
  }

  /** What the program writes from now on until `isEnough`. One wait at a time. */
  async nextOutput(isEnough: (output: string) => boolean): Promise<string> {
    const deadlineMs = performance.now() + OUTPUT_DEADLINE_MS;
    this.#output = "";
    while (!isEnough(this.#output)) await this.#outputAfter(this.#outputs, deadlineMs);
    return this.#output;
  }

  /** Waits until the terminal shows this, however long ago it was written. */
  async until(text: string | RegExp): Promise<string> {
    const deadlineMs = performance.now() + OUTPUT_DEADLINE_MS;
    for (;;) {
      const seen = this.#outputs;
      const screen = await this.screen();
      if (typeof text === "string" ? screen.includes(text) : text.test(screen)) return screen;
      await this.#outputAfter(seen, deadlineMs);
    }
  }

  /** The lines that tmux answers to one of its commands. */
  async command(command: string): Promise<string[]> {
    if (this.#ended !== undefined) throw this.#ended;
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    this.#pending.push({ command, resolve, reject });
    await this.#commands.write(new TextEncoder().encode(`${command}\n`));
    return await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === undefined) {
      // It answers by going away.
      await this.command("kill-server").catch(() => undefined);
    }
    await this.#commands.close().catch(() => undefined);
    await this.#reading;
    await this.#child.status;
  }

  async #outputAfter(seen: number, deadlineMs: number): Promise<void> {
    while (this.#outputs === seen) {
      if (this.#ended !== undefined) throw this.#ended;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) {
        throw new Error(
          `Cannot find what was waited for: last was ${JSON.stringify(this.#output)}`,
        );
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, leftMs);
      this.#onOutput = resolve;
      await promise;
      clearTimeout(timer);
    }
  }

  async #read(): Promise<void> {
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) this.#take(line);
    this.#ended = new Error("Cannot go on: tmux or the program on it has ended");
    for (const { reject } of this.#pending.splice(0)) reject(this.#ended);
    this.#onOutput();
  }

  #take(line: string): void {
    const [word = "", , , flags] = line.split(" ", 4);
    // Only what has the flag answers a command of ours.
    if (word === "%begin" && flags === "1") this.#reply = [];
    else if ((word === "%end" || word === "%error") && flags === "1") this.#answer(word === "%end");
    else if (this.#reply !== undefined) this.#reply.push(line);
    else if (word === "%output") {
      this.#takeOutput(line.slice(line.indexOf(" ", "%output ".length) + 1));
    }
  }

  #answer(isSuccess: boolean): void {
    const lines = this.#reply ?? [];
    this.#reply = undefined;
    const pending = this.#pending.shift();
    if (pending === undefined) throw new Error("Cannot place an answer: nothing was asked");
    if (isSuccess) pending.resolve(lines);
    else pending.reject(new Error(`Cannot run ${pending.command}: ${lines.join("; ")}`));
  }

  #takeOutput(escaped: string): void {
    const output = escaped.replaceAll(
      /\\([0-7]{3})/g,
      (_, octal) => String.fromCharCode(parseInt(octal, 8)),
    );
    this.#output = (this.#output + output).slice(-OUTPUT_LENGTH_MAX);
    this.#outputs++;
    this.#onOutput();
  }
}

/** As one word, to tmux and to a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
