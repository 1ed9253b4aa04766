import type { KnownSources } from "./known_sources.ts";
import { Throttle } from "./throttle.ts";

/**
 * How many connections there is time for of addresses that are not known, all of them together: they may
 * be as many as a flood likes. A `burst` may come at once, then so many a second.
 */
export class StrangersPace {
  readonly #known: KnownSources;
  readonly #begun: Throttle<"all">;

  constructor(known: KnownSources, burst: number, perSecond: number) {
    this.#known = known;
    this.#begun = new Throttle(burst, 1000 / perSecond);
  }

  /** Whether one more of this address is too much; it counts if it is not. */
  isTooMuch(address: string, nowMs: number): boolean {
    if (this.#known.has(address)) return false;
    if (this.#begun.waitMs("all", nowMs) > 0) return true;
    this.#begun.charge("all", nowMs);
    return false;
  }
}
