import type { NodeProcess } from "../../server/testing/cluster_processes.ts";
import type { Random } from "../../server/testing/random.ts";

/** What a node's wall clock shows: so much later than the machine's, or always the same. */
export interface ClockSetting {
  readonly offsetMs?: number;
  /** ms since 1970. */
  readonly frozenAtMs?: number;
}

const SECOND_MS = 1000;
const HOUR_MS = 60 * 60 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * How far a clock is set, either way, in ms. Two clocks are never so far apart that a token, or a
 * message's key, which hold for 30 days, is too old where it is shown.
 */
const JUMPS_MS_MAX = [30 * SECOND_MS, 10 * HOUR_MS, 13 * DAY_MS] as const;

/** Lets one node's wall clock jump or stand still. Timers go on as they should. */
export class WallClock {
  readonly #file: string;

  constructor(node: NodeProcess) {
    this.#file = clockFileOf(node.config);
  }

  /** Seconds, hours or days, forward or back; or it stops. */
  async jump(random: Random): Promise<void> {
    if (random.oneIn(4)) return await this.#set({ frozenAtMs: Date.now() });
    const jumpMs = random.below(random.pick(JUMPS_MS_MAX));
    await this.#set({ offsetMs: random.oneIn(2) ? jumpMs : -jumpMs });
  }

  async putRight(): Promise<void> {
    await this.#set({});
  }

  async #set(setting: ClockSetting): Promise<void> {
    // Whoever reads it sees all of it.
    await Deno.writeTextFile(`${this.#file}.new`, JSON.stringify(setting));
    await Deno.rename(`${this.#file}.new`, this.#file);
  }
}

/** Where a node's clock is set, given the file of its configuration. */
export function clockFileOf(config: string): string {
  return `${config}.clock`;
}

/** ms since 1970, by a clock that was set so, when the machine's shows `realMs`. */
export function wallMsOf({ offsetMs = 0, frozenAtMs }: ClockSetting, realMs: number): number {
  return frozenAtMs ?? realMs + offsetMs;
}
