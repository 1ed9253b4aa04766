import { FAULTS, Findings } from "../../server/testing/people/findings.ts";
import {
  OPERATION_KINDS,
  type OperationKind,
  sumOfTallies,
  type Tally,
} from "../../server/testing/people/history.ts";
import type { FaultsReport } from "./campaign.ts";
import { type Damage, DEEDS } from "./chaos.ts";

/** Of each fault, so many are shown. */
const EXAMPLES_MAX = 5;

/** What campaigns came to together, each of which had a cluster of its own. */
export function sumOf(reports: readonly FaultsReport[]): FaultsReport {
  const total = (countOf: (report: FaultsReport) => number) =>
    reports.reduce((sum, report) => sum + countOf(report), 0);
  const findings = new Findings();
  const copies = new Map<number, number>();
  for (const report of reports) {
    for (const [fault, what] of report.findings.list()) findings.report(fault, ...what);
    for (const [nodes, times] of report.copies) copies.set(nodes, (copies.get(nodes) ?? 0) + times);
  }
  const damage = DEEDS.map((deed) => [deed, total((report) => report.damage[deed])]);
  return {
    damage: Object.fromEntries(damage) as Damage,
    kills: total(({ kills }) => kills),
    tally: sumOfTallies(reports.map(({ tally }) => tally)),
    acknowledged: total(({ acknowledged }) => acknowledged),
    copies,
    findings,
    reconnects: total(({ reconnects }) => reconnects),
    events: total(({ events }) => events),
    convergenceMs: Math.max(0, ...reports.map(({ convergenceMs }) => convergenceMs)),
    hadSmallDisk: reports.every(({ hadSmallDisk }) => hadSmallDisk),
  };
}

/** A report as it is printed. */
export function linesOf({ damage, tally, findings, ...report }: FaultsReport): string[] {
  const copies = [...report.copies].sort(([a], [b]) => a - b)
    .map(([nodes, times]) => `${times} on ${nodes}`).join(", ");
  return [
    `${report.kills} processes killed`,
    DEEDS.map((deed) => `${deed}: ${damage[deed]}`).join(", "),
    "operations",
    ...OPERATION_KINDS.map((kind) => `  ${kind}: ${describeEnds(tally[kind])}`),
    `${report.acknowledged} changes acknowledged, ${copies}`,
    `${report.reconnects} reconnects, ${report.events} events, ` +
    `${(report.convergenceMs / 1000).toFixed(1)} s from healing to equal nodes at most`,
    ...FAULTS.flatMap((fault) => {
      const what = findings.of(fault);
      return [`${fault}: ${what.length}`, ...what.slice(0, EXAMPLES_MAX).map((one) => `  ${one}`)];
    }),
  ];
}

function describeEnds({ ok, refused, unknown, open }: Tally[OperationKind]): string {
  return `${ok} ok, ${refused} refused, ${unknown} unknown` + (open > 0 ? `, ${open} open` : "");
}
