/**
 * `deno task bench:first-use`: from nothing to a message that the other one has read, with ./chat, as
 * people do it who have read the README: `chat serve`, and `chat client` for each. What it takes is the
 * programs' time, of which nothing is a person's; tmux is the terminals. Needs port 9001.
 */

import { hasTmux, TmuxPane } from "../client/testing/tmux_pane.ts";
import { Scratch } from "../server/testing/scratch.ts";
import { print } from "./load/print.ts";

const CHAT = new URL("../chat", import.meta.url).pathname;
const PASSWORD = "a long password";

/** A terminal whose every line is written down. */
class Terminal implements AsyncDisposable {
  readonly #pane: TmuxPane;
  readonly #typed: string[];

  private constructor(pane: TmuxPane, typed: string[]) {
    this.#pane = pane;
    this.#typed = typed;
  }

  static async open(home: string, typed: string[]): Promise<Terminal> {
    const pane = await TmuxPane.open({ columns: 80, rows: 24 });
    await Deno.mkdir(home);
    await pane.enter(`cd ${home}; HOME=${home} XDG_CACHE_HOME=${Deno.env.get("HOME")}/.cache`);
    await pane.enter(
      `export HOME XDG_CACHE_HOME PATH="${CHAT.slice(0, -"/chat".length)}:$PATH"; clear`,
    );
    await pane.until(/^\$$/);
    return new Terminal(pane, typed);
  }

  /** Waits to be asked, and types. */
  async enter(text: string, asked?: string | RegExp): Promise<void> {
    if (asked !== undefined) await this.#pane.until(asked);
    this.#typed.push(text);
    await this.#pane.enter(text);
  }

  async press(key: string): Promise<void> {
    this.#typed.push(key);
    await this.#pane.press(key);
  }

  async until(text: string | RegExp): Promise<void> {
    await this.#pane.until(text);
  }

  async signUp(user: string): Promise<void> {
    await this.enter("chat client");
    await this.enter(user, "Name:");
    await this.enter("y", "Create it? [y/N]");
    await this.enter(PASSWORD, "New password:");
    await this.enter(PASSWORD, "The same again:");
    await this.until(`${user} on solo`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pane[Symbol.asyncDispose]();
  }
}

async function main(): Promise<void> {
  if (!await hasTmux()) {
    console.log("first use is not timed: tmux is not installed");
    return;
  }
  await using scratch = await Scratch.make();
  const typed: string[] = [];
  const open = (name: string) => Terminal.open(scratch.path(name), typed);
  await using node = await open("node");
  await using alice = await open("alice");
  await using bob = await open("bob");
  const startMs = performance.now();
  await node.enter("chat serve");
  await node.until("listening on 127.0.0.1:9001");
  await alice.signUp("alice");
  await bob.signUp("bob");
  await alice.enter("/msg bob hello");
  await bob.until(/alice +1/);
  await bob.press("M-1");
  await alice.until(/alice: hello {2}read/);
  print("from nothing to a message read", `${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  print("typed", typed.join(" ⏎ "));
}

if (import.meta.main) await main();
