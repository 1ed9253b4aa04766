/** `chat demo DIR`, typed on a terminal: from nothing to a cluster with TLS and somebody signed in. */

import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { unusedPort } from "../../server/testing/server_process.ts";
import { formatHost } from "../connection.ts";
import { answerSignUp } from "../testing/answer_sign_up.ts";
import { chat } from "../testing/chat_process.ts";
import { PaneRuns } from "../testing/pane_runs.ts";
import { EXIT } from "./exit_code.ts";
import { hasTmux, TmuxPane } from "../testing/tmux_pane.ts";

const ignore = !await hasTmux();
if (ignore) console.log("The tests of demo on a terminal are skipped: tmux is not installed");

const PASSWORD = "a long password";
const WIDE = { columns: 120, rows: 40 };

Deno.test({
  name: "two commands lead from nothing to three nodes with TLS and somebody who is signed in",
  ignore,
  async fn() {
    await using desk = await Desk.open();
    const ports = newPorts(6);
    const nodes = ["node1", "node2", "node3"].map((name, index) =>
      [`${name}=127.0.0.1`, ...ports.slice(2 * index, 2 * index + 2)].join(":")
    );
    await desk.runs.start(["cluster", "init", "lab", "--nodes", nodes.join(",")]);
    await desk.pane.until("ended with 0");
    await desk.runs.start(["demo", "lab"]);
    await answerSignUp(desk.pane, "carol", PASSWORD);
    await desk.pane.until("carol on node");
    const status = await chat(["status", "--config", desk.path("lab/servers.json")]);
    assertMatch(status.stdout, /all 3 equal\n$/);
    await Promise.all(ports.map(answersNothingInPlainText));
    await desk.runs.quit();

    // What was stored is there the next time.
    await desk.runs.start(["demo", "lab/"]);
    await desk.pane.until("Name:");
    await desk.pane.enter("carol");
    await desk.pane.until("Password:");
    await desk.pane.enter(PASSWORD);
    await desk.pane.until("carol on node");
    await desk.runs.quit();
    for (const port of ports) {
      const connecting = () => Deno.connect({ hostname: "127.0.0.1", port });
      await assertRejects(connecting, Deno.errors.ConnectionRefused);
    }
  },
});

Deno.test({
  name: "chat demo DIR runs nothing of a cluster on other machines, or where a node has no port",
  ignore,
  async fn() {
    await using desk = await Desk.open();
    await desk.chat("cluster", "init", desk.path("ship"), "--nodes", "a=127.0.0.1,b=10.0.0.2");
    await desk.runs.start(["demo", "ship"]);
    const refused = await desk.pane.until("ended with 2");
    assertStringIncludes(refused, "Cannot run the nodes of ship/servers.json: b is on 10.0.0.2");
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    try {
      const [grpc] = newPorts(1);
      const nodes = `a=127.0.0.1:${taken.addr.port}:${grpc}`;
      await desk.chat("cluster", "init", desk.path("lab"), "--nodes", nodes);
      await desk.runs.start(["demo", "lab"]);
      assertStringIncludes(await desk.pane.until("ended with 1"), "Cannot start a node");
    } finally {
      taken.close();
    }
  },
});

Deno.test("chat demo DIR without a terminal is a wrong usage", async () => {
  const { code, stdout, stderr } = await chat(["demo", "lab"]);
  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, "needs a terminal");
});

/** A terminal in an empty directory. */
class Desk implements AsyncDisposable {
  readonly pane: TmuxPane;
  readonly runs: PaneRuns;
  readonly #directory: string;

  private constructor(directory: string, pane: TmuxPane) {
    this.#directory = directory;
    this.pane = pane;
    this.runs = new PaneRuns(pane, this.path("chat.sh"), `cd ${directory};`);
  }

  static async open(): Promise<Desk> {
    return new Desk(
      await Deno.makeTempDir({ prefix: "chat-demo-test-" }),
      await TmuxPane.open(WIDE),
    );
  }

  path(name: string): string {
    return `${this.#directory}/${name}`;
  }

  /** Runs `chat` away from the terminal. */
  async chat(...args: readonly string[]): Promise<void> {
    const { code, stderr } = await chat(args);
    assertEquals([code, stderr], [0, ""]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pane[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function newPorts(count: number): number[] {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(unusedPort());
  return [...ports];
}

/** A client without the CA is told nothing. */
async function answersNothingInPlainText(port: number): Promise<void> {
  const { code } = await chat(["status", "--host", formatHost({ host: "127.0.0.1", port })]);
  assertEquals(code, EXIT.unreachable);
}
