import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import {
  MemoryCluster,
  type MemoryNode,
  type MemoryNodeOptions,
  message,
} from "../testing/memory_cluster.ts";
import { nextTurn } from "../testing/memory_network.ts";

const NAMES = ["a", "b", "c"];

function assertEqualNodes(...nodes: readonly MemoryNode[]): void {
  const [first, ...others] = nodes.map(({ state }) => ({
    digest: state.digest,
    vector: Object.fromEntries([...state.vector.entries()].sort()),
  }));
  for (const other of others) assertEquals(other, first);
}

/** How many packets with operations went from one node to another. */
function packetsWithLines(cluster: MemoryCluster, from: string, to: string): number {
  return cluster.network.delivered.filter((one) =>
    one.from === from && one.to === to && one.packet.kind === "lines"
  ).length;
}

async function withCluster(
  body: (cluster: MemoryCluster, a: MemoryNode, b: MemoryNode, c: MemoryNode) => Promise<void>,
  options: MemoryNodeOptions = {},
): Promise<void> {
  const cluster = new MemoryCluster(...NAMES);
  const nodes: MemoryNode[] = [];
  for (const name of NAMES) nodes.push(await cluster.start(name, options));
  await cluster.pass(1000);
  const [a, b, c] = nodes;
  assert(a !== undefined && b !== undefined && c !== undefined);
  await body(cluster, a, b, c);
  await cluster.stop();
}

Deno.test("Cluster keeps one stream between each two nodes, whoever called first", async () => {
  await withCluster(async (cluster, ...nodes) => {
    await cluster.pass(2000);
    for (const { cluster: { reachable }, log } of nodes) {
      assertEquals(reachable, 2);
      assertEquals(log.filter((line) => line.startsWith("in sync with")).length, 2);
    }
  });
});

Deno.test("Cluster gives every node every operation, each of them once and from its own node", async () => {
  await withCluster(async (cluster, a, b, c) => {
    cluster.network.delivered.length = 0;
    a.commit.submit(message());
    await cluster.network.quiet();
    assertEqualNodes(a, b, c);
    assertEquals(packetsWithLines(cluster, "a", "b"), 1);
    assertEquals(packetsWithLines(cluster, "a", "c"), 1);
    const others = ["b a", "b c", "c a", "c b"].map((pair) => pair.split(" "));
    for (const [from = "", to = ""] of others) assertEquals(packetsWithLines(cluster, from, to), 0);
  });
});

Deno.test("Cluster counts a copy for each node on which an operation is durable", async () => {
  await withCluster(async (cluster, a, b, c) => {
    a.commit.submit(message());
    await cluster.network.quiet();
    assertEquals([a.commit.copied, a.commit.copiesOf()], [1, 3]);
    await cluster.kill(c);
    a.commit.submit(message());
    await cluster.network.quiet();
    assertEquals([a.commit.copied, a.commit.copiesOf()], [2, 2]);
    // The first is still on three disks, though one of them is out of reach.
    assertEquals(a.commit.copiesOf({ origin: a.origin.current, seq: 1 }), 3);
    await cluster.kill(b);
    a.commit.submit(message());
    await cluster.network.quiet();
    assertEquals([a.commit.copied, a.commit.copiesOf()], [3, 1]);
  });
});

Deno.test("Cluster tells a node that comes back all that it missed", async () => {
  await withCluster(async (cluster, a, b, c) => {
    const entries = await cluster.kill(c);
    for (const node of [a, b]) for (let i = 0; i < 10; i++) node.commit.submit(message());
    await cluster.network.quiet();
    const back = await cluster.start("c", { epoch: "e3", entries });
    await back.cluster.caughtUp();
    assertEqualNodes(a, b, back);
    assertEquals(back.state.vector.seqOf(a.origin.current), 10);
  });
});

Deno.test("Cluster sends what was missed in packets of limited size, a few at a time", async () => {
  await withCluster(async (cluster, a, b, c) => {
    const entries = await cluster.kill(c);
    const long = "x".repeat(10_000);
    for (let i = 0; i < 200; i++) {
      a.commit.submit(message(long));
      await cluster.network.quiet();
    }
    cluster.network.delivered.length = 0;
    const back = await cluster.start("c", { epoch: "e3", entries });
    await cluster.network.quiet();
    assertEqualNodes(a, b, back);
    let unacked = 0;
    let unackedMax = 0;
    for (const { from, to, packet } of cluster.network.delivered) {
      if (from === "a" && to === "c" && packet.kind === "lines") {
        assert(packet.lines.length <= 256 * 1024);
        unackedMax = Math.max(unackedMax, ++unacked);
      }
      if (from === "c" && to === "a" && packet.kind === "ack") unacked = 0;
    }
    assertGreater(packetsWithLines(cluster, "a", "c"), 6);
    assert(unackedMax <= 4, `${unackedMax} packets under way`);
  });
});

Deno.test("Cluster goes on where it was cut off, and sends nothing twice that arrived", async () => {
  await withCluster(async (cluster, a, b, c) => {
    const entries = await cluster.kill(c);
    const long = "x".repeat(10_000);
    for (let i = 0; i < 300; i++) {
      a.commit.submit(message(long));
      await cluster.network.quiet();
    }
    const lacking = a.journal.end;
    cluster.network.delivered.length = 0;
    const back = await cluster.begin("c", { epoch: "e3", entries });
    while (packetsWithLines(cluster, "a", "c") < 4) await nextTurn();
    cluster.network.cut("a", "c");
    cluster.network.cut("b", "c");
    await cluster.pass(4000);
    assertGreater(back.state.vector.lag(a.state.vector), 100);
    cluster.network.heal();
    await cluster.pass(4000);
    assertEqualNodes(a, b, back);
    const sent = cluster.network.delivered.reduce(
      (sum, { to, packet }) =>
        to === "c" && packet.kind === "lines" ? sum + packet.lines.length : sum,
      0,
    );
    assert(sent <= lacking + 4 * 256 * 1024, `${sent} bytes for ${lacking} that were lacking`);
  });
});

Deno.test("Cluster takes what was just written from memory, not from the journal's file", async () => {
  await withCluster(async (cluster, a) => {
    const { reads } = a.journal;
    for (let i = 0; i < 50; i++) {
      a.commit.submit(message());
      await cluster.network.quiet();
    }
    assertEquals(a.journal.reads, reads);
  });
});

Deno.test("Cluster passes on what a dead node told only one of the others", async () => {
  await withCluster(async (cluster, a, b, c) => {
    cluster.network.cut("a", "c");
    cluster.network.cut("c", "a");
    a.commit.submit(message());
    await cluster.network.quiet();
    assertEquals([b.state.vector.lag(a.state.vector), c.state.vector.lag(a.state.vector)], [0, 1]);
    // At once: whoever hears nothing of a node asks another one, also for what was long told.
    await cluster.kill(a);
    assertEqualNodes(b, c);
    assertEquals(c.state.vector.seqOf(a.origin.current), 1);
  });
});

Deno.test("Cluster goes around a cut between two nodes that both see the third", async () => {
  await withCluster(async (cluster, a, b, c) => {
    cluster.network.cut("a", "b");
    cluster.network.cut("b", "a");
    await cluster.pass(5000);
    assertEquals([a.cluster.reachable, b.cluster.reachable, c.cluster.reachable], [1, 1, 2]);
    a.commit.submit(message());
    b.commit.submit(message());
    // At once, as whoever hears nothing of a node asks another one for its operations.
    await cluster.network.quiet();
    assertEqualNodes(a, b, c);
    cluster.network.heal();
    await cluster.pass(5000);
    assertEquals(a.cluster.reachable, 2);
    a.commit.submit(message());
    await cluster.network.quiet();
    assertEqualNodes(a, b, c);
  });
});

Deno.test("Cluster converges when packets between two nodes get through one way only", async () => {
  await withCluster(async (cluster, a, b, c) => {
    cluster.network.cut("a", "b");
    a.commit.submit(message());
    b.commit.submit(message());
    await cluster.pass(5000);
    assertEqualNodes(a, b, c);
    await cluster.kill(c);
    a.commit.submit(message());
    await cluster.pass(5000);
    cluster.network.heal();
    await cluster.pass(5000);
    assertEqualNodes(a, b);
  });
});

Deno.test("Cluster rescues what a node can get from nobody that it asked", async () => {
  // Only c has what the first life of a told. Then b asks a for all that is of a, and c for the rest.
  const cluster = new MemoryCluster(...NAMES);
  const a = await cluster.start("a");
  const c = await cluster.start("c");
  a.commit.submit(message());
  await cluster.network.quiet();
  await cluster.kill(a);
  for (const other of ["a", "b"]) {
    cluster.network.cut(other, "c");
    cluster.network.cut("c", other);
  }
  const b = await cluster.start("b");
  await cluster.start("a", { epoch: "other" });
  await cluster.pass(1000);
  assertEquals([b.cluster.reachable, b.state.vector.seqOf(a.origin.current)], [1, 0]);
  cluster.network.mend("b", "c");
  await cluster.pass(4000);
  assertEquals(b.state.vector.seqOf(a.origin.current), 1);
  assertEquals(c.state.digest, b.state.digest);
  await cluster.stop();
});

Deno.test("Cluster gives up a stream that is silent, not one whose process was stopped for a while", async () => {
  await withCluster(async (cluster, a) => {
    cluster.timer.freeze(60_000);
    await cluster.network.quiet();
    assertEquals(a.cluster.reachable, 2);
    assertEquals(a.log.filter((line) => line.startsWith("lost")), []);
    cluster.network.cut("b", "a");
    await cluster.pass(4000);
    assertEquals(a.cluster.reachable, 1);
    assertStringIncludes(a.cluster.peers()[0]?.why ?? "", "no answer");
  });
});

Deno.test("a wiped node gets its own old operations back, and never gives a number a second meaning", async () => {
  await withCluster(async (cluster, a, b, c) => {
    for (let i = 0; i < 5; i++) a.commit.submit(message());
    await cluster.network.quiet();
    await cluster.kill(a);
    const wiped = await cluster.start("a", { epoch: "wiped" });
    await wiped.cluster.caughtUp();
    assertEquals(wiped.state.vector.seqOf(a.origin.current), 5);
    assertEquals(wiped.commit.submit(message()).origin, "a.wiped");
    await cluster.network.quiet();
    assertEqualNodes(wiped, b, c);
  });
});

Deno.test("a node that was put back to an old state begins a new epoch, as others know more of the last", async () => {
  await withCluster(async (cluster, a, b, c) => {
    a.commit.submit(message());
    await cluster.network.quiet();
    const old = [...a.journal.entries];
    a.commit.submit(message());
    await cluster.network.quiet();
    await cluster.kill(a);
    const back = await cluster.start("a", { epoch: "e1", entries: old });
    await back.cluster.caughtUp();
    const { origin } = back.commit.submit(message());
    await cluster.network.quiet();
    assert(origin !== a.origin.current);
    assertEquals(back.log.filter((line) => line.startsWith("new epoch")).length, 1);
    assertEquals(back.state.vector.seqOf(a.origin.current), 2);
    assertEqualNodes(back, b, c);
  });
});

Deno.test("a node that is told that others know more begins a new epoch before it has what they know", async () => {
  await withCluster(async (cluster, a) => {
    const old = [...a.journal.entries];
    a.commit.submit(message());
    await cluster.network.quiet();
    await cluster.kill(a);
    const back = await cluster.begin("a", { epoch: "e1", entries: old });
    while (back.log.filter((line) => line.startsWith("in sync")).length < 2) await nextTurn();
    assertEquals(back.state.vector.seqOf(a.origin.current), 0);
    assert(back.commit.submit(message()).origin !== a.origin.current);
  });
});

Deno.test("a node goes on with its epoch only if every other one has confirmed it", async () => {
  await withCluster(async (cluster, a, _b, c) => {
    a.commit.submit(message());
    await cluster.network.quiet();
    const entries = await cluster.kill(a);
    const back = await cluster.start("a", { epoch: "e1", entries });
    assertEquals(back.commit.submit(message()).origin, a.origin.current);
    await cluster.network.quiet();
    const more = await cluster.kill(back);
    await cluster.kill(c);
    const alone = await cluster.start("a", { epoch: "e1", entries: more });
    assert(alone.commit.submit(message()).origin !== a.origin.current);
  });
});

Deno.test("Cluster.caughtUp() waits for whoever can be reached, and for nobody else", async () => {
  const cluster = new MemoryCluster(...NAMES);
  const a = await cluster.start("a");
  // Nobody listens: known at once.
  await a.cluster.caughtUp();
  for (let i = 0; i < 3; i++) a.commit.submit(message());
  // Nobody answers: known when the time for that is over.
  cluster.network.cut("b", "c");
  const c = await cluster.start("c");
  const b = await cluster.start("b");
  let isCaughtUp = false;
  const waiting = b.cluster.caughtUp().then(() => isCaughtUp = true);
  await cluster.network.quiet();
  assertEquals([isCaughtUp, b.state.vector.seqOf(a.origin.current)], [false, 3]);
  await cluster.pass(2500);
  await waiting;
  assertEquals(c.cluster.reachable, 1);
  cluster.network.heal();
  await cluster.stop();
});

Deno.test("a node that is not in the configuration of another one is refused, and told why", async () => {
  const cluster = new MemoryCluster(...NAMES);
  const a = await cluster.start("a", { knows: ["a", "b"] });
  const c = await cluster.start("c");
  const b = await cluster.start("b", { knows: ["b", "a", "c"] });
  c.commit.submit(message());
  await cluster.pass(1000);
  const refusal = "c is not in the configuration of a, which has a, b";
  assert(c.log.some((line) => line.includes(refusal)), c.log.join("; "));
  assert(a.log.some((line) => line.includes(refusal)), a.log.join("; "));
  assertEquals([a.cluster.reachable, b.cluster.reachable, c.cluster.reachable], [1, 2, 1]);
  // Those who know both pass on what one of them has.
  assertEqualNodes(a, b, c);
  const warnings = b.cluster.warnings();
  assert(warnings.some((line) => line.includes("a does not have c at c")), warnings.join("; "));
  await cluster.stop();
});

Deno.test("operations of kinds that nobody here knows are kept and passed on as they came", async () => {
  await withCluster(async (cluster, a, b, c) => {
    const line =
      '{"operation":"react","to":"x","time":1,"tick":0,"origin":"z.new","seq":1,"nested":{"a":[1]}}';
    const at = { timeMs: 1, tick: 0, origin: "z.new", seq: 1 };
    await a.commit.accept([{ kind: "unknown", line, ...at }]);
    // Nobody is z, so whoever is asked for all others passes it on.
    await cluster.pass(2000);
    for (const node of [b, c]) {
      const kept = node.journal.entries.find(({ origin }) => origin === "z.new");
      assertEquals(kept?.kind === "unknown" && kept.line, line);
    }
    assertEqualNodes(a, b, c);
  });
});

Deno.test("Cluster tells who is signed in, and when that is no longer known", async () => {
  await withCluster(async (cluster, a, b, c) => {
    assert(a.heard.includes("b +user of b -"));
    b.cluster.tellPresence("bob", true);
    b.cluster.tellPresence("bob", false);
    await cluster.network.quiet();
    assertEquals(a.heard.slice(-2), ["b +bob -", "b + -bob"]);
    await cluster.kill(c);
    assertEquals(a.heard.at(-1), "lost c");
  });
});

Deno.test("Cluster.peers() says how far each node is behind, both ways", async () => {
  await withCluster(async (cluster, a, b) => {
    cluster.network.cut("a", "b");
    a.commit.submit(message());
    b.commit.submit(message());
    await cluster.network.quiet();
    const [ofB, ofC] = a.cluster.peers();
    assertEquals([ofB?.ahead, ofC?.ahead], [1, 0]);
    assertEquals(ofC?.state, "connected");
    await cluster.pass(4000);
    assertEquals(a.cluster.peers()[0]?.state, "unreachable");
  });
});
