/**
 * `deno task picture FILE.svg`: a picture of what `chat client` shows on a terminal. It is what tmux
 * shows of a real client of three real nodes, of which one is killed, so it needs tmux.
 */

import { ChatClient, formatHost, type Host } from "../client/connection.ts";
import { denoOutside } from "../client/deno_outside.ts";
import { CHAT } from "../client/testing/chat_process.ts";
import { type PaneSize, TmuxPane } from "../client/testing/tmux_pane.ts";
import { ClusterProcesses } from "../server/testing/cluster_processes.ts";
import { Scratch } from "../server/testing/scratch.ts";
import { fromSource } from "../server/testing/server_process.ts";
import { svgOf } from "./picture/svg.ts";

/** Brings a terminal to where its picture is to be taken. */
interface Scenario {
  readonly title: string;
  readonly size: PaneSize;
  /** The shell in `pane` knows `chat` by its name. */
  readonly play: (pane: TmuxPane, hosts: readonly Host[]) => Promise<void>;
}

const PASSWORD = "a long password";

/** Two people who run a ship talk, and a script tells of something, while a node is down. */
export const conversation: Scenario = {
  title: "chat client",
  size: { columns: 90, rows: 16 },
  async play(pane, hosts) {
    await using bob = await signUp("bob", hosts);
    await using ops = await signUp("ops", hosts);
    await using alice = await signUp("alice", hosts);
    await bob.send("alice", "Morning! Is the pump room still at 71 °C?");
    await alice.readMessages("bob");
    await alice.send("bob", "No, 64 since the filter was changed.");
    await bob.readMessages("alice");
    await alice.send("bob", "I left the log on the bridge:\n  02:10  71 °C\n  02:40  64 °C");
    await bob.send("alice", "Danke. 了解です 👍");
    await bob.send("alice", "One of the three machines has no power, by the way. Nothing is lost.");
    await ops.send("alice", "disk full on nas-2");
    await ops.send("alice", "disk full on nas-3");
    const servers = hosts.map((host) => `--host ${formatHost(host)}`).join(" ");
    await pane.enter(`clear; chat client --user alice ${servers}`);
    await pane.until("Password:");
    await pane.enter(PASSWORD);
    await pane.until("alice on node1");
    await pane.enter("/msg bob");
    await pane.until("by the way");
    await pane.enter("I saw. It is on two, so that can wait.");
    await pane.until(/wait\. {2}stored on 2 nodes/);
    await pane.type("I bring coffee");
    await pane.until(/node3 unreachable[^]*> I bring coffee$/);
  },
};

if (import.meta.main) {
  const [file] = Deno.args;
  if (file === undefined) throw new Error("Cannot draw a picture: no file is named");
  await Deno.writeTextFile(file, await drawn(conversation));
}

/** The picture, as SVG. */
export async function drawn({ title, size, play }: Scenario): Promise<string> {
  await using scratch = await Scratch.make();
  const directory = scratch.path("ship");
  await Deno.mkdir(directory);
  await using cluster = await ClusterProcesses.start({ program: fromSource, directory });
  await using pane = await TmuxPane.open(size);
  const program = `${directory}/chat`;
  await Deno.writeTextFile(program, `#!/bin/sh\nexec ${CHAT.join(" ")} "$@"\n`, { mode: 0o755 });
  const home = `XDG_CONFIG_HOME=${directory}/config XDG_STATE_HOME=${directory}/state`;
  await pane.enter(`unset NO_COLOR; export PATH="${directory}:$PATH" ${home}; clear`);
  await pane.until(/^\$$/);
  await cluster.node(2).stop("SIGKILL");
  await play(pane, cluster.hosts);
  return svgOf(await pane.styled(), { ...size, title });
}

async function signUp(user: string, hosts: readonly Host[]): Promise<ChatClient> {
  const client = new ChatClient({ hosts, outside: denoOutside });
  await client.signIn({ user, password: PASSWORD, create: true });
  return client;
}
