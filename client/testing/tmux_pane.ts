const POLL_MS = 50;
const DEADLINE_MS = 20_000;
const SIZE: PaneSize = { columns: 80, rows: 40 };

export interface PaneSize {
  readonly columns: number;
  readonly rows: number;
}

/** What a program asked of its terminal, and is to take back. */
export interface PaneModes {
  readonly hasAlternateScreen: boolean;
  readonly hasVisibleCursor: boolean;
}

/** Whether tmux is installed. */
export async function hasTmux(): Promise<boolean> {
  try {
    return (await new Deno.Command("tmux", { args: ["-V"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A terminal with a shell in it, that a test types into and looks at. */
export class TmuxPane implements AsyncDisposable {
  /** A server of our own, so that no other session and no configuration matters. */
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  static async open(size: PaneSize = SIZE): Promise<TmuxPane> {
    const pane = new TmuxPane(`chat-test-${crypto.randomUUID()}`);
    const shell = ["new-session", "-d", ...sizeArguments(size), "env PS1='$ ' sh"];
    await pane.#tmux("-f", "/dev/null", ...shell);
    await pane.until(/^\$$/);
    return pane;
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", text);
  }

  /** Presses keys by tmux's names: `Enter`, `C-c`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async enter(text: string): Promise<void> {
    await this.type(text);
    await this.press("Enter");
  }

  /** Pastes text as a terminal does: in brackets if the program asked for them. */
  async paste(text: string): Promise<void> {
    await this.#tmuxWith(text, "load-buffer", "-");
    await this.#tmux("paste-buffer", "-p", "-d");
  }

  async resize(size: PaneSize): Promise<void> {
    await this.#tmux("resize-window", ...sizeArguments(size));
  }

  /** What the pane shows. */
  async screen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p")).trimEnd();
  }

  /** All rows of the pane as far as they were written, with the escape sequences that colour them. */
  async styled(): Promise<string> {
    return await this.#tmux("capture-pane", "-e", "-N", "-p");
  }

  /** Where the cursor is, from 0. */
  async cursor(): Promise<{ readonly column: number; readonly row: number }> {
    const [column, row] = await this.#formats("cursor_x", "cursor_y");
    return { column: Number(column), row: Number(row) };
  }

  async modes(): Promise<PaneModes> {
    const [alternate, cursor] = await this.#formats("alternate_on", "cursor_flag");
    return { hasAlternateScreen: alternate === "1", hasVisibleCursor: cursor === "1" };
  }

  /**
   * How the terminal is set, as `stty -a` says. Read from outside, so that it may be compared with
   * what it was before a program and while it runs.
   */
  async settings(): Promise<string> {
    const [terminal = ""] = await this.#formats("pane_tty");
    return await outputOf("sh", "-c", 'stty -a <"$1"', "sh", terminal);
  }

  /** The process that has the terminal: what the shell runs, or the shell. */
  async foregroundPid(): Promise<number> {
    const [shell = ""] = await this.#formats("pane_pid");
    return Number(await outputOf("ps", "-o", "tpgid=", "-p", shell));
  }

  /** Waits until the pane shows this; gives what it shows. */
  async until(text: string | RegExp): Promise<string> {
    const deadlineMs = performance.now() + DEADLINE_MS;
    for (;;) {
      const screen = await this.screen();
      if (typeof text === "string" ? screen.includes(text) : text.test(screen)) return screen;
      if (performance.now() > deadlineMs) {
        throw new Error(`Cannot find ${text} on the terminal, which shows:\n${screen}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
  }

  /** What tmux knows of the pane, by its names. */
  async #formats(...names: string[]): Promise<string[]> {
    const format = names.map((name) => `#{${name}}`).join(" ");
    return (await this.#tmux("display-message", "-p", format)).trimEnd().split(" ");
  }

  async #tmux(...args: string[]): Promise<string> {
    return await this.#tmuxWith("", ...args);
  }

  async #tmuxWith(input: string, ...args: string[]): Promise<string> {
    const child = new Deno.Command("tmux", {
      // UTF-8 whatever the locale.
      args: ["-u", "-L", this.#socket, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    // Most commands end without reading.
    await writer.write(new TextEncoder().encode(input)).catch(() => undefined);
    await writer.close().catch(() => undefined);
    const { success, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`Cannot run tmux ${args[0]}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }
}

async function outputOf(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot run ${program}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

function sizeArguments({ columns, rows }: PaneSize): string[] {
  return ["-x", String(columns), "-y", String(rows)];
}
