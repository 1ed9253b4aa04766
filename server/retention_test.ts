import { assert, assertEquals } from "@std/assert";
import type { Commit } from "./commit.ts";
import { apply } from "./core/apply.ts";
import { messageIdOf } from "./core/message_id.ts";
import type { Operation } from "./core/operation.ts";
import { ChatState } from "./core/state.ts";
import {
  CLOCK_DOUBT_MS,
  CLOCK_TRUST_MS,
  DELETED_AT_ONCE_MAX,
  Retention,
  RETENTION_TIMES,
  type RetentionPeer,
} from "./retention.ts";
import { exportOf, exportWith, messageLine } from "./testing/export_fixture.ts";
import { ManualTimer } from "./testing/manual_timer.ts";
import { nextTurn } from "./testing/memory_network.ts";
import { runOperator } from "./testing/operator_run.ts";
import { Scratch } from "./testing/scratch.ts";
import { TestCluster } from "./testing/test_cluster.ts";
import { commitTo, quickLog } from "./testing/test_commit.ts";
import { until } from "./testing/until.ts";
import { statusOf } from "./testing/wire_client.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW_MS = 1_795_000_000_000;
const { firstMs, everyMs } = RETENTION_TIMES;

Deno.test("Retention deletes what is older than so many days, and nothing that is not", async () => {
  const site = new Site({ days: 30 });
  const limitMs = NOW_MS + firstMs - 30 * DAY_MS;
  const [old, exact, young, future] = [
    site.send(limitMs - 1),
    site.send(limitMs),
    site.send(limitMs + 1),
    site.send(NOW_MS + 1000 * DAY_MS),
  ];
  await site.pass(firstMs - 1);
  assertEquals(site.present, [old, exact, young, future]);
  await site.pass(1);
  assertEquals(site.present, [exact, young, future]);
  assertEquals(site.log, ["deleted 1 messages older than 30 days"]);
  await site.pass(everyMs - 1);
  assertEquals(site.present, [exact, young, future]);
  await site.pass(1);
  assertEquals(site.present, [future]);
  await site.retention.stop();
});

Deno.test("Retention deletes by ordinary operations of few messages of one sender", async () => {
  const site = new Site({ days: 1 });
  const senders = ["alicealiceal", "bobbobbobbob"];
  const count = 2 * DELETED_AT_ONCE_MAX + 1;
  for (let number = 0; number < 2 * count; number++) site.send(number, senders[number % 2]);
  await site.pass(firstMs);
  assertEquals(site.present, []);
  const operations = site.submitted.filter((one) => one.kind === "messages_deleted");
  assertEquals(operations.length, 6);
  for (const { by, ids } of operations) {
    assert(ids.length <= DELETED_AT_ONCE_MAX);
    assert(ids.every((id) => id.startsWith(by)));
  }
  assertEquals(operations.flatMap(({ ids }) => ids).length, 2 * count);
  await site.retention.stop();
});

Deno.test("Retention waits for the copies of one operation before it makes the next", async () => {
  const copied: (() => void)[] = [];
  const site = new Site({
    days: 1,
    untilCopied: () => new Promise((resolve) => copied.push(resolve)),
  });
  for (let number = 0; number < 3 * DELETED_AT_ONCE_MAX; number++) site.send(number);
  await site.pass(firstMs);
  for (let operations = 1; operations <= 3; operations++) {
    assertEquals(site.present.length, (3 - operations) * DELETED_AT_ONCE_MAX);
    copied.shift()?.();
    await site.pass(1);
  }
  await site.retention.stop();
});

Deno.test("Retention.stop() ends what is under way, also if nothing is ever copied", async () => {
  const site = new Site({ days: 1, untilCopied: () => new Promise(() => {}) });
  for (let number = 0; number < 3 * DELETED_AT_ONCE_MAX; number++) site.send(number);
  await site.pass(firstMs);
  await site.retention.stop();
  assertEquals(site.present.length, 2 * DELETED_AT_ONCE_MAX);
  await site.pass(10 * everyMs);
  assertEquals(site.present.length, 2 * DELETED_AT_ONCE_MAX);
});

Deno.test("Retention leaves it to the first node that can be reached", async () => {
  const peers: Peers = { n0: "connected", n2: "connected" };
  const site = new Site({ days: 1, nodes: ["n0", "n", "n2"], peers });
  site.send(0);
  await site.pass(firstMs);
  assertEquals(site.present.length, 1);
  peers.n0 = "catching_up";
  await site.pass(everyMs);
  assertEquals(site.present.length, 1);
  peers.n0 = "unreachable";
  await site.pass(everyMs);
  assertEquals(site.present.length, 0);
  assertEquals(site.log, ["deleted 1 messages older than 1 days"]);
  await site.retention.stop();
});

Deno.test("Retention stops in the middle when a node comes back that is before it", async () => {
  const peers: Peers = { n0: "unreachable", n2: "connected" };
  const copied: (() => void)[] = [];
  const site = new Site({
    ...{ days: 1, nodes: ["n0", "n", "n2"], peers },
    untilCopied: () => new Promise((resolve) => copied.push(resolve)),
  });
  for (let number = 0; number < 3 * DELETED_AT_ONCE_MAX; number++) site.send(number);
  await site.pass(firstMs);
  peers.n0 = "connected";
  copied.shift()?.();
  await site.pass(1);
  assertEquals(site.present.length, 2 * DELETED_AT_ONCE_MAX);
  assertEquals(copied.length, 0);
  await site.retention.stop();
});

Deno.test("Retention does nothing while clocks are more than an hour apart, and says so once", async () => {
  for (const sign of [1, -1]) {
    const skews = { n2: sign * (CLOCK_DOUBT_MS + 1) };
    const site = new Site({ days: 1, nodes: ["n", "n2"], peers: { n2: "connected" }, skews });
    site.send(0);
    await site.pass(firstMs);
    await site.pass(everyMs);
    const doubt = "the clock of n2 and this one are more than an hour apart";
    assertEquals(site.log, [`does not delete messages older than 1 days for now: ${doubt}`]);
    assertEquals(site.present.length, 1);
    skews.n2 = sign * CLOCK_DOUBT_MS;
    await site.pass(everyMs);
    assertEquals(site.present.length, 0);
    await site.retention.stop();
  }
});

Deno.test("Retention waits until it knows the clocks of those that it has just reached", async () => {
  const skews: Record<string, number | undefined> = { n2: undefined };
  const site = new Site({ days: 1, nodes: ["n", "n2"], peers: { n2: "connected" }, skews });
  site.send(0);
  await site.pass(firstMs);
  assertEquals(site.present.length, 1);
  skews.n2 = 0;
  await site.pass(firstMs);
  assertEquals(site.present.length, 0);
  await site.retention.stop();
});

Deno.test("Retention does nothing on a node that can compare its clock with nobody's", async () => {
  const peers: Peers = { n2: "unreachable", n3: "unreachable" };
  const site = new Site({ days: 1, nodes: ["n", "n2", "n3"], peers });
  site.send(0);
  await site.pass(firstMs);
  assertEquals(site.present.length, 1);
  assertEquals(site.log.length, 1);
  peers.n3 = "connected";
  await site.pass(everyMs);
  assertEquals(site.present.length, 0);
  await site.retention.stop();
});

Deno.test("Retention does nothing for a day after its clock was set by more than an hour", async () => {
  for (const jumpMs of [CLOCK_DOUBT_MS + 1, -CLOCK_DOUBT_MS - 1, 3650 * DAY_MS]) {
    const site = new Site({ days: 30 });
    site.send(NOW_MS - 100 * DAY_MS);
    const young = site.send(NOW_MS);
    site.jumpMs = jumpMs;
    await site.pass(firstMs);
    for (let passedMs = everyMs; passedMs < CLOCK_TRUST_MS; passedMs += everyMs) {
      await site.pass(everyMs);
      assertEquals(site.present.length, 2);
      // It was wrong, and is put right again: that is a jump, too.
      if (jumpMs > DAY_MS) site.jumpMs = 0;
    }
    assertEquals(site.log.length, 1);
    for (let looks = 0; looks < 3; looks++) await site.pass(everyMs);
    assertEquals(site.present, [young]);
    await site.retention.stop();
  }
});

Deno.test("Retention takes a jump of no more than an hour as it is", async () => {
  const site = new Site({ days: 30 });
  site.send(NOW_MS - 100 * DAY_MS);
  site.jumpMs = CLOCK_DOUBT_MS;
  await site.pass(firstMs);
  assertEquals(site.present, []);
  await site.retention.stop();
});

Deno.test("Nodes delete what is too old once, all have the same, and the next one takes over", async () => {
  await using scratch = await Scratch.make();
  const retentionTimes = { firstMs: 5, everyMs: 20 };
  await using cluster = await TestCluster.start({ retention: { days: 30 }, retentionTimes });
  const recent = messageLine(1001, Date.now() - 29 * DAY_MS);
  const accounts = exportWith(0).split("\n").slice(1, 3).join("\n");
  for (const [node, first] of [["node1", 0], ["node2", 500]] as const) {
    await cluster.stopNode(node);
    const old = Array.from({ length: 500 }, (_, index) => messageLine(first + index));
    const text = exportOf(...old, recent).replace("\n", `\n${accounts}\n`);
    const file = await scratch.write(text);
    const run = await runOperator("import", file, "--data", cluster.dataOf(node));
    assert(run.stdout.includes("messages: 50"), run.stdout + run.stderr);
    // From now on node2 is the first.
    if (first === 0) await cluster.startNode(node);
    else {
      await cluster.stopNode("node1");
      await cluster.startNode(node);
    }
    await until(async () => (await statusOf(cluster.port("node3"))).messages === 1);
    await cluster.converged();
  }
  await cluster.startNode("node1");
  await cluster.connected();
  await cluster.converged();
  assertEquals((await statusOf(cluster.port("node1"))).messages, 1);
  const told = cluster.log.filter((line) => line.includes("older than 30 days"));
  assertEquals(
    told.filter((line) => line.includes("deleted 500")).map((line) => line.slice(0, 6)),
    [
      "node1:",
      "node2:",
    ],
  );
});

type Peers = Record<string, RetentionPeer["state"]>;

interface SiteOptions {
  readonly days: number;
  readonly nodes?: readonly string[];
  readonly peers?: Peers;
  readonly skews?: Record<string, number | undefined>;
  readonly untilCopied?: () => Promise<void>;
}

/** A node with nothing but a clock that a test moves. */
class Site {
  readonly log: string[] = [];
  readonly submitted: Operation[] = [];
  readonly retention: Retention;
  /** How far the wall clock was set forward. */
  jumpMs = 0;
  readonly #timer = new ManualTimer();
  readonly #state = new ChatState();
  #seq = 0;

  constructor({ days, nodes = ["n"], peers = {}, skews = {}, untilCopied }: SiteOptions) {
    const nowMs = () => NOW_MS + this.#timer.nowMs() + this.jumpMs;
    const commit = commitTo(quickLog, { state: this.#state, timer: this.#timer, nowMs });
    this.retention = new Retention({
      ...{ days, nodes, node: "n", state: this.#state, timer: this.#timer, wallMs: nowMs },
      commit: {
        submit: (fact: Parameters<Commit["submit"]>[0]) => {
          const operation = commit.submit(fact);
          this.submitted.push(operation);
          return operation;
        },
        untilCopied: untilCopied ?? (() => commit.untilCopied()),
      },
      peers: () =>
        Object.entries(peers).map(([name, state]) => {
          const skewMs = name in skews ? skews[name] : 0;
          return { name, state, ...(skewMs !== undefined && { skewMs }) };
        }),
      log: (line) => this.log.push(line),
    });
  }

  /** A message that another node sent at that time. */
  send(timeMs: number, sender = "alicealiceal"): string {
    const seq = ++this.#seq;
    const id = messageIdOf(sender, `key ${seq}`);
    const names = { sender: "alice", recipient: "carol", recipientAccount: "carolcarolca" };
    const sent = { kind: "message_sent" as const, id, ...names, content: "hello" };
    apply(this.#state, { ...sent, timeMs, tick: 0, origin: "m.e", seq });
    return id;
  }

  get present(): string[] {
    const { messages } = this.#state;
    const rows = Array.from({ length: messages.length }, (_, row) => row);
    return rows.filter((row) => messages.isPresent(row)).map((row) => messages.idOf(row));
  }

  /** Lets time pass, with all that follows from it. */
  async pass(ms: number): Promise<void> {
    this.#timer.pass(ms);
    for (let turn = 0; turn < 30; turn++) {
      await nextTurn();
      this.#timer.pass(0);
    }
  }
}
