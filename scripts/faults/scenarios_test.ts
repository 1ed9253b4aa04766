/** What is hard to meet by chance, each on three real nodes. */

import { assertEquals, assertGreaterOrEqual, assertNotEquals } from "@std/assert";
import type { ReplyPayload } from "../../codec/message.ts";
import { ClusterProcesses } from "../../server/testing/cluster_processes.ts";
import { fromSource } from "../../server/testing/server_process.ts";
import { type Credentials, signUp, WireClient } from "../../server/testing/wire_client.ts";

const CONVERGENCE_MS_MAX = 10_000;
const PASSWORD = "correct horse";

scenario("two nodes that are cut off from each other talk through the third", async (town) => {
  const { cluster } = town;
  cluster.cut(0, 1);
  const [onA, onB] = await Promise.all([town.bob(0), town.alice(1)]);
  for (const client of [onA, onB]) {
    await client.expect("done", { kind: "subscribe", payload: {} });
  }
  const fromA = await town.send(0, "over there?");
  const fromB = await town.answer(1, "here!");
  assertEquals(await messageEvents(onB, 2), ["over there?", "here!"].sort());
  assertEquals(await messageEvents(onA, 2), ["over there?", "here!"].sort());
  for (const { copies } of [fromA, fromB]) assertGreaterOrEqual(copies, 2);
  await cluster.converged(CONVERGENCE_MS_MAX);
  for (const client of [onA, onB]) client.close();
});

scenario(
  "a node that is not heard by one of the others is heard through the third",
  async (town) => {
    town.cluster.cutOneWay(0, 1);
    await town.send(0, "from who is not heard");
    await town.send(1, "from who does not hear");
    await town.cluster.converged(CONVERGENCE_MS_MAX);
    town.cluster.mend(0, 1);
    await town.send(0, "heard again");
    await town.cluster.converged(CONVERGENCE_MS_MAX);
    assertEquals((await town.contents(1)).length, 3);
  },
);

scenario(
  "a node that nobody hears serves its clients, and is heard when that is over",
  async (town) => {
    const { cluster } = town;
    for (const other of [1, 2]) cluster.cutOneWay(0, other);
    const lonely = await town.send(0, "to myself");
    const { copies } = await town.send(1, "to most");
    assertEquals([lonely.copies, copies], [1, 2]);
    for (const other of [1, 2]) cluster.mend(0, other);
    await cluster.converged(CONVERGENCE_MS_MAX);
    assertEquals(await town.contents(2), ["to myself", "to most"]);
  },
);

scenario("what is on two nodes survives the disk of the node that took it", async (town) => {
  const { cluster } = town;
  const contents = Array.from({ length: 20 }, (_, index) => `message ${index}`);
  const sent = await Promise.all(contents.map((content) => town.send(0, content)));
  await cluster.node(0).stop("SIGKILL");
  await cluster.node(0).wipe();
  for (const { copies } of sent) assertGreaterOrEqual(copies, 2);
  await cluster.node(0).start();
  const whenServing = await town.contents(0);
  await cluster.converged(CONVERGENCE_MS_MAX);
  assertEquals((await town.contents(2)).sort(), contents.toSorted());
  assertEquals(whenServing.sort(), contents.toSorted(), "a wiped node catches up, then serves");
});

scenario("a node whose data is an old copy catches up, and brings nothing back", async (town) => {
  const { cluster } = town;
  const node = cluster.node(2);
  const { id } = await town.send(2, "to be deleted");
  await town.send(2, "early");
  await cluster.converged(CONVERGENCE_MS_MAX);
  await node.stop();
  const backup = `${node.data}-backup`;
  await copy(node.data, backup);
  await node.start();
  await town.delete(2, id);
  await town.send(2, "late");
  await cluster.converged(CONVERGENCE_MS_MAX);
  const before = await node.status();

  await node.stop();
  // Over the same files, as a restore does that nobody notices.
  await copy(backup, node.data);
  await node.start();
  await town.send(2, "after");
  await cluster.converged(CONVERGENCE_MS_MAX);
  const after = await node.status();
  assertNotEquals(after.origin, before.origin, "the old epoch's numbers were used already");
  for (const index of [0, 1, 2]) {
    assertEquals(await town.contents(index), ["early", "late", "after"]);
  }
});

scenario("a node that starts on a copy of another one's data is itself", async (town) => {
  const { cluster } = town;
  await town.send(0, "on node1");
  await town.send(2, "on node3");
  await cluster.converged(CONVERGENCE_MS_MAX);
  await Promise.all([0, 2].map((index) => cluster.node(index).stop()));
  await cluster.node(2).wipe();
  await copy(cluster.node(0).data, cluster.node(2).data);
  await Promise.all([0, 2].map((index) => cluster.node(index).start()));
  await town.send(2, "after");
  await town.send(0, "after that");
  await cluster.converged(CONVERGENCE_MS_MAX);
  const status = await cluster.node(2).status();
  assertEquals(status.origin.split(".")[0], "node3");
  const everything = ["on node1", "on node3", "after", "after that"];
  for (const index of [0, 1, 2]) assertEquals(await town.contents(index), everything);
});

/** Three nodes, and alice and bob, who are known on all of them. */
class Town {
  readonly cluster: ClusterProcesses;
  readonly #alice: Credentials;
  readonly #bob: Credentials;

  private constructor(cluster: ClusterProcesses, alice: Credentials, bob: Credentials) {
    this.cluster = cluster;
    this.#alice = alice;
    this.#bob = bob;
  }

  static async found(cluster: ClusterProcesses): Promise<Town> {
    const { port } = cluster.node(0);
    const names = ["alice", "bob"];
    const [alice, bob] = await Promise.all(names.map((name) => signUp(port, name, PASSWORD)));
    if (alice === undefined || bob === undefined) throw new Error("Cannot sign up");
    await cluster.converged(CONVERGENCE_MS_MAX);
    return new Town(cluster, alice, bob);
  }

  /** A connection to one node, signed in. */
  alice(node: number): Promise<WireClient> {
    return WireClient.resumed(this.cluster.node(node).port, this.#alice);
  }

  bob(node: number): Promise<WireClient> {
    return WireClient.resumed(this.cluster.node(node).port, this.#bob);
  }

  /** From alice to bob, on one node. */
  async send(node: number, content: string): Promise<ReplyPayload<"sent">> {
    return await this.#send(await this.alice(node), "bob", content);
  }

  /** From bob to alice. */
  async answer(node: number, content: string): Promise<ReplyPayload<"sent">> {
    return await this.#send(await this.bob(node), "alice", content);
  }

  async delete(node: number, id: string): Promise<void> {
    const client = await this.alice(node);
    const { count } = await client.expect("done", { kind: "delete_messages", payload: [id] });
    assertEquals(count, 1);
    client.close();
  }

  /** Of their conversation, as one node has it, oldest first. */
  async contents(node: number): Promise<string[]> {
    const client = await this.bob(node);
    const payload = { with: "alice" };
    const messages = await client.expect("messages", { kind: "list_messages", payload });
    client.close();
    return messages.map(({ content }) => content);
  }

  async #send(client: WireClient, to: string, content: string): Promise<ReplyPayload<"sent">> {
    const sent = await client.expect("sent", { kind: "send_message", payload: { to, content } });
    client.close();
    return sent;
  }
}

function scenario(name: string, play: (town: Town) => Promise<void>): void {
  Deno.test(name, async () => {
    const directory = await Deno.makeTempDir({ prefix: "chat-scenario-" });
    {
      await using cluster = await ClusterProcesses.start({ program: fromSource, directory });
      try {
        await play(await Town.found(cluster));
      } catch (cause) {
        // A node that is gone explains what its clients met with.
        const mishaps = cluster.nodes.flatMap((node) => node.takeMishaps()).join("; ");
        throw new Error(`see ${directory}; mishaps: ${mishaps || "none"}`, { cause });
      }
      for (const node of cluster.nodes) assertEquals(node.takeMishaps(), []);
    }
    await Deno.remove(directory, { recursive: true });
  });
}

/** The contents of the next so many MESSAGE events, sorted: others do not count. */
async function messageEvents(client: WireClient, count: number): Promise<string[]> {
  const contents: string[] = [];
  while (contents.length < count) {
    const event = await client.event();
    if (event.kind === "message") contents.push(event.payload.content);
  }
  return contents.sort();
}

/** Copies a directory's files, over those of the same names if it is there. */
async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
