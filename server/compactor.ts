import type { Commit, Timer } from "./commit.ts";
import type { HybridClock } from "./core/hybrid_clock.ts";
import { isForgotten } from "./core/effects.ts";
import { type MayForget, recordsOf } from "./core/snapshot.ts";
import type { ChatState } from "./core/state.ts";
import type { VersionVector } from "./core/version_vector.ts";
import { bytesOf, compact, type CompactionReport } from "./journal/compaction.ts";
import type { DataDirectory } from "./journal/data_directory.ts";
import { BACKUP_AGE_MAX_MS } from "./journal/backup_file.ts";
import { StorageError } from "./journal/files.ts";
import type { Log } from "./log.ts";

export interface CompactorParts {
  readonly state: ChatState;
  readonly commit: Commit;
  readonly clock: HybridClock;
  readonly directory: DataDirectory;
  readonly timer: Timer;
  /** Whether a node that came back is still being sent what it missed: it would have to begin anew. */
  readonly isBeingRead: () => boolean;
  /** What all nodes have, as far as they are all there: see Cluster.knownByAll(). */
  readonly knownByAll: () => VersionVector | undefined;
  /** Wall clock, ms since 1970. */
  readonly nowMs: () => number;
  /** A line for the operator. */
  readonly log: Log;
}

/** A journal below this is not worth the trouble, in bytes. */
export const COMPACT_BYTES_MIN = 16 * 1024 * 1024;
/** So often, what was deleted goes from disk also where that makes little difference, in ms. */
export const COMPACT_EVERY_MS = 24 * 60 * 60 * 1000;
/** For each ms of work others have so many. */
const REST_PER_WORK = 2;
/** So long a compaction that is due waits for a node that is being sent what it missed, in ms. */
export const WAIT_MAX_MS = 10 * 60 * 1000;
/** How often to look whether it is time, in ms. */
const LOOK_EVERY_MS = 10_000;
/** Deleted messages that take as much space as one that is there. */
const DELETED_PER_LIVING = 8;
/** Clocks differ: what one node takes as just in time, no other may have forgotten, in ms. */
const FORGET_MARGIN_MS = 24 * 60 * 60 * 1000;
/** After a failure, nothing is tried before the journal has grown by so much. */
const GROWTH_AFTER_FAILURE = 1.25;

/** Compacts the journal, by itself when most of it is history, and when it is told to. */
export class Compactor {
  readonly #parts: CompactorParts;
  #running: Promise<CompactionReport> | undefined;
  #lastMs: number;
  #failedAtBytes = 0;
  #isWanted = false;
  /** Since when a node is being sent what it missed, as far as that was in the way. */
  #readSinceMs: number | undefined;
  #isStopped = false;
  #stopLooking: () => void;

  constructor(parts: CompactorParts) {
    this.#parts = parts;
    this.#lastMs = parts.timer.nowMs();
    this.#stopLooking = this.#lookLater();
  }

  /** Compacts now, or takes part in what is under way. Rejects with StorageError. */
  run(): Promise<CompactionReport> {
    this.#running ??= this.#run().finally(() => this.#running = undefined);
    return this.#running;
  }

  /** There is a reason to compact, whatever the size: it is done once nobody is in the way. */
  soon(): void {
    this.#isWanted = true;
  }

  /** Stops what is under way, and leaves everything as it was. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopLooking();
    // Whoever asked for it is told how it ended.
    await this.#running?.catch(() => {});
  }

  /** Whether most of what is on disk is history, or the last time is long ago. */
  get isDue(): boolean {
    const { directory, state, timer } = this.#parts;
    const { presentCount, length } = state.messages;
    const bytes = bytesOf(directory);
    if (bytes < this.#failedAtBytes * GROWTH_AFTER_FAILURE) return false;
    if (this.#isWanted) return true;
    const living = presentCount + state.accounts.length +
      (length - presentCount) / DELETED_PER_LIVING;
    const { entries } = directory.journal;
    if (bytes >= COMPACT_BYTES_MIN && entries > 2 * living) return true;
    const hasNews = directory.journal.segments.some((segment) => segment.bytes > 0);
    return hasNews && timer.nowMs() - this.#lastMs >= COMPACT_EVERY_MS;
  }

  async #run(): Promise<CompactionReport> {
    const { state, clock, commit, directory, timer } = this.#parts;
    this.#lastMs = timer.nowMs();
    this.#isWanted = false;
    state.history.add(this.#parts.nowMs(), commit.durable);
    try {
      const report = await compact({
        directory,
        records: () => recordsOf(state, this.#mayForget()),
        clock: () => clock.last,
        settled: () => this.#unlessStopped(this.#settled()),
        nowMs: () => timer.nowMs(),
        pause: (workedMs) =>
          this.#unlessStopped(
            new Promise((resolve) => timer.after(REST_PER_WORK * workedMs, resolve)),
          ),
      });
      this.#failedAtBytes = 0;
      return report;
    } catch (error) {
      this.#failedAtBytes = bytesOf(directory);
      throw error;
    }
  }

  /** A snapshot must not say what the journal failed to. */
  async #settled(): Promise<void> {
    const { commit } = this.#parts;
    const { position } = commit;
    await commit.drained();
    if (commit.settled < position) {
      throw new StorageError("Cannot compact: what happened meanwhile could not be written");
    }
  }

  /**
   * That a message was deleted is forgotten when no node can be asked any more to add it, because its key
   * tells that it is too old, or its sender is gone; and all nodes know of the deletion, so that none of
   * them has the message; and that was so long ago that no backup which may be restored has it either.
   */
  #mayForget(): MayForget {
    const { knownByAll, nowMs, state } = this.#parts;
    const [known, atMs] = [knownByAll(), nowMs() - FORGET_MARGIN_MS];
    const old = state.history.madeBy(atMs - BACKUP_AGE_MAX_MS);
    return (id, deletion, isOfNobody) =>
      known?.covers(deletion) === true && old?.covers(deletion) === true &&
      (isOfNobody || isForgotten(id, atMs));
  }

  async #unlessStopped(waited: Promise<void>): Promise<void> {
    await waited;
    if (this.#isStopped) throw new StorageError("Cannot compact: the node is stopping");
  }

  #lookLater(): () => void {
    return this.#parts.timer.after(LOOK_EVERY_MS, () => {
      this.#stopLooking = this.#lookLater();
      if (this.#running === undefined && this.isDue && !this.#mustWait()) void this.#runByItself();
    });
  }

  /** For a node that is being sent what it missed, but not for one that does not get on. */
  #mustWait(): boolean {
    const nowMs = this.#parts.timer.nowMs();
    this.#readSinceMs = this.#parts.isBeingRead() ? this.#readSinceMs ?? nowMs : undefined;
    return this.#readSinceMs !== undefined && nowMs - this.#readSinceMs < WAIT_MAX_MS;
  }

  async #runByItself(): Promise<void> {
    const { log } = this.#parts;
    try {
      log(describeCompaction(await this.run()), { event: "compacted" });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // If it is the journal that failed, the node ends with its next batch.
      if (!this.#isStopped) {
        log(`could not compact the journal, all is as before: ${error.message}`, {
          event: "compaction_failed",
        });
      }
    }
  }
}

/** For the operator. */
export function describeCompaction({ bytesBefore, bytesAfter }: CompactionReport): string {
  return `compacted ${bytesBefore} bytes to ${bytesAfter}`;
}
