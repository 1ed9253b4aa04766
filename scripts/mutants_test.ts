import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Mutant, patched } from "./mutants/mutant.ts";
import { MUTANTS } from "./mutants/table.ts";
import { tryMutant } from "./mutants/trial.ts";

const ROOT = new URL("../", import.meta.url);
/** Each is found within so many seeds: the table of docs/TESTING.md says after how many. */
const QUICK = { seeds: 60, jobs: 1 };

Deno.test("every mutant's patches apply to the tree as it is, each in one place, and change it", async () => {
  for (const mutant of MUTANTS) {
    for (const [file, { before, after }] of await patchedFiles(mutant)) {
      assert(before !== after, `${mutant.name} leaves ${file} as it is`);
    }
  }
});

Deno.test("mutants have names of their own, and tests that are there", async () => {
  const names = MUTANTS.map(({ name }) => name);
  assertEquals([...new Set(names)], names);
  // They are told apart by commas.
  assertEquals(names.filter((name) => name.includes(",")), []);
  for (const file of MUTANTS.flatMap(({ suite = [] }) => suite)) {
    assert((await Deno.stat(new URL(file, ROOT))).isFile, file);
  }
});

Deno.test("a patch that fits nowhere, or twice, is refused", () => {
  const patch = { file: "x.ts", find: "one", replace: "two" };
  assertEquals(patched("zero, one, three", patch), "zero, two, three");
  assertThrows(() => patched("nothing", patch), Error, "found 0 places");
  assertThrows(() => patched("one and one", patch), Error, "found 2 places");
});

for (const name of ["copies of another origin", "dropped delete"]) {
  Deno.test(`the simulation finds within ${QUICK.seeds} seeds: ${name}`, async () => {
    const mutant = MUTANTS.find((one) => one.name === name);
    assert(mutant !== undefined);
    const { found } = await tryMutant(mutant, QUICK);
    assertEquals(found, "simulation");
  });
}

/** All files that it changes, with all of its patches. */
async function patchedFiles({ patches }: Mutant) {
  const files = new Map<string, { readonly before: string; readonly after: string }>();
  for (const patch of patches) {
    const before = files.get(patch.file)?.before ??
      await Deno.readTextFile(new URL(patch.file, ROOT));
    const text = files.get(patch.file)?.after ?? before;
    files.set(patch.file, { before, after: patched(text, patch) });
  }
  return files;
}
