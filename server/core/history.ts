import type { VersionVector } from "./version_vector.ts";

/** What had been made by when. */
interface Checkpoint {
  readonly timeMs: number;
  readonly vector: VersionVector;
}

/** No two checkpoints are closer than this, in ms. */
const DISTANCE_MS = 12 * 60 * 60 * 1000;
/** Older ones tell no more than the newest of them. */
const KEPT_MS = 40 * 24 * 60 * 60 * 1000;

/** Tells how old operations are at least, about half a day exactly, without their stamps. */
export class History {
  #checkpoints: Checkpoint[] = [];

  /** Oldest first. */
  get checkpoints(): readonly Checkpoint[] {
    return this.#checkpoints;
  }

  /** All that `vector` covers had been made by then. */
  add(timeMs: number, vector: VersionVector): void {
    const isNear = (one: Checkpoint) => Math.abs(one.timeMs - timeMs) < DISTANCE_MS;
    if (this.#checkpoints.some(isNear)) return;
    this.#checkpoints = [...this.#checkpoints, { timeMs, vector: vector.copy() }]
      .sort((a, b) => a.timeMs - b.timeMs);
    const newestMs = this.#checkpoints.at(-1)?.timeMs ?? 0;
    const old = this.#checkpoints.findLastIndex((one) => newestMs - one.timeMs > KEPT_MS);
    if (old > 0) this.#checkpoints = this.#checkpoints.slice(old);
  }

  /** What is known to have been made by then; undefined if that is nothing. */
  madeBy(timeMs: number): VersionVector | undefined {
    return this.#checkpoints.findLast((one) => one.timeMs <= timeMs)?.vector;
  }
}
