/** What becomes of a node that lacks what the others have only as a state. */

import { assert, assertEquals, assertGreater } from "@std/assert";
import type { Fact } from "../core/operation.ts";
import { sealedLine } from "../journal/batch.ts";
import { counted, recount } from "../testing/observe.ts";
import {
  BOB,
  compact,
  MemoryCluster,
  type MemoryNode,
  message,
} from "../testing/memory_cluster.ts";
import { nextTurn } from "../testing/memory_network.ts";
import { SYNC_PROTOCOL } from "./membership.ts";
import type { PacketSink, StreamEnd } from "./packet.ts";

Deno.test("a node that comes back after the others compacted merges their state, and goes on", async () => {
  await withCluster(async (cluster, a, b, c) => {
    const entries = await cluster.kill(c);
    for (const node of [a, b]) for (let i = 0; i < 10; i++) node.commit.submit(message());
    await cluster.network.quiet();
    for (const node of [a, b]) compact(node);
    const back = await cluster.start("c", { epoch: "e3", entries });
    await cluster.pass(2000);
    assertEqualNodes(a, b, back);
    assertEquals(back.log.includes("merged a state"), true);
    // From now on it is told operations again, and its own count.
    back.commit.submit(message());
    a.commit.submit(message());
    await cluster.network.quiet();
    assertEqualNodes(a, b, back);
    assertEquals(back.commit.copiesOf(), 3);
    assertEquals(counted(back.state), recount(back.state));
  });
});

Deno.test("a node without anything takes the state of one node, and the rest from there", async () => {
  await withCluster(async (cluster, a, b, c) => {
    for (const node of [a, b, c]) for (let i = 0; i < 50; i++) node.commit.submit(message());
    await cluster.network.quiet();
    await cluster.kill(c);
    for (const node of [a, b]) compact(node);
    const before = a.journal.statesBegun + b.journal.statesBegun;
    const wiped = await cluster.start("c");
    await cluster.pass(3000);
    assertEqualNodes(a, b, wiped);
    assertEquals(a.journal.statesBegun + b.journal.statesBegun - before, 1);
  });
});

Deno.test("what was deleted while a node was away stays deleted, and what it alone has is kept", async () => {
  await withCluster(async (cluster, a, b, c) => {
    const doomed = a.commit.submit(message("to be deleted"));
    await cluster.network.quiet();
    assert(doomed.kind === "message_sent");
    cluster.network.crash("c");
    await cluster.pass(4000);
    // It goes on by itself, and knows nothing of the others.
    c.commit.submit(message("alone"));
    await cluster.network.quiet();
    const entries = await cluster.kill(c);
    a.commit.submit({ kind: "messages_deleted", by: BOB, ids: [doomed.id] });
    await cluster.network.quiet();
    for (const node of [a, b]) compact(node);
    const back = await cluster.start("c", { epoch: "e3", entries });
    await cluster.pass(3000);
    assertEqualNodes(a, b, back);
    assertEquals(textsOf(a), ["alone"]);
    assertEquals(textsOf(back), ["alone"]);
  });
});

Deno.test("a state whose stream is cut goes on where it was cut, after all that is durable", async () => {
  await withCluster(async (cluster, a, b, c) => {
    const entries = await cluster.kill(c);
    for (let i = 0; i < 300; i++) a.commit.submit(message("x".repeat(10_000)));
    await cluster.network.quiet();
    for (const node of [a, b]) compact(node);
    cluster.network.delivered.length = 0;
    const back = await cluster.begin("c", { epoch: "e3", entries });
    while (statePackets(cluster) < 5) await nextTurn();
    for (const other of ["a", "b"]) cluster.network.cut(other, "c");
    await cluster.pass(4000);
    assertEquals(back.state.vector.seqOf(a.origin.current), 0);
    assertGreater(back.state.messages.presentCount, 30);
    cluster.network.heal();
    await cluster.pass(4000);
    assertEqualNodes(a, b, back);
    assertEquals(a.journal.statesBegun + b.journal.statesBegun, 1);
  });
});

Deno.test("a node passes on the state that it merged, before it has compacted its own journal", async () => {
  await withCluster(async (cluster, a, b, c) => {
    const [entriesOfB, entriesOfC] = [await cluster.kill(b), await cluster.kill(c)];
    for (let i = 0; i < 10; i++) a.commit.submit(message());
    await cluster.network.quiet();
    compact(a);
    const backB = await cluster.start("b", { epoch: "e2", entries: entriesOfB });
    await cluster.pass(2000);
    backB.commit.submit(message());
    await cluster.network.quiet();
    assertEqualNodes(a, backB);
    await cluster.kill(a);
    const backC = await cluster.start("c", { epoch: "e3", entries: entriesOfC });
    await cluster.pass(3000);
    assertEqualNodes(backB, backC);
    assertGreater(backC.state.messages.presentCount, 10);
  });
});

Deno.test("nodes that are up to date notice nothing of a compaction", async () => {
  await withCluster(async (cluster, a, b, c) => {
    for (let round = 0; round < 5; round++) {
      for (const node of [a, b, c]) for (let i = 0; i < 5; i++) node.commit.submit(message());
      await cluster.network.quiet();
      for (const node of [a, b, c]) compact(node);
      for (const node of [a, b, c]) node.commit.submit(message());
      await cluster.pass(600);
      assertEqualNodes(a, b, c);
    }
    assertEquals(statePackets(cluster), 0);
    for (const node of [a, b, c]) assertEquals(node.cluster.reachable, 2);
  });
});

Deno.test("a node that is put back to an old state begins a new epoch when the state knows more", async () => {
  await withCluster(async (cluster, a, b, c) => {
    c.commit.submit(message());
    await cluster.network.quiet();
    const old = [...c.journal.entries];
    for (let i = 0; i < 5; i++) c.commit.submit(message());
    await cluster.network.quiet();
    await cluster.kill(c);
    for (const node of [a, b]) compact(node);
    const back = await cluster.start("c", { epoch: "e3", entries: old });
    await cluster.pass(2000);
    const { origin, seq } = back.commit.submit(message());
    assertEquals([origin === c.origin.current, seq], [false, 1]);
    await cluster.network.quiet();
    assertEqualNodes(a, b, back);
    assertEquals(back.state.vector.seqOf(c.origin.current), 6);
  });
});

Deno.test("Cluster.caughtUp() waits for the end of a state, as long as there is more of it", async () => {
  await withCluster(async (cluster, a, b, c) => {
    const entries = await cluster.kill(c);
    for (let i = 0; i < 200; i++) a.commit.submit(message("x".repeat(10_000)));
    await cluster.network.quiet();
    for (const node of [a, b]) compact(node);
    const back = await cluster.begin("c", { epoch: "e3", entries });
    await back.cluster.caughtUp();
    assertEqualNodes(a, b, back);
  });
});

Deno.test("a node that compacts in the middle of sending its state begins anew with the next one", async () => {
  await withCluster(async (cluster, a, b, c) => {
    const entries = await cluster.kill(c);
    const ids: string[] = [];
    for (let i = 0; i < 200; i++) {
      const sent = a.commit.submit(message("x".repeat(10_000)));
      if (sent.kind === "message_sent") ids.push(sent.id);
    }
    await cluster.network.quiet();
    for (const node of [a, b]) compact(node);
    cluster.network.delivered.length = 0;
    const back = await cluster.begin("c", { epoch: "e3", entries });
    while (statePackets(cluster) < 3) await nextTurn();
    const gone: Fact = { kind: "messages_deleted", by: BOB, ids: ids.slice(0, 100) };
    a.commit.submit(gone);
    for (const node of [a, b]) compact(node);
    await cluster.pass(4000);
    assertEqualNodes(a, b, back);
    assertEquals(back.state.messages.presentCount, 100);
  });
});

function assertEqualNodes(...nodes: readonly MemoryNode[]): void {
  const [first, ...others] = nodes.map(({ state }) => ({
    digest: state.digest,
    vector: Object.fromEntries([...state.vector.entries()].sort()),
  }));
  for (const other of others) assertEquals(other, first);
}

function textsOf({ state: { messages } }: MemoryNode): string[] {
  return Array.from({ length: messages.length }, (_, row) => row)
    .filter((row) => messages.isPresent(row)).map((row) => messages.contentOf(row));
}

function statePackets(cluster: MemoryCluster): number {
  return cluster.network.delivered.filter(({ packet }) =>
    packet.kind === "lines" && packet.part !== undefined
  ).length;
}

async function withCluster(
  body: (cluster: MemoryCluster, a: MemoryNode, b: MemoryNode, c: MemoryNode) => Promise<void>,
): Promise<void> {
  const cluster = new MemoryCluster("a", "b", "c");
  const [a, b, c] = await cluster.startAll();
  assert(a !== undefined && b !== undefined && c !== undefined);
  await cluster.pass(1000);
  await body(cluster, a, b, c);
  await cluster.stop();
}

Deno.test("a state that was not asked for is not taken, whatever it says that it stands for", async () => {
  const cluster = new MemoryCluster("a", "b");
  const a = await cluster.start("a");
  const lines = sealedLine('{"state":"covers","vector":{"a.e1":99},"time":1,"tick":0}');
  for (const part of [undefined, { state: "x", end: 1, bytes: 1 }]) {
    const ended: StreamEnd[] = [];
    let sink: PacketSink | undefined;
    a.cluster.welcome({
      receive: (taking) => void (sink = taking),
      send() {},
      close: (end) => void ended.push(end),
    });
    sink?.onPacket({
      ...{ kind: "hello", protocol: SYNC_PROTOCOL, node: "b", origin: "b.e", process: "b" },
      ...{ version: "", features: [], vector: "", nodes: ["a", "b"], configuration: "" },
    });
    sink?.onPacket({ kind: "lines", lines, part });
    await cluster.network.quiet();
    assertEquals(ended.map(({ why }) => why.includes("was not asked for")), [true]);
    assertEquals(a.state.vector.entries().size, 0);
  }
  await cluster.stop();
});
