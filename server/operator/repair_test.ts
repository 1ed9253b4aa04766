/** A node's disk is damaged, and made whole from the others: real processes, as an operator would. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { chat, type Finished } from "../../client/testing/chat_process.ts";
import type { NodeProcess } from "../testing/cluster_processes.ts";
import { CONVERGENCE_MS_MAX, scenario, type Town } from "../testing/town.ts";
import { askNode } from "./control.ts";

/** What a repair makes. */
const SEGMENT = "journal-00000001.jsonl";

scenario("a flipped bit in the journal is found, and mended from the other nodes", async (town) => {
  const node = await writtenNode(town);
  await flipBit(join(node.data, "journal-00000002.jsonl"), "message 7");
  await assertRepairs(town, node, /journal-00000002\.jsonl:\d+ byte \d+: .*wrong checksum/);
});

scenario(
  "a flipped bit in the snapshot is found, and mended from the other nodes",
  async (town) => {
    const node = await writtenNode(town);
    await flipBit(join(node.data, "snapshot-00000002.jsonl"), "message 2");
    await assertRepairs(town, node, /snapshot-00000002\.jsonl:\d+ byte \d+: .*wrong checksum/);
  },
);

scenario("a journal that is gone is made anew from the other nodes", async (town) => {
  const node = await writtenNode(town);
  await Deno.remove(join(node.data, "journal-00000002.jsonl"));
  await assertRepairs(town, node, /journal-00000002\.jsonl: missing/);
});

scenario("what only the damaged node has is kept, as far as it is whole", async (town) => {
  const { cluster } = town;
  const node = await writtenNode(town, async () => {
    for (const other of [0, 1]) await cluster.node(other).stop();
    for (let index = 0; index < 5; index++) await town.send(2, `alone ${index}`);
  });
  for (const other of [0, 1]) await cluster.node(other).start();
  await flipBit(join(node.data, "journal-00000002.jsonl"), "alone 2");
  const { code, stdout } = await verify(node, "--repair");
  assertEquals(code, 1);
  assertMatch(stdout, /lost: operations (\d+) to \1 of node3\./);
  await node.start();
  await cluster.converged(CONVERGENCE_MS_MAX);
  const contents = await town.contents(0);
  assertEquals(contents.filter((content) => content.startsWith("alone")), [
    ...["alone 0", "alone 1", "alone 3", "alone 4"],
  ]);
});

scenario("a repair needs another node, and changes nothing without one", async (town) => {
  const node = await writtenNode(town);
  const path = join(node.data, "journal-00000002.jsonl");
  await flipBit(path, "message 7");
  const before = await Deno.readFile(path);
  for (const other of [0, 1]) await town.cluster.node(other).stop();
  const { code, stderr } = await verify(node, "--repair");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "no other node can be reached");
  assertEquals(await Deno.readFile(path), before);
});

scenario("what an older repair left behind is no repair of what is damaged now", async (town) => {
  const node = await writtenNode(town);
  const workshop = join(node.data, "repair");
  await Deno.mkdir(workshop);
  for (const [name, text] of [["complete", "journal-00000009.jsonl 1:1 5"], [SEGMENT, "old"]]) {
    await Deno.writeTextFile(join(workshop, name ?? ""), text ?? "");
  }
  await flipBit(join(node.data, "journal-00000002.jsonl"), "message 7");
  await assertRepairs(town, node, /wrong checksum/);
});

scenario(
  "a repair that was cut short while files were moved goes on with what it had made",
  async (town) => {
    const node = await writtenNode(town);
    await flipBit(join(node.data, "journal-00000002.jsonl"), "message 7");
    // As it is when it was killed after the first of the damaged files was moved.
    const copy = `${node.data}-copy`;
    const damaged = await namesAndIdentities(node.data);
    assertEquals((await verify(node, "--repair")).code, 0);
    await Deno.mkdir(copy);
    await Deno.rename(join(node.data, SEGMENT), join(copy, SEGMENT));
    await Deno.writeTextFile(join(copy, "complete"), damaged.join("\n"));
    const last = "journal-00000002.jsonl";
    await Deno.rename(join(node.data, "damaged-1", last), join(node.data, last));
    await Deno.rename(copy, join(node.data, "repair"));
    for (const other of [0, 1]) await town.cluster.node(other).stop();
    const { code, stdout } = await verify(node, "--repair");
    assertEquals(code, 0);
    assertStringIncludes(stdout, "as it was prepared before");
    assertEquals((await verify(node)).code, 0);
  },
);

scenario("a repair of a node that runs is refused", async (town) => {
  const node = await writtenNode(town);
  await node.start();
  await flipBit(join(node.data, "journal-00000002.jsonl"), "message 7");
  const { code, stderr } = await verify(node, "--repair");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "stop the node first");
});

/** A node with a snapshot and a journal, stopped after `more`. */
async function writtenNode(town: Town, more = async () => {}): Promise<NodeProcess> {
  const node = town.cluster.node(2);
  for (let index = 0; index < 5; index++) await town.send(2, `message ${index}`);
  assert(await askNode(node.data, { command: "compact" }) !== undefined);
  for (let index = 5; index < 10; index++) await town.send(2, `message ${index}`);
  const { id } = await town.send(2, "deleted");
  await town.delete(2, id);
  await town.cluster.converged(CONVERGENCE_MS_MAX);
  await more();
  await node.stop();
  return node;
}

async function assertRepairs(town: Town, node: NodeProcess, found: RegExp): Promise<void> {
  const contents = Array.from({ length: 10 }, (_, index) => `message ${index}`);
  const before = await verify(node);
  assertEquals(before.code, 1);
  assertMatch(before.stdout + before.stderr, found);
  const { code, stdout } = await verify(node, "--repair");
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /repaired from node1 and node2.* damaged files are in .*damaged-1/);
  assertEquals((await verify(node)).code, 0);
  await node.start();
  await town.cluster.converged(CONVERGENCE_MS_MAX);
  assertEquals(await town.contents(2), contents);
}

async function namesAndIdentities(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    const { ino, birthtime, size } = await Deno.stat(join(directory, name));
    found.push(`${name} ${ino}:${birthtime?.getTime()} ${size}`);
  }
  return found;
}

async function verify(node: NodeProcess, ...more: string[]): Promise<Finished> {
  const where = ["--node", node.name, "--data", node.data];
  const config = more.length > 0 ? ["--config", node.config] : [];
  return await chat(["log", "verify", ...where, ...more, ...config]);
}

/** One bit of the first place where a file says `text`. */
async function flipBit(path: string, text: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  const at = new TextDecoder("latin1").decode(bytes).indexOf(text);
  assert(at >= 0, `${path} does not say ${text}`);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await Deno.writeFile(path, bytes);
}
