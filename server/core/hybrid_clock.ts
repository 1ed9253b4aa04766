import type { Stamp } from "./operation.ts";

/** How far operations of others may pull this node's clock ahead of its own wall clock, in ms. */
export const CLOCK_AHEAD_MAX_MS = 60_000;

/** A tick is stored as a uint32. */
const TICK_MAX = 0xffff_ffff;

/**
 * A hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): stamps never go back
 * and follow what was seen, while they stay close to wall time. A wildly wrong clock elsewhere may
 * not drag this one along: what is seen counts up to {@linkcode CLOCK_AHEAD_MAX_MS} ahead.
 */
export class HybridClock {
  #timeMs = 0;
  #tick = 0;

  /** The latest stamp that was given or learnt. */
  get last(): Stamp {
    return { timeMs: this.#timeMs, tick: this.#tick };
  }

  /** The stamp of the next operation, given the wall clock. */
  next(wallMs: number): Stamp {
    if (wallMs > this.#timeMs) {
      this.#timeMs = wallMs;
      this.#tick = 0;
    } else if (this.#tick === TICK_MAX) {
      this.#timeMs++;
      this.#tick = 0;
    } else {
      this.#tick++;
    }
    return { timeMs: this.#timeMs, tick: this.#tick };
  }

  /** Learns of an operation's stamp, so that what comes next is stamped later. */
  observe(seen: Stamp, wallMs: number): void {
    if (seen.timeMs > wallMs + CLOCK_AHEAD_MAX_MS) return;
    if (seen.timeMs > this.#timeMs) {
      this.#timeMs = seen.timeMs;
      this.#tick = seen.tick;
    } else if (seen.timeMs === this.#timeMs && seen.tick > this.#tick) {
      this.#tick = seen.tick;
    }
  }
}
