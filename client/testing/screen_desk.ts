import { formatHost, type Host } from "../connection.ts";
import { answerSignUp } from "./answer_sign_up.ts";
import { CHAT } from "./chat_process.ts";
import { type PaneSize, TmuxPane } from "./tmux_pane.ts";

/** What everybody's password is. */
export const DESK_PASSWORD = "a long password";
const SIZE: PaneSize = { columns: 80, rows: 24 };

/** Somebody at a terminal of their own, with `chat client` on it and a home with nothing in it. */
export class ScreenDesk implements AsyncDisposable {
  readonly pane: TmuxPane;
  readonly home: string;

  private constructor(pane: TmuxPane, home: string) {
    this.pane = pane;
    this.home = home;
  }

  static async open(size = SIZE): Promise<ScreenDesk> {
    const home = await Deno.makeTempDir({ prefix: "chat-test-" });
    return new ScreenDesk(await TmuxPane.open(size), home);
  }

  /** Starts the client; nothing else is on the terminal. */
  async start(hosts: readonly Host[], ...options: readonly string[]): Promise<void> {
    const servers = hosts.flatMap((host) => ["--host", formatHost(host)]);
    const words = [...CHAT, "client", ...servers, ...options].join(" ");
    // In a script, so that the pane shows what is said and not how it was called.
    const script = `cd ${this.home}\nexport XDG_CONFIG_HOME=${this.home}/config ` +
      `XDG_STATE_HOME=${this.home}/state\nexec ${words}\n`;
    await Deno.writeTextFile(`${this.home}/client.sh`, script);
    await this.pane.enter(`clear; sh ${this.home}/client.sh`);
  }

  /** Starts the client, and signs up as somebody new. */
  async signUp(
    user: string,
    hosts: readonly Host[],
    ...options: readonly string[]
  ): Promise<void> {
    await this.start(hosts, ...options);
    await answerSignUp(this.pane, user, DESK_PASSWORD);
    await this.pane.until(`${user} on `);
  }

  /** Starts the client, and signs in as somebody who is known. */
  async signIn(
    user: string,
    hosts: readonly Host[],
    ...options: readonly string[]
  ): Promise<void> {
    await this.start(hosts, "--user", user, ...options);
    await this.pane.until("Password:");
    await this.pane.enter(DESK_PASSWORD);
    await this.pane.until(`${user} on `);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pane[Symbol.asyncDispose]();
    await Deno.remove(this.home, { recursive: true });
  }
}
