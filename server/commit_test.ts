import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type BatchLog,
  type CommitParts,
  GapError,
  type OperationName,
  type Replication,
} from "./commit.ts";
import type { Fact, Operation } from "./core/operation.ts";
import type { VersionVector } from "./core/version_vector.ts";
import { StorageError } from "./journal/files.ts";
import { ManualTimer } from "./testing/manual_timer.ts";
import { commitTo, ownOrigin, quickLog } from "./testing/test_commit.ts";

/** A log whose batches are synced when the test says so. */
class ScriptedLog implements BatchLog {
  readonly batches: {
    operations: readonly Operation[];
    synced: PromiseWithResolvers<undefined>;
  }[] = [];
  #arrival = Promise.withResolvers<void>();

  writeBatch(operations: readonly Operation[]): Promise<undefined> {
    const synced = Promise.withResolvers<undefined>();
    this.batches.push({ operations, synced });
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers();
    return synced.promise;
  }

  /** Resolves once `count` batches have been written. */
  async written(count: number): Promise<void> {
    while (this.batches.length < count) await this.#arrival.promise;
  }
}

/** Other nodes that have what the test says. */
class ScriptedNodes implements Replication {
  readonly published: Operation[] = [];
  /** By node, the last operation of "n.e" that is durable there. */
  durable: number[] = [];
  reachable = 2;

  publish(operations: readonly Operation[]): void {
    this.published.push(...operations);
  }

  copiesElsewhere({ seq }: OperationName): number {
    return this.durable.filter((last) => last >= seq).length;
  }

  copiesOfAllElsewhere(known: VersionVector): number {
    return this.copiesElsewhere({ origin: "n.e", seq: known.seqOf("n.e") });
  }
}

function account(number: number): Fact {
  const name = `user${number}`;
  return { kind: "account_created", account: name, name, generation: 1, password: "x" };
}

function foreign(seq: number, origin = "other.e"): Operation {
  return { ...account(100 + seq), origin, seq, timeMs: 1, tick: seq };
}

function replicated(parts: Partial<CommitParts> = {}) {
  const [nodes, timer] = [new ScriptedNodes(), new ManualTimer()];
  const commit = commitTo(quickLog, { timer, ...parts });
  commit.replicateWith(nodes);
  const told: [copied: number, copies: number][] = [];
  commit.onProgress(() => told.push([commit.copied, commit.copiesOf()]));
  return { commit, nodes, timer, told };
}

Deno.test("Commit.submit() gives facts of one turn one batch, and those during a sync the next", async () => {
  const log = new ScriptedLog();
  const commit = commitTo(log);
  commit.submit(account(1));
  commit.submit(account(2));
  await log.written(1);
  commit.submit(account(3));
  commit.submit(account(4));
  log.batches[0]?.synced.resolve(undefined);
  await log.written(2);
  assertEquals(log.batches.map(({ operations }) => operations.map(({ seq }) => seq)), [[1, 2], [
    3,
    4,
  ]]);
  log.batches[1]?.synced.resolve(undefined);
  await commit.drained();
});

Deno.test("Commit.settled follows the log, and listeners are told", async () => {
  const log = new ScriptedLog();
  const commit = commitTo(log);
  const told: number[] = [];
  commit.onProgress(() => told.push(commit.settled));
  commit.submit(account(1));
  assertEquals([commit.position, commit.settled], [1, 0]);
  await log.written(1);
  commit.submit(account(2));
  log.batches[0]?.synced.resolve(undefined);
  await log.written(2);
  assertEquals([commit.position, commit.settled], [2, 1]);
  log.batches[1]?.synced.resolve(undefined);
  await commit.drained();
  assertEquals(told, [1, 2]);
});

Deno.test("Commit settles nothing after a failed batch, and writes no more", async () => {
  const log = new ScriptedLog();
  const failure = Promise.withResolvers<never>();
  const commit = commitTo(log, { onFailure: failure.reject });
  commit.submit(account(1));
  await log.written(1);
  commit.submit(account(2));
  log.batches[0]?.synced.reject(new Error("disk"));
  await assertRejects(() => failure.promise, Error, "disk");
  commit.submit(account(3));
  await commit.drained();
  assertEquals([commit.settled, log.batches.length], [0, 1]);
});

Deno.test("Commit.copied waits until enough other nodes have what was submitted", async () => {
  const { commit, nodes } = replicated();
  commit.submit(account(1));
  await commit.drained();
  assertEquals([commit.settled, commit.copied, nodes.published.length], [1, 0, 1]);
  nodes.durable = [1];
  commit.copiesChanged();
  assertEquals([commit.copied, commit.copiesOf()], [1, 2]);
  nodes.durable = [1, 1];
  assertEquals(commit.copiesOf(), 3);
});

Deno.test("Commit.copied tells of each batch with its own number of copies", async () => {
  const { commit, nodes, told } = replicated();
  for (const number of [1, 2]) {
    commit.submit(account(number));
    await commit.drained();
  }
  told.length = 0;
  nodes.durable = [2, 1];
  commit.copiesChanged();
  assertEquals(told, [[1, 3], [2, 2]]);
});

Deno.test("Commit.copied waits for nobody who cannot be reached, and says so", async () => {
  const { commit, nodes, told } = replicated();
  commit.submit(account(1));
  await commit.drained();
  nodes.reachable = 0;
  commit.copiesChanged();
  assertEquals([commit.copied, commit.copiesOf()], [1, 1]);
  commit.submit(account(2));
  await commit.drained();
  assertEquals(told.at(-1), [2, 1]);
});

Deno.test("Commit.copied waits no longer than copyTimeoutMs for nodes that are slow", async () => {
  const { commit, timer } = replicated();
  commit.submit(account(1));
  await commit.drained();
  timer.pass(600);
  commit.submit(account(2));
  await commit.drained();
  timer.pass(399);
  assertEquals(commit.copied, 0);
  timer.pass(1);
  assertEquals([commit.copied, commit.copiesOf()], [1, 1]);
  timer.pass(600);
  assertEquals(commit.copied, 2);
});

Deno.test("Commit.copied gives acknowledgements another chance after the process was stopped", async () => {
  const { commit, nodes, timer } = replicated();
  commit.submit(account(1));
  await commit.drained();
  timer.freeze(5000);
  assertEquals(commit.copied, 0);
  nodes.durable = [1];
  commit.copiesChanged();
  assertEquals([commit.copied, commit.copiesOf()], [1, 2]);
});

Deno.test("Commit.accept() takes what is new, resolves once it is durable, and publishes it", async () => {
  const log = new ScriptedLog();
  const nodes = new ScriptedNodes();
  const commit = commitTo(log);
  commit.replicateWith(nodes);
  let isDurable = false;
  const accepting = commit.accept([foreign(1), foreign(2)]).then(() => isDurable = true);
  const again = commit.accept([foreign(1)]);
  await log.written(1);
  assertEquals([isDurable, commit.durable.seqOf("other.e"), nodes.published], [false, 0, []]);
  log.batches[0]?.synced.resolve(undefined);
  await accepting;
  await again;
  assertEquals([commit.durable.seqOf("other.e"), nodes.published.length], [2, 2]);
  // Nobody here waits for copies of what others submitted.
  assertEquals(commit.copied, 2);
  await commit.accept([foreign(2)]);
  assertEquals(log.batches.length, 1);
});

Deno.test("Commit.accept() refuses an operation whose predecessor is missing", () => {
  const commit = commitTo(quickLog);
  assertThrows(() => commit.accept([foreign(2)]), GapError, "1 is due");
});

Deno.test("Commit.submit() begins a new epoch unless others confirmed the last one, and records it first", async () => {
  const recorded: string[] = [];
  const log = new ScriptedLog();
  const origin = ownOrigin({ confirmed: false, recorded });
  const commit = commitTo(log, { origin });
  assertEquals(commit.submit(account(1)).origin, "n.new0");
  assertEquals(commit.submit(account(2)).origin, "n.new0");
  await log.written(1);
  assertEquals(recorded, ["new0"]);
  const confirmed = ownOrigin({ confirmed: false });
  confirmed.confirm();
  assertEquals(commitTo(quickLog, { origin: confirmed }).submit(account(1)).origin, "n.e");
});

Deno.test("Commit.submit() begins a new epoch once others turn out to know more of the last one", async () => {
  const origin = ownOrigin();
  const commit = commitTo(quickLog, { origin });
  await commit.accept([foreign(1, "n.e")]);
  // Whoever asked earlier confirmed only what he knew.
  origin.confirm();
  assertEquals(commit.submit(account(1)).origin, "n.new0");
});

/** A commit path with one operation on its way to other nodes, and the sizes of what it has written. */
async function withOneUnderWay() {
  const batches: number[] = [];
  const log: BatchLog = {
    writeBatch: (operations) => Promise.resolve(void batches.push(operations.length)),
  };
  const [nodes, timer] = [new ScriptedNodes(), new ManualTimer()];
  const commit = commitTo(log, { timer });
  commit.replicateWith(nodes);
  for (const number of [1, 2, 3]) commit.submit(account(number));
  await commit.drained();
  assertEquals(batches, [3]);
  return { batches, nodes, timer, commit };
}

Deno.test("Commit writes no small batch while a larger one is on its way: it gathers as many", async () => {
  const { commit, batches } = await withOneUnderWay();
  for (const number of [4, 5]) commit.submit(account(number));
  await turns();
  assertEquals(batches, [3]);
  commit.submit(account(6));
  await commit.drained();
  assertEquals(batches, [3, 3]);
});

Deno.test("Commit gathers no longer than what is on its way takes", async () => {
  const { commit, nodes, batches } = await withOneUnderWay();
  commit.submit(account(4));
  await turns();
  nodes.durable = [3];
  commit.copiesChanged();
  await commit.drained();
  assertEquals(batches, [3, 1]);
});

Deno.test("Commit gathers for 2 ms at most", async () => {
  const { commit, timer, batches } = await withOneUnderWay();
  commit.submit(account(4));
  await turns();
  timer.pass(1);
  await turns();
  assertEquals(batches, [3]);
  timer.pass(1);
  await commit.drained();
  assertEquals(batches, [3, 1]);
});

Deno.test("Commit lets nothing wait that another node waits for", async () => {
  const { commit, batches } = await withOneUnderWay();
  commit.submit(account(4));
  await turns();
  await commit.accept([foreign(1)]);
  assertEquals(batches, [3, 2]);
});

/** Lets everything happen that needs no time to pass. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

Deno.test("Commit.atNextSettle() looks right after a batch, and says so if there is no further one", async () => {
  const commit = commitTo(quickLog);
  const found = commit.atNextSettle(() => [commit.settled, commit.position]);
  commit.submit(account(1));
  assertEquals(await found, [1, 1]);
  const never = commit.atNextSettle(() => "never");
  commit.close();
  await assertRejects(() => never, StorageError, "nothing is written");
  await assertRejects(() => commit.atNextSettle(() => "never"), StorageError);
  await commit.drained();
});
