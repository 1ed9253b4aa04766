import type { Random } from "../random.ts";

const SECOND_MS = 1000;
const HOUR_MS = 60 * 60 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;
/** When simulated worlds begin: any time will do. */
const BEGINNING_MS = Date.UTC(2026, 0, 1);
/**
 * How far a clock may be off, either way. Two are never so far apart that a token or a message's key,
 * which hold for 30 days, is too old where it is shown.
 */
const OFFSETS_MS_MAX = [2 * SECOND_MS, 90 * SECOND_MS, 5 * HOUR_MS, 13 * DAY_MS] as const;
/** Real clocks drift by less than a thousandth. */
const DRIFT_MAX = 0.001;

/** A machine's idea of what time it is: it may be off, drift, jump and stand still. */
export class WallClock {
  readonly #elapsedMs: () => number;
  #offsetMs = 0;
  #drift = 0;
  #frozenMs: number | undefined;
  /** The latest that it has shown, ms since 1970. */
  latestMs = BEGINNING_MS;

  /** `elapsedMs` is the true time since the beginning. */
  constructor(elapsedMs: () => number) {
    this.#elapsedMs = elapsedMs;
  }

  /** ms since 1970, whole as from the system. */
  nowMs(): number {
    const elapsedMs = this.#elapsedMs();
    const runningMs = BEGINNING_MS + this.#offsetMs + elapsedMs * (1 + this.#drift);
    const nowMs = Math.floor(this.#frozenMs ?? runningMs);
    this.latestMs = Math.max(this.latestMs, nowMs);
    return nowMs;
  }

  /** Is set to another time, drifts, or stops. Returns what happened. */
  disturb(random: Random): string {
    this.#frozenMs = undefined;
    if (random.oneIn(4)) {
      this.#frozenMs = this.nowMs();
      return "stands still";
    }
    this.#drift = (random.fraction() * 2 - 1) * DRIFT_MAX;
    const mostMs = random.pick(OFFSETS_MS_MAX);
    this.#offsetMs = random.between(-mostMs, mostMs);
    return `is ${this.#offsetMs} ms off`;
  }

  putRight(): void {
    this.#offsetMs = 0;
    this.#drift = 0;
    this.#frozenMs = undefined;
  }
}
