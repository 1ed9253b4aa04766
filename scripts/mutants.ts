/**
 * Puts deliberate faults into copies of this tree, one at a time, and looks whether the simulation finds
 * each of them, or where it does not, the tests that are named with it. See docs/TESTING.md.
 *
 *     deno task test:mutants [--seeds N] [--jobs N] [--only name,name] [--except TEXT]
 *
 * The simulation gets N seeds for each mutant, 1,000 unless said otherwise, and stops at the first that
 * fails. In the end the tree as it is gets as many seeds as the slowest mutant took, and all named tests:
 * it must not fail. What a seed reports that begins with TEXT is passed over, as known of the tree as it is.
 * Prints the table of docs/TESTING.md. Exit code 1 if a mutant survives, or the tree as it is fails.
 */

import { parseArgs } from "@std/cli/parse-args";
import type { Mutant } from "./mutants/mutant.ts";
import { MUTANTS } from "./mutants/table.ts";
import { type TrialOptions, tryMutant, tryUnchanged, type Verdict } from "./mutants/trial.ts";

const USAGE =
  "usage: deno task test:mutants [--seeds N] [--jobs N] [--only name,name] [--except TEXT]";

const flags = parseArgs(Deno.args, { string: ["seeds", "jobs", "only", "except"] });
const [seeds, jobs] = [
  Number(flags.seeds ?? 1_000),
  Number(flags.jobs ?? navigator.hardwareConcurrency),
];
const only = flags.only?.split(",");
const unknown = only?.filter((wanted) => MUTANTS.every(({ name }) => name !== wanted)) ?? [];
if (![seeds, jobs].every(Number.isSafeInteger) || seeds < 1 || jobs < 1) end(USAGE);
if (unknown.length > 0) end(`there is no mutant ${unknown.join(", ")}`);

const options: TrialOptions = {
  ...{ seeds, jobs },
  ...(flags.except !== undefined && { except: flags.except }),
};
const chosen = MUTANTS.filter(({ name }) => only?.includes(name) ?? true);
const tried: { readonly mutant: Mutant; readonly verdict: Verdict }[] = [];
for (const mutant of chosen) {
  const startMs = performance.now();
  const verdict = await tryMutant(mutant, options);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`${mutant.name}: ${describe(verdict)} (${seconds} s)`);
  tried.push({ mutant, verdict });
}
const unchanged = await tryUnchanged(...neededFor(tried));
console.log(`no mutant: ${describe(unchanged)}\n`);
console.log("| mutant | what it does | found by | after seeds | what was reported |");
console.log("|---|---|---|---|---|");
for (const { mutant, verdict } of tried) console.log(rowOf(mutant, verdict));
const survivors = tried.filter(({ verdict }) => verdict.found === "nowhere");
console.log(`\n${tried.length} mutants, ${survivors.length} survived`);
Deno.exit(survivors.length === 0 && unchanged.found === "nowhere" ? 0 : 1);

/** What must not find anything in the tree as it is, for what it found in mutants to mean anything. */
function neededFor(
  all: readonly { readonly mutant: Mutant; readonly verdict: Verdict }[],
): [string[], TrialOptions] {
  let most = 0;
  const suite = new Set<string>();
  for (const { mutant, verdict } of all) {
    if (verdict.found === "simulation") most = Math.max(most, verdict.seeds);
    if (verdict.found === "suite") { for (const file of mutant.suite ?? []) suite.add(file); }
  }
  return [[...suite], { ...options, seeds: most }];
}

function describe(verdict: Verdict): string {
  switch (verdict.found) {
    case "simulation":
      return `found by the simulation after ${verdict.seeds} seeds: ${verdict.report}`;
    case "suite":
      return `found by ${verdict.report}`;
    case "nowhere":
      return "nothing found";
    default:
      return verdict satisfies never;
  }
}

function rowOf({ name, does }: Mutant, verdict: Verdict): string {
  const [by, after, report] = verdict.found === "simulation"
    ? ["simulation", `${verdict.seeds}`, verdict.report]
    : verdict.found === "suite"
    ? ["suite", "", verdict.report]
    : ["nothing", "", ""];
  const cells = [name, does, by, after, report].map((text) => text.replaceAll("|", "\\|"));
  return `| ${cells.join(" | ")} |`;
}

function end(why: string): never {
  console.error(why);
  Deno.exit(2);
}
