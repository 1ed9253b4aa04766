/** docs/SECURITY.md says which tests show its claims: they have to be there. */

import { assertEquals, assertGreater } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
/** `path_test.ts`: name; a test's name stands in the file as it stands here. */
const NAMED = /`([\w/.-]+_test\.tsx?)`: "([^"]+)"/g;

Deno.test("SECURITY.md names tests that there are", async () => {
  const text = (await Deno.readTextFile(new URL("docs/SECURITY.md", ROOT))).replaceAll(/\s+/g, " ");
  const named = [...text.matchAll(NAMED)].map(([, path = "", name = ""]) => ({ path, name }));
  assertGreater(named.length, 20);
  const missing: string[] = [];
  for (const { path, name } of named) {
    const source = await Deno.readTextFile(new URL(path, ROOT)).catch(() => "");
    if (!source.includes(`"${name}"`)) missing.push(`${path}: ${name}`);
  }
  assertEquals(missing, []);
});
