import { assertEquals } from "@std/assert";
import { LIMITS } from "./limits.ts";

const PAGE = await Deno.readTextFile(new URL("../docs/OPERATIONS.md", import.meta.url));
const ROW = /^\| `(\w+)` +\| (\d+) +\| /gm;

Deno.test("docs/OPERATIONS.md has every limit and its default, in their order, and no other", () => {
  const section = PAGE.slice(PAGE.indexOf("Limits\n\nAll are on"));
  const said = [...section.matchAll(ROW)].map(([, name, value]) => [name, Number(value)]);
  assertEquals(said, Object.entries(LIMITS).map(([name, row]) => [name, row.default]));
});

Deno.test("the default of every limit is within what may be configured", () => {
  for (const [name, { default: value, min, max }] of Object.entries(LIMITS)) {
    assertEquals([name, min <= value, value <= max], [name, true, true]);
  }
});
