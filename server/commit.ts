import { apply } from "./core/apply.ts";
import type { Change } from "./core/effects.ts";
import type { HybridClock } from "./core/hybrid_clock.ts";
import type { Fact, Operation, Provenance, Stamp } from "./core/operation.ts";
import { type Entry, isStateRecord } from "./core/state_record.ts";
import type { ChatState } from "./core/state.ts";
import { VersionVector } from "./core/version_vector.ts";
import { StorageError } from "./journal/files.ts";
import type { WrittenBatch } from "./journal/journal.ts";
import type { OwnOrigin } from "./own_origin.ts";

/** Where operations are made durable. One batch at a time; a failure is final. */
export interface BatchLog {
  /** Resolves with the batch as it was written, if it was in one piece. */
  writeBatch(entries: readonly Entry[]): Promise<WrittenBatch | undefined>;
}

/** All that the commit path knows of other nodes. */
export interface Replication {
  /** These are durable here: others may have them. In order, and each once. */
  publish(entries: readonly Entry[], written: WrittenBatch | undefined): void;
  /** On how many other nodes this operation, and all before it of its origin, is durable. */
  copiesElsewhere(operation: OperationName): number;
  /** On how many other nodes all that `known` covers is durable. */
  copiesOfAllElsewhere(known: VersionVector): number;
  /** How many other nodes can be expected to acknowledge what is published now. */
  readonly reachable: number;
}

/** Waits, by a clock that nobody sets. */
export interface Timer {
  nowMs(): number;
  /** Calls `action` once after `delayMs`, unless what this returns is called before. */
  after(delayMs: number, action: () => void): () => void;
}

export interface CommitParts {
  readonly state: ChatState;
  readonly log: BatchLog;
  readonly clock: HybridClock;
  /** Wall clock, ms since 1970. */
  readonly nowMs: () => number;
  readonly timer: Timer;
  /** Resolves once everything that has arrived by now has been decided: no timer, no delay. */
  readonly nextTurn: () => Promise<void>;
  readonly origin: OwnOrigin;
  /** On how many nodes an operation should be durable before it is acknowledged. */
  readonly copies: number;
  /** How long to wait for that after it is durable here, in ms. */
  readonly copyTimeoutMs: number;
  /** Called once if the log fails: nothing after it may be answered. */
  readonly onFailure: (reason: unknown) => void;
}

export type OperationName = Pick<Provenance, "origin" | "seq">;

/** A count of operations committed on this node, in order: "all up to here". */
export type Position = number;

/** A timer this late means that the process was stopped: what others sent meanwhile is not read yet. */
const LATE_MS = 500;

/** The longest that operations wait to be written together, in ms. */
const GATHER_MAX_MS = 2;

/** What was settled together, and waits for copies. */
interface Uncopied {
  readonly position: Position;
  /** How many of this node's own operations it has. */
  readonly count: number;
  /** The last of this node's own operations in it. */
  readonly last: Operation;
  deadlineMs: number;
  hasExpired: boolean;
}

interface Waiter {
  readonly position: Position;
  resolve(): void;
}

/** An operation of another node whose predecessor is missing: nothing of it was done. */
export class GapError extends Error {
  override readonly name = "GapError";
}

/**
 * The only write path, for local requests and for what other nodes send. A fact is stamped, numbered
 * and applied at once, and durable later: whatever is formed after {@linkcode submit} must stay inside
 * until {@linkcode settled} reaches {@linkcode position}, so that nobody sees what a crash could take
 * back. What comes in while one batch is being synced shares the next sync, so batches grow with load
 * and no timer is needed. Acknowledgements wait further, for {@linkcode copied}.
 */
export class Commit {
  readonly #parts: CommitParts;
  /** What is durable here: all that may be told to other nodes. */
  readonly durable: VersionVector;
  #replication: Replication | undefined;
  #queued: Entry[] = [];
  /** The last of this node's own operations in the queue, and how many those are. */
  #queuedOwn: Operation | undefined;
  #queuedOwnCount = 0;
  /** Own operations on their way to other nodes. */
  #uncopiedCount = 0;
  #stopGathering: (() => void) | undefined;
  #position: Position = 0;
  #settled: Position = 0;
  #copied: Position = 0;
  #lastCopied: Operation | undefined;
  readonly #uncopied: Uncopied[] = [];
  #stopWaiting: (() => void) | undefined;
  readonly #waitForSettled: Waiter[] = [];
  readonly #waitForCopied: Waiter[] = [];
  #writing: Promise<void> | undefined;
  #failed = false;
  readonly #atNextSettle: { readonly take: () => void; readonly giveUp: () => void }[] = [];
  /** Resolves when nothing is written any more. */
  readonly #over = Promise.withResolvers<void>();
  readonly #onChange: ((change: Change) => void)[] = [];
  readonly #onProgress: (() => void)[] = [];

  /** All that `parts.state` holds by now is durable. */
  constructor(parts: CommitParts) {
    this.#parts = parts;
    this.durable = parts.state.vector.copy();
  }

  /** From now on operations are published, and acknowledged as `replication` says. */
  replicateWith(replication: Replication): void {
    this.#replication = replication;
  }

  /** Everything that was submitted so far. */
  get position(): Position {
    return this.#position;
  }

  /** Everything up to here may be told to others. */
  get settled(): Position {
    return this.#settled;
  }

  /** Everything up to here has as many copies as it will be waited for. */
  get copied(): Position {
    return this.#copied;
  }

  /**
   * On how many distinct nodes something that is durable here is so: one operation, everything, or
   * without saying what, the last that was submitted up to {@linkcode copied}.
   */
  copiesOf(what: OperationName | "everything" = this.#lastCopied ?? "everything"): number {
    const replication = this.#replication;
    if (replication === undefined) return 1;
    return 1 +
      (what === "everything"
        ? replication.copiesOfAllElsewhere(this.durable)
        : replication.copiesElsewhere(what));
  }

  /** Told of every change in order, before it is durable. */
  onChange(listener: (change: Change) => void): void {
    this.#onChange.push(listener);
  }

  /** Told whenever {@linkcode settled} or {@linkcode copied} has moved. */
  onProgress(listener: () => void): void {
    this.#onProgress.push(listener);
  }

  /** A new operation of this node, made now, or at a time of which it tells. */
  submit(fact: Fact, at?: Stamp): Operation {
    const { clock, nowMs, origin: own, state } = this.#parts;
    const origin = own.take();
    const seq = state.vector.seqOf(origin) + 1;
    const stamp = at ?? clock.next(nowMs());
    const operation: Operation = { ...fact, ...stamp, origin, seq };
    this.#queuedOwn = operation;
    this.#queuedOwnCount++;
    this.#add(operation, apply(state, operation));
    return operation;
  }

  /**
   * Takes in what another node sent, operations as far as they are new. Resolves once all of it is
   * durable here.
   * Throws {@linkcode GapError} at the first operation whose predecessor is missing.
   */
  accept(entries: readonly Entry[]): Promise<void> {
    const { clock, nowMs, origin: own, state } = this.#parts;
    const now = nowMs();
    for (const entry of entries) {
      const ownSeq = state.vector.seqOf(own.current);
      const change = apply(state, entry);
      if (change.kind === "duplicate") continue;
      if (change.kind === "gap") {
        const { origin, seq } = entry;
        throw new GapError(`Cannot take ${seq} of ${origin}: ${change.expectedSeq} is due`);
      }
      if (state.vector.seqOf(own.current) > ownSeq) {
        own.disown("another node knew more of the last one");
      }
      const stamp = stampOf(entry);
      if (stamp !== undefined) clock.observe(stamp, now);
      this.#add(entry, change);
    }
    return this.#untilSettled(this.#position);
  }

  /** To be called when more copies are known, or fewer nodes are reachable. */
  copiesChanged(): void {
    if (this.#advanceCopied()) this.#tellProgress();
  }

  /** Resolves once everything submitted so far is {@linkcode copied}. */
  untilCopied(): Promise<void> {
    const position = this.#position;
    if (position <= this.#copied) return Promise.resolve();
    return new Promise((resolve) => this.#waitForCopied.push({ position, resolve }));
  }

  /** Nothing is written any more: what others send from now on, they send again at the next start. */
  close(): void {
    this.#failed = true;
    this.#over.resolve();
    for (const { giveUp } of this.#atNextSettle.splice(0)) giveUp();
  }

  /** Resolves once everything submitted so far is settled, or nothing more ever will be. */
  async drained(): Promise<void> {
    if (this.#failed) return;
    await Promise.race([this.#untilSettled(this.#position), this.#over.promise]);
  }

  /**
   * What `take` says right after the next batch has become durable, before there is a further one.
   * Rejects with StorageError if there will be none.
   */
  atNextSettle<T>(take: () => T): Promise<T> {
    if (this.#failed) return Promise.reject(over());
    return new Promise((resolve, reject) => {
      this.#atNextSettle.push({ take: () => resolve(take()), giveUp: () => reject(over()) });
    });
  }

  #add(entry: Entry, change: Change): void {
    this.#queued.push(entry);
    this.#position++;
    // First of all: it waits for the next turn, and what is queued is written whatever listeners do.
    this.#writing ??= this.#writeAll();
    for (const listener of this.#onChange) listener(change);
    this.#lookWhetherGathered();
  }

  async #writeAll(): Promise<void> {
    const { log, nextTurn, onFailure, origin } = this.#parts;
    while (this.#queued.length > 0 && !this.#failed) {
      // What has arrived by now is still to be decided: with it, this batch saves the next one.
      await nextTurn();
      if (this.#mayGather) await this.#gather();
      const [batch, own, ownCount] = [this.#queued, this.#queuedOwn, this.#queuedOwnCount];
      this.#queued = [];
      this.#queuedOwn = undefined;
      this.#queuedOwnCount = 0;
      try {
        await origin.record();
        const written = await log.writeBatch(batch);
        this.#settle(batch, written, own, ownCount);
      } catch (reason) {
        this.close();
        onFailure(reason);
        return;
      }
    }
    this.#writing = undefined;
  }

  /**
   * Whether what is queued had better wait for more: while operations are on their way to other nodes,
   * their clients are silent, and a batch costs three nodes more than what is in it. So one that is
   * smaller than what is on its way waits until that is there, boundedly. What others sent never
   * waits: they wait for it.
   */
  get #mayGather(): boolean {
    return this.#queued.length === this.#queuedOwnCount &&
      this.#queuedOwnCount < this.#uncopiedCount;
  }

  async #gather(): Promise<void> {
    const gathered = Promise.withResolvers<void>();
    const cancel = this.#parts.timer.after(GATHER_MAX_MS, gathered.resolve);
    this.#stopGathering = gathered.resolve;
    await gathered.promise;
    this.#stopGathering = undefined;
    cancel();
  }

  #lookWhetherGathered(): void {
    if (this.#stopGathering !== undefined && !this.#mayGather) this.#stopGathering();
  }

  #settle(
    batch: readonly Entry[],
    written: WrittenBatch | undefined,
    own: Operation | undefined,
    ownCount: number,
  ): void {
    for (const [index, entry] of batch.entries()) {
      if (isStateRecord(entry)) {
        if (entry.kind === "coverage") this.durable.include(VersionVector.of(entry.vector));
        continue;
      }
      // Those of one origin mostly come one after the other.
      if (batch[index + 1]?.origin !== entry.origin) this.durable.advance(entry.origin, entry.seq);
    }
    this.#settled += batch.length;
    // First of all, as others need the longest.
    this.#replication?.publish(batch, written);
    if (own !== undefined) this.#waitForCopies(own, ownCount);
    this.#advanceCopied();
    this.#tellProgress();
  }

  #untilSettled(position: Position): Promise<void> {
    if (position <= this.#settled) return Promise.resolve();
    return new Promise((resolve) => this.#waitForSettled.push({ position, resolve }));
  }

  #tellProgress(): void {
    for (const { take } of this.#atNextSettle.splice(0)) take();
    for (const listener of this.#onProgress) listener();
    wake(this.#waitForSettled, this.#settled);
    wake(this.#waitForCopied, this.#copied);
  }

  #waitForCopies(last: Operation, count: number): void {
    const deadlineMs = this.#parts.timer.nowMs() + this.#parts.copyTimeoutMs;
    this.#uncopied.push({ position: this.#settled, count, last, deadlineMs, hasExpired: false });
    this.#uncopiedCount += count;
  }

  /** Moves {@linkcode copied} as far as it goes, telling of all steps but the last; whether it moved. */
  #advanceCopied(): boolean {
    const before = this.#copied;
    for (;;) {
      const first = this.#uncopied[0];
      if (first === undefined || !this.#hasCopies(first)) break;
      this.#uncopied.shift();
      this.#uncopiedCount -= first.count;
      // Each with its own count of copies: what comes later has fewer.
      if (this.#copied > before) this.#tellProgress();
      this.#lastCopied = first.last;
      this.#copied = first.position;
    }
    if (this.#uncopied.length === 0) this.#copied = this.#settled;
    this.#watchDeadline();
    this.#lookWhetherGathered();
    return this.#copied > before;
  }

  #hasCopies({ last, hasExpired }: Uncopied): boolean {
    const replication = this.#replication;
    if (replication === undefined || hasExpired) return true;
    const wanted = Math.min(this.#parts.copies, 1 + replication.reachable);
    return wanted <= 1 || 1 + replication.copiesElsewhere(last) >= wanted;
  }

  #watchDeadline(): void {
    const first = this.#uncopied[0];
    if (first === undefined) {
      this.#stopWaiting?.();
      this.#stopWaiting = undefined;
    } else if (this.#stopWaiting === undefined) {
      const { timer } = this.#parts;
      this.#stopWaiting = timer.after(first.deadlineMs - timer.nowMs(), () => {
        this.#stopWaiting = undefined;
        this.#expire();
      });
    }
  }

  #expire(): void {
    const nowMs = this.#parts.timer.nowMs();
    const first = this.#uncopied[0];
    const wasStopped = first !== undefined && nowMs - first.deadlineMs > LATE_MS;
    for (const uncopied of this.#uncopied) {
      if (uncopied.deadlineMs > nowMs) break;
      // Acknowledgements may wait to be read: they get as long again.
      if (wasStopped) uncopied.deadlineMs = nowMs + this.#parts.copyTimeoutMs;
      else uncopied.hasExpired = true;
    }
    this.copiesChanged();
    this.#watchDeadline();
  }
}

/** What a node's clock learns of an entry. */
export function stampOf(entry: Entry): Stamp | undefined {
  if (!isStateRecord(entry)) return entry;
  return entry.kind === "coverage" ? entry.clock : undefined;
}

function over(): StorageError {
  return new StorageError("Cannot wait for the journal: nothing is written to it any more");
}

/** Wakes who waits for no more than `position`. */
function wake(waiters: Waiter[], position: Position): void {
  let count = 0;
  while ((waiters[count]?.position ?? Infinity) <= position) count++;
  for (const { resolve } of waiters.splice(0, count)) resolve();
}
