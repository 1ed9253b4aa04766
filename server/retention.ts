import type { Commit, Timer } from "./commit.ts";
import type { Row } from "./core/message_table.ts";
import type { ChatState } from "./core/state.ts";
import type { Log } from "./log.ts";

/** When it looks for messages that are too old. */
export interface RetentionTimes {
  /** For the first time after so many ms. */
  readonly firstMs: number;
  /** And then again after so many. */
  readonly everyMs: number;
}

export interface RetentionParts {
  /** Messages older than so many days are deleted. */
  readonly days: number;
  readonly state: ChatState;
  readonly commit: Pick<Commit, "submit" | "untilCopied">;
  /** The name of this node. */
  readonly node: string;
  /** All nodes' names, in the order of the configuration. */
  readonly nodes: readonly string[];
  /** The other nodes, and how far ahead their clocks are as far as that is known. */
  readonly peers: () => readonly RetentionPeer[];
  readonly timer: Timer;
  /** Wall clock, ms since 1970. */
  readonly wallMs: () => number;
  readonly times?: RetentionTimes;
  /** A line for the operator. */
  readonly log: Log;
}

export interface RetentionPeer {
  readonly name: string;
  readonly state: "connected" | "catching_up" | "unreachable";
  readonly skewMs?: number;
}

export const RETENTION_TIMES: RetentionTimes = { firstMs: 60_000, everyMs: 60 * 60 * 1000 };
/** Clocks may be so far apart, and may jump so far, in ms. */
export const CLOCK_DOUBT_MS = 60 * 60 * 1000;
/** A clock that has jumped is trusted again after so long, in ms. */
export const CLOCK_TRUST_MS = 24 * 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Messages that one operation deletes at most: to apply it takes about 0.3 ms, for 1,000,000 messages. */
export const DELETED_AT_ONCE_MAX = 250;
/** So many are gathered by sender before they are deleted. */
const GATHERED_MAX = 20_000;
/** Others wait for so long at most while it looks, in ms. */
const SLICE_MS = 1;
const ROWS_PER_SLICE_MIN = 256;

/**
 * Deletes what is older than the configuration allows, by ordinary operations, a few at a time. Of the
 * nodes that see each other the first in the configuration does it for all: that two do it at once, as
 * when they lost sight of each other, is harmless, and costs only operations.
 *
 * What is deleted stays so. Nothing is while this node's clock is in doubt: if it was set by more than an
 * hour, or is that far from another node's, or there is no other node to compare it with.
 */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #times: RetentionTimes;
  readonly #stopped = Promise.withResolvers<void>();
  #isStopped = false;
  #running: Promise<void> | undefined;
  #cancel: () => void;
  /** How far the wall clock is ahead of the one that nobody sets. */
  #offsetMs: number;
  #jumpedMs = -Infinity;
  #lastDoubt: string | undefined;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#times = parts.times ?? RETENTION_TIMES;
    this.#offsetMs = parts.wallMs() - parts.timer.nowMs();
    this.#cancel = this.#lookLater(this.#times.firstMs);
  }

  /** Stops after the operation that is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopped.resolve();
    this.#cancel();
    await this.#running;
  }

  #lookLater(delayMs: number): () => void {
    return this.#parts.timer.after(delayMs, () => {
      this.#running = this.#look().then((nextMs) => {
        this.#running = undefined;
        if (!this.#isStopped) this.#cancel = this.#lookLater(nextMs);
      });
    });
  }

  /** Resolves with the time until the next look. */
  async #look(): Promise<number> {
    const { days, peers, wallMs, log } = this.#parts;
    this.#noteJump();
    if (!this.#isOurs) return this.#times.everyMs;
    // A stream that was made just now.
    const isTooEarly = peers().some((peer) => isReached(peer) && peer.skewMs === undefined);
    if (isTooEarly) return this.#times.firstMs;
    const doubt = this.#doubt();
    if (doubt !== undefined && doubt !== this.#lastDoubt) {
      log(`does not delete messages older than ${days} days for now: ${doubt}`, {
        event: "retention",
      });
    }
    this.#lastDoubt = doubt;
    if (doubt !== undefined) return this.#times.everyMs;
    const count = await this.#deleteBefore(wallMs() - days * DAY_MS);
    if (count > 0) {
      log(`deleted ${count} messages older than ${days} days`, { event: "retention" });
    }
    return this.#times.everyMs;
  }

  /** Whether no other node that comes first can do it. */
  get #isOurs(): boolean {
    const { node, nodes, peers } = this.#parts;
    const reached = new Set(peers().filter(isReached).map(({ name }) => name));
    return nodes.find((name) => name === node || reached.has(name)) === node;
  }

  #noteJump(): void {
    const { timer, wallMs } = this.#parts;
    const offsetMs = wallMs() - timer.nowMs();
    if (Math.abs(offsetMs - this.#offsetMs) > CLOCK_DOUBT_MS) this.#jumpedMs = timer.nowMs();
    this.#offsetMs = offsetMs;
  }

  /** Why this node's clock may be wrong, as a clause. */
  #doubt(): string | undefined {
    const { nodes, peers, timer } = this.#parts;
    if (timer.nowMs() - this.#jumpedMs < CLOCK_TRUST_MS) {
      return "this machine's clock was set, or stood still, and is trusted again after a day";
    }
    const reached = peers().filter(isReached);
    if (reached.length === 0 && nodes.length > 1) {
      return "no other node can be reached to compare clocks with";
    }
    const other = reached.find(({ skewMs = 0 }) => Math.abs(skewMs) > CLOCK_DOUBT_MS);
    return other && `the clock of ${other.name} and this one are more than an hour apart`;
  }

  /** Resolves with how many it deleted. */
  async #deleteBefore(limitMs: number): Promise<number> {
    const { state: { messages }, timer } = this.#parts;
    const bySender = new Map<number, Row[]>();
    let [deleted, gathered, startMs] = [0, 0, timer.nowMs()];
    const isOld = (row: Row) => messages.isPresent(row) && messages.timeMsOf(row) < limitMs;
    const take = async (sender: number, rows: readonly Row[]) => {
      bySender.delete(sender);
      gathered -= rows.length;
      // Somebody may have been faster.
      deleted += await this.#delete(sender, rows.filter(isOld));
      startMs = timer.nowMs();
    };
    for (let row = 0; row < messages.length && !this.#isStopped; row++) {
      if (row % ROWS_PER_SLICE_MIN === 0 && timer.nowMs() - startMs >= SLICE_MS) {
        await this.#pause(timer.nowMs() - startMs);
        startMs = timer.nowMs();
      }
      if (!isOld(row)) continue;
      const sender = messages.senderOf(row);
      const rows = bySender.get(sender) ?? [];
      if (rows.push(row) === 1) bySender.set(sender, rows);
      gathered++;
      if (rows.length === DELETED_AT_ONCE_MAX) await take(sender, rows);
      if (gathered >= GATHERED_MAX) { for (const one of [...bySender]) await take(...one); }
    }
    for (const one of [...bySender]) await take(...one);
    return deleted;
  }

  async #delete(sender: number, rows: readonly Row[]): Promise<number> {
    const { commit, state: { accounts, messages }, timer } = this.#parts;
    if (rows.length === 0 || this.#isStopped || !this.#isOurs) return 0;
    const ids = rows.map((row) => messages.idOf(row));
    const startMs = timer.nowMs();
    commit.submit({ kind: "messages_deleted", by: accounts.idOf(sender), ids });
    const workedMs = timer.nowMs() - startMs;
    // Nothing queues, here or on the way to the others.
    await Promise.race([commit.untilCopied(), this.#stopped.promise]);
    await this.#pause(workedMs);
    return ids.length;
  }

  /** Lets others have as much time as was taken. */
  async #pause(workedMs: number): Promise<void> {
    let cancel = () => {};
    const passed = new Promise<void>((resolve) => {
      cancel = this.#parts.timer.after(workedMs, resolve);
    });
    await Promise.race([passed, this.#stopped.promise]);
    cancel();
  }
}

function isReached({ state }: RetentionPeer): boolean {
  return state !== "unreachable";
}
