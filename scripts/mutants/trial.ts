import { join } from "node:path";
import { applyTo, type Mutant } from "./mutant.ts";

export interface TrialOptions {
  /** Seeds that the simulation may take. */
  readonly seeds: number;
  readonly jobs: number;
  /** What the simulation reports that begins so is passed over: it is known of the tree as it is. */
  readonly except?: string;
}

/** What became of a mutant. */
export type Verdict =
  | { readonly found: "simulation"; readonly seeds: number; readonly report: string }
  | { readonly found: "suite"; readonly report: string }
  | { readonly found: "nowhere" };

interface Run {
  readonly isSuccess: boolean;
  /** Whether it was ended because it took too long. */
  readonly isEndless: boolean;
  readonly output: string;
}

const ROOT = new URL("../../", import.meta.url).pathname;
/** For a mutant that goes round and round without an event, in ms. */
const SIMULATION_MS_MAX = 30 * 60 * 1000;
/** For tests that wait for what a mutant never does, in ms. */
const SUITE_MS_MAX = 3 * 60 * 1000;
/** Of what was reported, in UTF-16 units. */
const REPORT_UNITS_MAX = 100;

/** Looks whether a copy of this tree with a fault is told from one without. */
export async function tryMutant(mutant: Mutant, options: TrialOptions): Promise<Verdict> {
  await using copy = await TreeCopy.make();
  await applyTo(copy.directory, mutant);
  return await findIn(copy, mutant.suite ?? [], options);
}

/** The same for this tree as it is: nothing must be found. */
export async function tryUnchanged(
  suite: readonly string[],
  options: TrialOptions,
): Promise<Verdict> {
  await using copy = await TreeCopy.make();
  return await findIn(copy, suite, options);
}

async function findIn(
  copy: TreeCopy,
  suite: readonly string[],
  options: TrialOptions,
): Promise<Verdict> {
  const simulated = await simulate(copy, options);
  if (simulated !== undefined) return simulated;
  if (suite.length === 0) return { found: "nowhere" };
  const run = await copy.deno(["test", "-P", "--no-check", ...suite], SUITE_MS_MAX);
  return run.isSuccess ? { found: "nowhere" } : { found: "suite", report: failedTest(run) };
}

async function simulate(
  copy: TreeCopy,
  { seeds, jobs, except }: TrialOptions,
): Promise<Verdict | undefined> {
  for (let from = 1; from <= seeds;) {
    const { isSuccess, output } = await copy.deno([
      ...["run", "--quiet", "--no-prompt", "--no-check", "-P=scripts", "scripts/sim.ts"],
      ...["--from", `${from}`, "--seeds", `${seeds - from + 1}`, "--jobs", `${jobs}`],
      ...["--failures", "1", "--brief"],
    ], SIMULATION_MS_MAX);
    if (isSuccess) return undefined;
    const [, seed, report] = /^seed (\d+) fails: (.*)$/m.exec(output) ?? [];
    // No world, no verdict: a patch that does not compile must not count as found.
    if (seed === undefined || report === undefined) {
      throw new Error(`Cannot simulate: ${output.trim()}`);
    }
    if (except === undefined || !report.startsWith(except)) {
      return { found: "simulation", seeds: Number(seed), report: shorten(report) };
    }
    from = Number(seed) + 1;
  }
  return undefined;
}

/** All files of this tree that are no build's output, in a directory of their own. */
class TreeCopy implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async make(): Promise<TreeCopy> {
    const directory = await Deno.makeTempDir({ prefix: "chat-mutant-" });
    for (const path of await listFiles()) {
      await Deno.mkdir(join(directory, path, ".."), { recursive: true });
      await Deno.copyFile(join(ROOT, path), join(directory, path));
    }
    return new TreeCopy(directory);
  }

  async deno(args: readonly string[], msMax: number): Promise<Run> {
    const signal = AbortSignal.timeout(msMax);
    const command = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: this.directory,
      env: { NO_COLOR: "1" },
      signal,
    });
    const { success, stdout, stderr } = await command.output();
    const output = textOf(stdout) + textOf(stderr);
    return { isSuccess: success, isEndless: signal.aborted, output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** What git has, or would take. */
async function listFiles(): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["ls-files", "-co", "--exclude-standard", "--deduplicate", "-z"],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(`Cannot list the files of ${ROOT}: ${textOf(stderr).trim()}`);
  const listed = textOf(stdout).split("\0").filter((path) => path !== "");
  const isThere = await Promise.all(listed.map((path) => exists(join(ROOT, path))));
  return listed.filter((_, index) => isThere[index]);
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What `deno test` says of the first test that failed, or of the one that did not end. */
function failedTest({ isEndless, output }: Run): string {
  if (isEndless) {
    const file = [...output.matchAll(/^running \d+ tests? from \.\/(.+)$/gm)].at(-1)?.[1];
    const name = [...output.matchAll(/'(.+)' has been running for over/g)].at(-1)?.[1];
    if (file !== undefined && name !== undefined) return `${file}: ${name} (does not end)`;
  } else {
    const failures = output.slice(output.lastIndexOf("FAILURES"));
    const [, name, file] = /^(.+?) => \.\/(.+?):\d/m.exec(failures) ?? [];
    if (file !== undefined && name !== undefined) return `${file}: ${name}`;
  }
  // A file that does not load fails without a test: it must not count as found.
  throw new Error(`Cannot test: ${output.trim()}`);
}

function shorten(report: string): string {
  const shown = report.replaceAll(/ x{2,}/g, "").replaceAll(/\s+/g, " ").replace(/:$/, "");
  return shown.length <= REPORT_UNITS_MAX ? shown : `${shown.slice(0, REPORT_UNITS_MAX)}…`;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
