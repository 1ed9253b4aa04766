import type { Amounts, Attack } from "../attack.ts";
import type { Counts, Outcome } from "../orders.ts";

/** Of answers, so many are shown. */
const TOLD_MAX = 3;

/** Of each process, in each size. */
export function connections(full: number, quick: number, touch: number): Amounts {
  return {
    full: { connections: full },
    quick: { connections: quick },
    touch: { connections: touch },
  };
}

/** How many connections, what was answered there, and how many the server ended. */
export function connectionFigure({ deeds, answers }: Outcome): string {
  const { connections = 0, closed = 0 } = deeds;
  const ends = closed > 0 ? [`${number(closed)} closed`] : [];
  return [`${number(connections)} connections`, ...told(answers), ...ends].join(", ");
}

/** The most frequent ones. */
function told(answers: Counts): string[] {
  return Object.entries(answers).sort(([, a], [, b]) => b - a).slice(0, TOLD_MAX)
    .map(([name, count]) => `${number(count)} ${name}`);
}

/** How many of one thing were done, and how many a second; and what was answered. */
export function rateFigure(deed: string): Attack["figure"] {
  return ({ deeds, answers }, seconds) => [rate(deeds, deed, seconds), ...told(answers)].join(", ");
}

function rate(deeds: Counts, what: string, seconds: number): string {
  const count = deeds[what] ?? 0;
  return `${number(count)} ${what}, ${number(count / seconds)}/s`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString("en");
}
