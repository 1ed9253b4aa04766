/**
 * Lets simulated clusters live through faults, one cluster for each seed, on all cores, and looks for
 * what must never happen. What is simulated and what is checked: docs/TESTING.md.
 *
 *     deno task sim [--seeds N] [--from S] [--jobs N] [--failures N] [--brief]
 *     deno task sim --seed S [--only 3,17,20] [--salt N] [--trace]
 *
 * The first form runs N seeds from S on, 1,000 from 1 on unless said otherwise, and stops after so many
 * failures, 1 unless said otherwise. What fails is shrunk to the fewest deeds that still fail, and shown
 * with the command that replays it; `--brief` only says which seeds failed, and how.
 *
 * The second form runs one seed, with all of its deeds or only some, and shows what happened, with
 * `--trace` every step. A salt changes the order of events, and nothing of the plan. The same seed and
 * salt give the same trace to the last byte.
 */

import { parseArgs } from "@std/cli/parse-args";
import { simulate, type SimulationReport } from "../server/testing/simulation/simulation.ts";
import { shrink } from "../server/testing/simulation/shrink.ts";
import type { Assignment, SeedResult } from "./sim/worker.ts";

const USAGE = "usage: deno task sim [--seeds N] [--from S] [--jobs N] [--failures N] [--brief]\n" +
  "       deno task sim --seed S [--only 3,17,20] [--salt N] [--trace]";
/** Of a trace, so much of the end is shown with a failure. */
const LAST_STEPS = 40;
const SHRINKING_TRIES_MAX = 300;
/** How often to tell how far it is, in ms. */
const PROGRESS_MS = 10_000;

/** The other deeds fail, perhaps, only if events happen in another order: so many are tried. */
const SALTS = 5;
/** Deeds, and what nodes told their operators. */
const NOTE = /^ *\d+\.\d+ (#\d+|world|\w+ +(says|exits))/;

const flags = parseArgs(Deno.args, {
  string: ["seeds", "from", "jobs", "seed", "only", "salt", "failures"],
  boolean: ["trace", "brief"],
});
const wholeNumber = (text: string | undefined, usual = 0) => {
  const number = text === undefined ? usual : Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  console.error(USAGE);
  Deno.exit(2);
};

const isSound = flags.seed === undefined
  ? await runMany({
    from: wholeNumber(flags.from, 1),
    count: wholeNumber(flags.seeds, 1_000),
    jobs: Math.max(1, wholeNumber(flags.jobs, navigator.hardwareConcurrency)),
    failuresMax: wholeNumber(flags.failures, 1),
  })
  : await runOne(wholeNumber(flags.seed));
Deno.exit(isSound ? 0 : 1);

async function runOne(seed: number): Promise<boolean> {
  const only = flags.only?.split(",").filter((text) => text !== "")
    .map((text) => wholeNumber(text));
  const report = await simulate(seed, {
    ...(only !== undefined && { isDone: isAmong(only) }),
    salt: wholeNumber(flags.salt),
  });
  for (const line of linesOf(report, flags.trace ? Infinity : 0)) console.log(line);
  const { steps, elapsedMs, acknowledged, violations } = report;
  console.log(
    `seed ${seed}: ${steps} steps, ${(elapsedMs / 1000).toFixed(1)} s, ` +
      `${acknowledged} changes acknowledged`,
  );
  for (const violation of violations) console.log(`VIOLATION ${violation}`);
  return violations.length === 0;
}

interface Run {
  readonly from: number;
  readonly count: number;
  readonly jobs: number;
  readonly failuresMax: number;
}

async function runMany({ from, count, jobs, failuresMax }: Run): Promise<boolean> {
  const startMs = performance.now();
  const results: SeedResult[] = [];
  const failed: SeedResult[] = [];
  const isEnough = Promise.withResolvers<void>();
  let shownMs = startMs;
  const workers = Array.from({ length: jobs }, (_, job) => {
    const worker = new Worker(new URL("./sim/worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<SeedResult>) => {
      results.push(data);
      if (data.violations.length > 0) failed.push(data);
      if (results.length === count || failed.length >= failuresMax) isEnough.resolve();
      if (performance.now() - shownMs < PROGRESS_MS) return;
      shownMs = performance.now();
      console.log(`${results.length} of ${count} seeds, ${rateOf(results, startMs)}`);
    };
    worker.onerror = (event) => isEnough.reject(new Error(event.message));
    const assignment: Assignment = { from: from + job, end: from + count, step: jobs };
    worker.postMessage(assignment);
    return worker;
  });
  if (count === 0) isEnough.resolve();
  await isEnough.promise;
  for (const worker of workers) worker.terminate();
  summarize(results, startMs);
  for (const { seed, violations } of failed) {
    if (flags.brief) console.log(`seed ${seed} fails: ${violations[0]}`);
    else await explain(seed, violations);
  }
  return failed.length === 0;
}

function summarize(results: readonly SeedResult[], startMs: number): void {
  const sum = (of: (result: SeedResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const seconds = sum(({ elapsedMs }) => elapsedMs) / 1000;
  const modelled = sum(({ wasModelled }) => wasModelled ? 1 : 0);
  console.log(`${results.length} seeds, ${rateOf(results, startMs)}`);
  console.log(
    `${sum(({ steps }) => steps)} steps, ${
      Math.min(...results.map(({ steps }) => steps))
    } at least ` +
      `in one seed; ${(seconds / 3600).toFixed(1)} h of simulated time; ` +
      `${
        sum(({ acknowledged }) => acknowledged)
      } changes acknowledged; ${modelled} compared with the model`,
  );
  console.log(describeTotals(results.map(({ deeds }) => deeds)));
  console.log(describeTotals(results.map(({ milestones }) => milestones)));
  console.log(`failed: ${sum(({ violations }) => violations.length > 0 ? 1 : 0)}`);
}

function describeTotals(counts: readonly ReadonlyMap<string, number>[]): string {
  const totals = new Map<string, number>();
  for (const [what, count] of counts.flatMap((one) => [...one])) {
    totals.set(what, (totals.get(what) ?? 0) + count);
  }
  return [...totals].sort().map(([what, count]) => `${what}: ${count}`).join(", ");
}

async function explain(seed: number, violations: readonly string[]): Promise<void> {
  const all = (await simulate(seed)).plan.deeds.map(({ number }) => number);
  const wanted = kindOf(violations[0]);
  let failing = 0;
  const fails = async (deeds: readonly number[]) => {
    for (let tries = 0; tries < SALTS; tries++) {
      const salt = (failing + tries) % SALTS;
      const report = await simulate(seed, { isDone: isAmong(deeds), salt });
      if (kindOf(report.violations[0]) !== wanted) continue;
      failing = salt;
      return true;
    }
    return false;
  };
  const left = await shrink(all, fails, SHRINKING_TRIES_MAX);
  const report = await simulate(seed, { isDone: isAmong(left), salt: failing });
  console.log(`\nseed ${seed} fails: ${left.length} of its ${all.length} deeds are enough`);
  for (const line of linesOf(report, LAST_STEPS)) console.log(line);
  for (const violation of report.violations) console.log(`VIOLATION ${violation}`);
  const salt = failing === 0 ? "" : ` --salt ${failing}`;
  console.log(`replay: deno task sim --seed ${seed} --only ${left.join(",")}${salt}`);
}

/** What was done and said, and the last steps. */
function* linesOf({ trace }: SimulationReport, lastSteps: number): Generator<string> {
  const firstShown = trace.length - lastSteps;
  let at = 0;
  for (const line of trace.lines()) {
    if (at++ >= firstShown || NOTE.test(line)) yield line;
  }
}

/** Without what differs from one world to the next. */
function kindOf(violation: string | undefined): string | undefined {
  return violation?.replace(/\d+/g, "").slice(0, 30);
}

function isAmong(deeds: readonly number[]): (deed: number) => boolean {
  return (deed) => deeds.includes(deed);
}

function rateOf(results: readonly SeedResult[], startMs: number): string {
  const seconds = (performance.now() - startMs) / 1000;
  return `${seconds.toFixed(0)} s, ${(results.length / seconds).toFixed(1)} seeds/s`;
}
