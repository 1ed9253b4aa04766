import type { ControlModeTerminal } from "./control_mode.ts";

export interface PressTimes {
  readonly count: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface PressPlan {
  readonly presses: number;
  /** Between what one press showed and the next one. */
  readonly pauseMs: number;
  /** What is typed, one after the other, again and again. */
  readonly keys: readonly string[];
  /** Whether what was written since a key was sent shows that key. */
  readonly isShown?: (output: string, key: string) => boolean;
}

/** Letters that little else on a screen has, so that what shows them was typed. */
export const RARE_KEYS: readonly string[] = ["q", "x", "z", "j"];

/** Measures from when a key is sent to when what shows it reached the terminal. */
export async function measurePresses(
  terminal: ControlModeTerminal,
  { presses, pauseMs, keys, isShown = (output, key) => output.includes(key) }: PressPlan,
): Promise<PressTimes> {
  const timesMs: number[] = [];
  for (let index = 0; index < presses; index++) {
    const key = keys[index % keys.length] ?? "x";
    const startMs = performance.now();
    const shown = terminal.nextOutput((output) => isShown(output, key))
      .then(() => performance.now() - startMs);
    const [ms] = await Promise.all([shown, terminal.type(key)]);
    timesMs.push(ms);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return pressTimes(timesMs);
}

export function pressTimes(timesMs: readonly number[]): PressTimes {
  const sorted = timesMs.toSorted((a, b) => a - b);
  // The least time that so large a part of all are not above.
  const at = (part: number) => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
  return {
    count: sorted.length,
    medianMs: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}
