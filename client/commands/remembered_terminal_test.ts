import { assert, assertEquals, assertNotMatch, assertStringIncludes } from "@std/assert";
import { formatHost } from "../connection.ts";
import { answerSignUp } from "../testing/answer_sign_up.ts";
import { chat } from "../testing/chat_process.ts";
import { PaneRuns } from "../testing/pane_runs.ts";
import { ScratchNode } from "../testing/scratch_node.ts";
import { hasTmux, TmuxPane } from "../testing/tmux_pane.ts";

const ignore = !await hasTmux();
if (ignore) console.log("The tests of what is remembered are skipped: tmux is not installed");

const PASSWORD = "a long password";

/** A node, and a terminal whose person has nothing in their home. */
class Desk implements AsyncDisposable {
  readonly host: string;
  readonly pane: TmuxPane;
  readonly runs: PaneRuns;
  readonly #node: ScratchNode;

  private constructor(node: ScratchNode, pane: TmuxPane) {
    this.#node = node;
    this.pane = pane;
    this.host = formatHost(node.host);
    const settings = `XDG_CONFIG_HOME=${this.env.XDG_CONFIG_HOME}`;
    this.runs = new PaneRuns(pane, `${node.scratch}/chat.sh`, settings);
  }

  static async open(): Promise<Desk> {
    return new Desk(await ScratchNode.start(), await TmuxPane.open());
  }

  get env(): Record<string, string> {
    return { XDG_CONFIG_HOME: `${this.#node.scratch}/settings` };
  }

  path(name: string): string {
    return `${this.#node.scratch}/settings/chat/${name}`;
  }

  /** alice signs up with these options, and leaves. */
  async signUp(...args: string[]): Promise<void> {
    await this.runs.start(["client", "--host", this.host, ...args]);
    await answerSignUp(this.pane, "alice", PASSWORD);
    await this.pane.until("alice on ");
    await this.runs.quit();
  }

  async exists(name: string): Promise<boolean> {
    return await Deno.stat(this.path(name)).then(() => true, () => false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pane[Symbol.asyncDispose]();
    await this.#node[Symbol.asyncDispose]();
  }
}

function deskTest(name: string, test: (desk: Desk) => Promise<void>): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using desk = await Desk.open();
      await test(desk);
    },
  });
}

deskTest(
  "client on a terminal remembers servers and user, and asks for the password only",
  async (desk) => {
    await desk.signUp();
    const config = desk.path("config.json");
    const remembered = { hosts: [desk.host], user: "alice" };
    assertEquals(JSON.parse(await Deno.readTextFile(config)), remembered);
    const modes = [config, desk.path("")].map((path) => (Deno.statSync(path).mode ?? 0) & 0o777);
    assertEquals(modes, [0o600, 0o700]);
    assertEquals(await desk.exists("credentials.json"), false);

    await desk.runs.start(["client"]);
    assertNotMatch(await desk.pane.until("Password:"), /Name:/);
    await desk.pane.enter(PASSWORD);
    await desk.pane.until("alice on ");
    await desk.runs.quit();
    assertEquals(await desk.exists("credentials.json"), false);
    const env = { ...desk.env, CHAT_PASSWORD: PASSWORD };
    assertEquals((await chat(["users"], { env })).stdout, "alice, online\n");
  },
);

deskTest("client --remember keeps the password, which is not asked for again", async (desk) => {
  await desk.signUp("--remember");
  const mode = (await Deno.stat(desk.path("credentials.json"))).mode ?? 0;
  assertEquals(mode & 0o777, 0o600);
  await desk.runs.start(["client"]);
  assertNotMatch(await desk.pane.until("alice on "), /Password|Name/);
  await desk.runs.quit();
  assertEquals((await chat(["users"], { env: desk.env })).stdout, "alice, online\n");
  // Another server must never see it.
  const { code, stderr } = await chat(["users", "--host", "127.0.0.1:1"], { env: desk.env });
  assertEquals(code, 2);
  assertStringIncludes(stderr, "no password");
});

deskTest(
  "client on a terminal asks again when the remembered password is wrong, and forgets it",
  async (desk) => {
    await desk.signUp("--remember");
    const credentials = desk.path("credentials.json");
    const kept = await Deno.readTextFile(credentials);
    const stale = kept.replace(PASSWORD, "an old password");
    for (const args of [["client"], ["users"]]) {
      await Deno.writeTextFile(credentials, stale, { mode: 0o600 });
      await desk.runs.start(args);
      const question = args[0] === "client" ? "Password:" : "Password of alice:";
      // However it was wrapped.
      const said = (await desk.pane.until(question)).replaceAll(/\s/g, "");
      assertStringIncludes(said, `thepasswordin${credentials}iswrong`);
      await desk.pane.enter(PASSWORD);
      if (args[0] === "client") {
        await desk.pane.until("alice on ");
        await desk.runs.quit();
      } else await desk.pane.until("ended with 0");
      assertEquals(await desk.exists("credentials.json"), false);
    }

    await Deno.writeTextFile(credentials, stale, { mode: 0o600 });
    await desk.runs.start(["client", "--remember"]);
    await desk.pane.until("Password:");
    await desk.pane.enter(PASSWORD);
    await desk.pane.until("alice on ");
    await desk.runs.quit();
    assertEquals(JSON.parse(await Deno.readTextFile(credentials)), JSON.parse(kept));

    await Deno.chmod(credentials, 0o644);
    await desk.runs.start(["client"]);
    const refused = (await desk.pane.until("ended with 2")).replaceAll("\n", "");
    assertStringIncludes(refused, `chmod 600 ${credentials}`);
  },
);

deskTest("client on a terminal goes on if it cannot remember, and says so", async (desk) => {
  // Nothing is there, and nothing can be made there.
  await Deno.symlink("/nonexistent/settings", desk.env.XDG_CONFIG_HOME ?? "");
  await desk.runs.start(["client", "--host", desk.host, "--user", "alice", "--create"]);
  await desk.pane.until("New password:");
  await desk.pane.enter(PASSWORD);
  await desk.pane.until("The same again:");
  await desk.pane.enter(PASSWORD);
  const said = await desk.pane.until("alice on ");
  assertStringIncludes(said, "chat: Cannot remember who has signed in: ");
  await desk.runs.quit();
});

deskTest("demo's client neither reads nor writes what is remembered", async (desk) => {
  await Deno.mkdir(desk.path(""), { recursive: true });
  const mine = JSON.stringify({ user: "fred", hosts: ["127.0.0.1:1"] });
  await Deno.writeTextFile(desk.path("config.json"), mine);
  await desk.runs.start(["demo"]);
  await answerSignUp(desk.pane, "carol", PASSWORD);
  await desk.pane.until("carol on ");
  await desk.runs.quit();
  assertEquals(await Deno.readTextFile(desk.path("config.json")), mine);
  assert(!await desk.exists("credentials.json"));
});
