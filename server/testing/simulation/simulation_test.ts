import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FAULT_KINDS, planOf } from "./plan.ts";
import { simulate } from "./simulation.ts";

/** Of the long run, so many seeds are run in the suite. */
const SEEDS = 60;

Deno.test("simulated clusters keep all promises, whatever happens to them", async () => {
  const found: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violations, steps } = await simulate(seed);
    found.push(...violations.map((what) => `deno task sim --seed ${seed}: ${what}`));
    assert(steps >= 1_000, `seed ${seed} is over after ${steps} steps`);
  }
  assertEquals(found, []);
});

Deno.test("the same seed twice gives the same trace, byte for byte", async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    assertEquals(await traceOf(seed), await traceOf(seed));
  }
});

Deno.test("another salt is another order of events", async () => {
  assertNotEquals(await traceOf(1, 0), await traceOf(1, 1));
});

Deno.test("only the deeds that are asked for are done", async () => {
  const { plan, trace } = await simulate(1, { isDone: (number) => number === 3 });
  const done = [...trace.lines()].filter((line) => line.includes(" deed "));
  assertEquals(done.length, 1);
  assert(done[0]?.endsWith(`deed 3: ${plan.deeds[3]?.kind}`));
});

Deno.test("plans have every kind of fault", () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    for (const { kind } of planOf(seed).deeds) kinds.add(kind);
  }
  assertEquals([...kinds].sort(), [...FAULT_KINDS, "act"].sort());
});

async function traceOf(seed: number, salt = 0): Promise<string> {
  const { trace } = await simulate(seed, { salt });
  return [...trace.lines()].join("\n");
}
