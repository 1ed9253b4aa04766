import { assertEquals, assertRejects } from "@std/assert";
import { type BatchLog, Commit } from "./commit.ts";
import { HybridClock } from "./core/hybrid_clock.ts";
import type { Fact, Operation } from "./core/operation.ts";
import { ChatState } from "./core/state.ts";

/** A log whose batches are synced when the test says so. */
class ScriptedLog implements BatchLog {
  readonly batches: { operations: readonly Operation[]; synced: PromiseWithResolvers<void> }[] = [];
  #arrival = Promise.withResolvers<void>();

  writeBatch(operations: readonly Operation[]): Promise<void> {
    const synced = Promise.withResolvers<void>();
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

function account(number: number): Fact {
  const name = `user${number}`;
  return { kind: "account_created", account: name, name, generation: 1, password: "x" };
}

function commitTo(log: BatchLog, onFailure = (_reason: unknown) => {}): Commit {
  const nowMs = () => 1_795_000_000_000;
  const nextTurn = () => Promise.resolve();
  const parts = { state: new ChatState(), log, clock: new HybridClock(), nowMs, nextTurn };
  return new Commit({ ...parts, origin: "n.e", onFailure });
}

Deno.test("Commit.submit() gives facts of one turn one batch, and those during a sync the next", async () => {
  const log = new ScriptedLog();
  const commit = commitTo(log);
  commit.submit(account(1));
  commit.submit(account(2));
  await log.written(1);
  commit.submit(account(3));
  commit.submit(account(4));
  log.batches[0]?.synced.resolve();
  await log.written(2);
  assertEquals(log.batches.map(({ operations }) => operations.map(({ seq }) => seq)), [[1, 2], [
    3,
    4,
  ]]);
  log.batches[1]?.synced.resolve();
  await commit.drained();
});

Deno.test("Commit.settled follows the log, and listeners are told", async () => {
  const log = new ScriptedLog();
  const commit = commitTo(log);
  const told: number[] = [];
  commit.onSettled(() => told.push(commit.settled));
  commit.submit(account(1));
  assertEquals([commit.position, commit.settled], [1, 0]);
  await log.written(1);
  commit.submit(account(2));
  log.batches[0]?.synced.resolve();
  await log.written(2);
  assertEquals([commit.position, commit.settled], [2, 1]);
  log.batches[1]?.synced.resolve();
  await commit.drained();
  assertEquals(told, [1, 2]);
});

Deno.test("Commit settles nothing after a failed batch, and writes no more", async () => {
  const log = new ScriptedLog();
  const failure = Promise.withResolvers<never>();
  const commit = commitTo(log, failure.reject);
  commit.submit(account(1));
  await log.written(1);
  commit.submit(account(2));
  log.batches[0]?.synced.reject(new Error("disk"));
  await assertRejects(() => failure.promise, Error, "disk");
  commit.submit(account(3));
  await commit.drained();
  assertEquals([commit.settled, log.batches.length], [0, 1]);
});
