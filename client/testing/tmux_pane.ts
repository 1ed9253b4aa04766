const POLL_MS = 50;
const DEADLINE_MS = 20_000;
/** In columns and rows. */
const SIZE = ["-x", "80", "-y", "40"];

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

  static async open(): Promise<TmuxPane> {
    const pane = new TmuxPane(`chat-test-${crypto.randomUUID()}`);
    await pane.#tmux("-f", "/dev/null", "new-session", "-d", ...SIZE, "env PS1='$ ' sh");
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

  /** What the pane shows. */
  async screen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p")).trimEnd();
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

  async #tmux(...args: string[]): Promise<string> {
    const command = new Deno.Command("tmux", { args: ["-L", this.#socket, ...args] });
    const { success, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`Cannot run tmux ${args[0]}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }
}
