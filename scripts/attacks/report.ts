import type { Skirmish } from "./skirmish.ts";
import type { Seen } from "./watch.ts";

/** How much longer a message may take during an attack: the 99th percentile, by the normal one. */
export const RATIO_MAX = 10;

const COLUMNS = [
  "attack",
  "what was done",
  "p99 before",
  "during",
  "ratio",
  "came anew",
  "memory before",
  "at most",
  "verdict",
];

export function headingLines(): string[] {
  return [row(COLUMNS), row(COLUMNS.map(() => "---"))];
}

/** As a row of a table in Markdown. */
export function rowLine(before: Seen, came: Skirmish, faults: readonly string[]): string {
  const { attack, outcome, seconds, during } = came;
  return row([
    attack.name,
    attack.figure(outcome, seconds),
    milliseconds(before.sends.p99Ms),
    milliseconds(during.sends.p99Ms),
    ratioOf(before, during).toFixed(1),
    `${during.came}, in ${milliseconds(during.comingMsMax)}`,
    megabytes(came.residentBytesBefore),
    megabytes(came.residentBytesMax),
    faults.length === 0 ? "holds" : "**harm**",
  ]);
}

export function ratioOf(before: Seen, during: Seen): number {
  return during.sends.p99Ms / before.sends.p99Ms;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
