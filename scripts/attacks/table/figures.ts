import type { Amounts } from "../attack.ts";
import type { Counts } from "../orders.ts";

/** Of each process, in each size. */
export function connections(full: number, quick: number, touch: number): Amounts {
  return {
    full: { connections: full },
    quick: { connections: quick },
    touch: { connections: touch },
  };
}

/** How many frames, and what was answered to them. */
export function frameFigure(counts: Counts, seconds: number): string {
  const { connections: _, frames: __, ...answers } = counts;
  const told = Object.entries(answers).map(([name, count]) => `${number(count)} ${name}`);
  return [rate(counts, "frames", seconds), ...told].join(", ");
}

/** How many of one thing, and how many a second. */
export function rate(counts: Counts, what: string, seconds: number): string {
  const count = counts[what] ?? 0;
  return `${number(count)} ${what}, ${number(count / seconds)}/s`;
}

export function number(value: number): string {
  return Math.round(value).toLocaleString("en");
}
