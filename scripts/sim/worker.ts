/** Runs seeds in a thread of its own: one core each. */

import { simulate } from "../../server/testing/simulation/simulation.ts";

/** What a worker is told to run: `step` apart, so that all workers together run every seed once. */
export interface Assignment {
  readonly from: number;
  readonly end: number;
  readonly step: number;
}

/** What came of one seed. */
export interface SeedResult {
  readonly seed: number;
  readonly steps: number;
  readonly acknowledged: number;
  readonly elapsedMs: number;
  readonly wasModelled: boolean;
  readonly deeds: ReadonlyMap<string, number>;
  readonly milestones: ReadonlyMap<string, number>;
  readonly violations: readonly string[];
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<Assignment>) => void) | null;
  postMessage(result: SeedResult): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = async ({ data: { from, end, step } }) => {
  for (let seed = from; seed < end; seed += step) {
    const { plan, trace: _, ...report } = await simulate(seed);
    const deeds = new Map<string, number>();
    for (const { kind } of plan.deeds) deeds.set(kind, (deeds.get(kind) ?? 0) + 1);
    scope.postMessage({ ...report, deeds });
  }
};
