import { assertEquals } from "@std/assert";
import { RowIndex } from "./row_index.ts";

Deno.test("RowIndex finds 100,000 rows while it grows, and none that it was not given", () => {
  const index = new RowIndex(hashOf);
  const count = 100_000;
  for (let row = 0; row < count; row++) {
    assertEquals(index.find(hashOf(row), (found) => found === row), undefined);
    index.add(hashOf(row), row);
  }
  for (let row = 0; row < count; row++) {
    assertEquals(index.find(hashOf(row), (found) => found === row), row);
  }
});

Deno.test("RowIndex tells rows of one hash apart, on both sides of a table's growth", () => {
  for (const hash of [0, 0xffffffff]) {
    const index = new RowIndex(() => hash);
    for (let row = 0; row < 40; row++) {
      index.add(hash, row);
      for (let known = 0; known <= row; known++) {
        assertEquals(index.find(hash, (found) => found === known), known);
      }
      assertEquals(index.find(hash, (found) => found > row), undefined);
    }
  }
});

function hashOf(row: number): number {
  return Math.imul(row + 1, 0x9e3779b1) >>> 0;
}
