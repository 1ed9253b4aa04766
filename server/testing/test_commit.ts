import { type BatchLog, Commit, type CommitParts } from "../commit.ts";
import { HybridClock } from "../core/hybrid_clock.ts";
import { ChatState } from "../core/state.ts";
import { OwnOrigin } from "../own_origin.ts";
import { ManualTimer } from "./manual_timer.ts";

/** A log that is durable at once. */
export const quickLog: BatchLog = { writeBatch: () => Promise.resolve(undefined) };

/** "n.e"; new epochs are noted in `recorded`. */
export function ownOrigin({ confirmed = true, recorded = [] as string[] } = {}): OwnOrigin {
  return new OwnOrigin({
    node: "n",
    epoch: "e",
    confirmed,
    newEpoch: () => `new${recorded.length}`,
    record: (epoch) => Promise.resolve(void recorded.push(epoch)),
    onRenewed() {},
  });
}

/** A commit path of node "n", with nothing outside of itself unless `parts` says so. */
export function commitTo(log: BatchLog, parts: Partial<CommitParts> = {}): Commit {
  return new Commit({
    state: new ChatState(),
    log,
    clock: new HybridClock(),
    nowMs: () => 1_795_000_000_000,
    timer: new ManualTimer(),
    nextTurn: () => Promise.resolve(),
    origin: ownOrigin(),
    copies: 2,
    copyTimeoutMs: 1000,
    onFailure() {},
    ...parts,
  });
}
