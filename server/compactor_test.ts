import { assert, assertEquals, assertRejects } from "@std/assert";
import { Commit, type Timer } from "./commit.ts";
import { Compactor, WAIT_MAX_MS } from "./compactor.ts";
import { HybridClock } from "./core/hybrid_clock.ts";
import { StorageError } from "./journal/files.ts";
import { JournalError } from "./journal/journal.ts";
import { OwnOrigin } from "./own_origin.ts";
import { contentsOf, FailingFiles, inTempDirectory } from "./testing/journal_fixture.ts";
import { ManualTimer } from "./testing/manual_timer.ts";
import { account, ANN, BOB, JournalNode, sent } from "./testing/journal_node.ts";

Deno.test("Compactor.run() makes no snapshot of what the journal failed to write", async () => {
  await inTempDirectory(async (directory) => {
    // The header is written, the first batch after it is not.
    const change = /^write journal-00000002/;
    const files = new FailingFiles({ change, failAt: 2, code: "ENOSPC" });
    const { node, compactor, commit, failed, meanwhile } = await compacting(directory, files);
    const before = node.summary;
    meanwhile(() => commit.submit(sent(9)));
    await assertRejects(() => compactor.run(), StorageError, "Cannot compact");
    assert(await failed instanceof JournalError);
    await compactor.stop();
    await node.close();
    const names = [...(await contentsOf(directory)).keys()];
    assertEquals(names.filter((name) => name.startsWith("snapshot")), []);
    const again = await JournalNode.open(directory);
    assertEquals(again.summary, before);
    await again.close();
  });
});

Deno.test("Compactor.stop() ends a compaction that is under way, and leaves no draft", async () => {
  await inTempDirectory(async (directory) => {
    const { node, compactor, meanwhile } = await compacting(directory);
    const stopped = Promise.withResolvers<void>();
    meanwhile(() => stopped.resolve(compactor.stop()));
    await assertRejects(() => compactor.run(), StorageError, "the node is stopping");
    await stopped.promise;
    const names = [...(await contentsOf(directory)).keys()];
    assertEquals(names.filter((name) => name.startsWith("snapshot")), []);
    await node.close();
  });
});

Deno.test("Compactor tries again by itself after a failure that is over", async () => {
  await inTempDirectory(async (directory) => {
    const files = new FailingFiles({ change: /snapshot/, failAt: 1, code: "ENOSPC" });
    const { node, compactor, commit, meanwhile } = await compacting(directory, files);
    await assertRejects(() => compactor.run(), StorageError);
    compactor.soon();
    assertEquals(compactor.isDue, false);
    meanwhile(() => commit.submit(sent(9)));
    await compactor.run();
    compactor.soon();
    assertEquals(compactor.isDue, true);
    await compactor.stop();
    await node.close();
  });
});

Deno.test("Compactor waits for a node that reads what it missed, and not for ever", async () => {
  await inTempDirectory(async (directory) => {
    const timer = new ManualTimer();
    const { node, compactor } = await compacting(directory, undefined, {
      timer,
      isBeingRead: true,
    });
    compactor.soon();
    const stepMs = 10_000;
    for (let ms = 0; ms < WAIT_MAX_MS; ms += stepMs) timer.pass(stepMs);
    assertEquals(compactor.isDue, true);
    timer.pass(stepMs);
    // It has begun.
    assertEquals(compactor.isDue, false);
    const stopped = compactor.stop();
    timer.pass(stepMs);
    await stopped;
    await node.close();
  });
});

Deno.test("Compactor.run() keeps what is submitted meanwhile", async () => {
  await inTempDirectory(async (directory) => {
    const { node, compactor, commit, meanwhile } = await compacting(directory);
    meanwhile(() => commit.submit(sent(9)));
    const [first, second] = await Promise.all([compactor.run(), compactor.run()]);
    assertEquals(first, second);
    const after = node.summary;
    await compactor.stop();
    await node.close();
    const again = await JournalNode.open(directory);
    assertEquals([again.summary, again.directory.journal.current.number], [after, 2]);
    await again.close();
  });
});

/** A node with some data; `meanwhile` says what happens once in the middle of a compaction. */
async function compacting(
  directory: string,
  files?: FailingFiles,
  parts: { readonly timer?: Timer; readonly isBeingRead?: boolean } = {},
) {
  const node = await JournalNode.open(directory, files);
  await node.write(account(ANN, "ann"), account(BOB, "bob"), sent(1), sent(2), sent(3));
  const failed = Promise.withResolvers<unknown>();
  let happens: (() => void) | undefined;
  let ms = 0;
  const timer: Timer = parts.timer ?? {
    // Each look at it takes so long that there is a pause after each record.
    nowMs: () => ms++,
    after(delayMs, action) {
      // Whatever is to be looked at later is not of interest here.
      if (delayMs > 1000) return () => {};
      happens?.();
      happens = undefined;
      queueMicrotask(action);
      return () => {};
    },
  };
  const clock = new HybridClock();
  const { state } = node;
  const origin = new OwnOrigin({
    node: "node1",
    epoch: node.directory.epoch,
    confirmed: true,
    newEpoch: () => "never",
    record: (epoch) => node.directory.beginEpoch(epoch),
    onRenewed() {},
  });
  const commit = new Commit({
    ...{ state, clock, timer, origin, log: node.directory.journal, copies: 1, copyTimeoutMs: 1 },
    nowMs: () => 1_795_000_000_000,
    nextTurn: () => Promise.resolve(),
    onFailure: failed.resolve,
  });
  const compactor = new Compactor({
    ...{ state, commit, clock, timer, directory: node.directory },
    isBeingRead: () => parts.isBeingRead ?? false,
    knownByAll: () => undefined,
    nowMs: () => 1_795_000_000_000,
    log() {},
  });
  const meanwhile = (action: () => void) => happens = action;
  return { node, compactor, commit, failed: failed.promise, meanwhile };
}
