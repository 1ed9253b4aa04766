/** What is hard to meet by chance, each on three real nodes. */

import { assertEquals, assertGreaterOrEqual, assertNotEquals } from "@std/assert";
import { askNode } from "../../server/operator/control.ts";
import { CONVERGENCE_MS_MAX, scenario } from "../../server/testing/town.ts";
import type { WireClient } from "../../server/testing/wire_client.ts";

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

scenario(
  "a node that lost its disk gets the state of the others, who have compacted",
  async (town) => {
    const { cluster } = town;
    for (const text of ["one", "two"]) await town.send(0, text);
    const { id } = await town.send(2, "deleted");
    await cluster.converged(CONVERGENCE_MS_MAX);
    const node = cluster.node(2);
    await node.stop();
    await town.delete(0, id);
    for (const other of [0, 1]) await askNode(cluster.node(other).data, { command: "compact" });
    // What it had of the deleted message must not come back, what it missed must come.
    await node.start();
    await cluster.converged(CONVERGENCE_MS_MAX);
    assertEquals(await town.contents(2), ["one", "two"]);
    await node.stop();
    await node.wipe();
    await town.send(1, "three");
    await node.start();
    await town.send(2, "four");
    await cluster.converged(CONVERGENCE_MS_MAX);
    assertEquals(await town.contents(2), ["one", "two", "three", "four"]);
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
