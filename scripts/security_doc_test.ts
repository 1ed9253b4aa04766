/** docs/SECURITY.md says which tests show its claims: they have to be there. */

import { assertEquals, assertGreater } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
/** `path_test.ts`: name; a test's name stands in the file as it stands here. */
const NAMED = /`([\w/.-]+_test\.tsx?)`: "([^"]+)"/g;

Deno.test("SECURITY.md names tests that there are", async () => {
  const text = (await Deno.readTextFile(new URL("docs/SECURITY.md", ROOT))).replaceAll(/\s+/g, " ");
  const named = [...text.matchAll(NAMED)].map(([, path = "", name = ""]) => ({ path, name }));
  assertGreater(named.length, 40);
  const missing: string[] = [];
  for (const { path, name } of named) {
    const source = await Deno.readTextFile(new URL(path, ROOT)).catch(() => "");
    if (!namesIn(source).some((one) => one.test(name))) missing.push(`${path}: ${name}`);
  }
  assertEquals(missing, []);
});

/** All texts of a source that may be names of tests: what a template leaves open may be anything. */
function namesIn(source: string): RegExp[] {
  return [...source.matchAll(/(?:"((?:[^"\\\n]|\\.)+)"|`([^`]+)`)(?=,)/g)].map(
    ([, plain, template]) => {
      const parts = plain === undefined ? (template ?? "").split(/\$\{[^}]*\}/) : [plain];
      return new RegExp(`^${parts.map((part) => RegExp.escape(part)).join(".*")}$`);
    },
  );
}
