import { apply, type Change } from "./core/apply.ts";
import type { HybridClock } from "./core/hybrid_clock.ts";
import type { Fact, Operation } from "./core/operation.ts";
import type { ChatState } from "./core/state.ts";

/** Where operations are made durable. One batch at a time; a failure is final. */
export interface BatchLog {
  writeBatch(operations: readonly Operation[]): Promise<void>;
}

export interface CommitParts {
  readonly state: ChatState;
  readonly log: BatchLog;
  readonly clock: HybridClock;
  /** Wall clock, ms since 1970. */
  readonly nowMs: () => number;
  /** Resolves once everything that has arrived by now has been decided: no timer, no delay. */
  readonly nextTurn: () => Promise<void>;
  /** Whose operations the local ones are: `node.epoch`. */
  readonly origin: string;
  /** Called once if the log fails: nothing after it may be answered. */
  readonly onFailure: (reason: unknown) => void;
}

/** A count of operations committed on this node, in order: "all up to here". */
export type Position = number;

/**
 * The only write path. A fact is stamped, numbered and applied at once, and durable later: whatever
 * is formed after {@linkcode submit} must stay inside until {@linkcode settled} reaches
 * {@linkcode position}, so that nobody sees what a crash could take back. What comes in while one
 * batch is being synced shares the next sync, so batches grow with load and no timer is needed.
 */
export class Commit {
  readonly #parts: CommitParts;
  #queued: Operation[] = [];
  #position: Position = 0;
  #settled: Position = 0;
  #writing: Promise<void> | undefined;
  #failed = false;
  readonly #onChange: ((change: Change, operation: Operation) => void)[] = [];
  readonly #onSettled: (() => void)[] = [];

  constructor(parts: CommitParts) {
    this.#parts = parts;
  }

  /** Everything that was submitted so far. */
  get position(): Position {
    return this.#position;
  }

  /** Everything up to here may be told to others. */
  get settled(): Position {
    return this.#settled;
  }

  /** On how many distinct nodes whatever is settled is durable. */
  get copies(): number {
    return 1;
  }

  /** Told of every change in order, before it is durable. */
  onChange(listener: (change: Change, operation: Operation) => void): void {
    this.#onChange.push(listener);
  }

  /** Told whenever {@linkcode settled} has moved. */
  onSettled(listener: () => void): void {
    this.#onSettled.push(listener);
  }

  submit(fact: Fact): Operation {
    const { clock, nowMs, origin, state } = this.#parts;
    const seq = state.vector.seqOf(origin) + 1;
    const operation: Operation = { ...fact, ...clock.next(nowMs()), origin, seq };
    const change = apply(state, operation);
    this.#queued.push(operation);
    this.#position++;
    for (const listener of this.#onChange) listener(change, operation);
    this.#writing ??= this.#writeAll();
    return operation;
  }

  /** Resolves once everything submitted so far is settled, or nothing more ever will be. */
  async drained(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#queued.length > 0 && !this.#failed) {
      // What has arrived by now is still to be decided: with it, this batch saves the next one.
      await this.#parts.nextTurn();
      const batch = this.#queued;
      this.#queued = [];
      try {
        await this.#parts.log.writeBatch(batch);
      } catch (reason) {
        this.#failed = true;
        this.#parts.onFailure(reason);
        return;
      }
      this.#settled += batch.length;
      for (const listener of this.#onSettled) listener();
    }
    this.#writing = undefined;
  }
}
