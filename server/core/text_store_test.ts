import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TextStore } from "./text_store.ts";

const BLOCK_ROWS = 256;

Deno.test("TextStore does as a map does, on both sides of a block's border, in any order", () => {
  const row = fc.oneof(
    fc.integer({ min: 0, max: 2 }),
    fc.integer({ min: BLOCK_ROWS - 3, max: BLOCK_ROWS + 2 }),
    fc.integer({ min: 3 * BLOCK_ROWS - 1, max: 3 * BLOCK_ROWS }),
  );
  const text = fc.string({ unit: fc.constantFrom("a", "é", "я", "\u{feff}", "語", "\u{1f600}") });
  const command = fc.record({ row, text, name: fc.constantFrom("put", "put", "remove") });
  fc.assert(fc.property(fc.array(command, { maxLength: 100 }), (commands) => {
    const store = new TextStore();
    const texts = new Map<number, string>();
    for (const { row, text, name } of commands) {
      if (name === "put") {
        store.put(row, text);
        texts.set(row, text);
      } else {
        store.remove(row);
        texts.delete(row);
      }
      for (let row = 0; row <= 3 * BLOCK_ROWS; row++) {
        assertEquals(store.textOf(row), texts.get(row) ?? "");
      }
    }
  }));
});

Deno.test("TextStore gives back the bytes of texts that are gone, and keeps all others", () => {
  const store = new TextStore();
  const rows = 10 * BLOCK_ROWS;
  for (let row = 0; row < rows; row++) store.put(row, textAt(row));
  const full = store.bytes;
  for (let row = 0; row < rows; row++) if (row % 4 !== 0) store.remove(row);
  assert(store.bytes < full / 2, `${store.bytes} of ${full} bytes are left`);
  for (let row = 0; row < rows; row++) {
    assertEquals(store.textOf(row), row % 4 === 0 ? textAt(row) : "");
  }
});

Deno.test("TextStore takes little more than the texts, in order of their rows or not", () => {
  const rows = 40 * BLOCK_ROWS;
  for (const stride of [1, 769]) {
    const store = new TextStore();
    let bytes = 0;
    for (let index = 0; index < rows; index++) {
      const row = index * stride % rows;
      store.put(row, textAt(row));
      bytes += textAt(row).length;
    }
    assert(store.bytes < bytes * 1.3, `${store.bytes} bytes for texts of ${bytes}`);
    for (let row = 0; row < rows; row++) assertEquals(store.textOf(row), textAt(row));
  }
});

Deno.test("TextStore takes the place of a replaced text back", () => {
  const store = new TextStore();
  for (const row of [0, BLOCK_ROWS]) {
    store.put(row, "");
    for (let turn = 0; turn < 10_000; turn++) store.put(0, textAt(turn));
    assertEquals(store.textOf(0), textAt(9999));
    assert(store.bytes < 4096, `${store.bytes} bytes`);
  }
});

Deno.test("TextStore keeps the largest texts there are", () => {
  const store = new TextStore();
  const text = "\u{1f600}".repeat(32 * 1024);
  for (const row of [0, 1, BLOCK_ROWS, 2]) store.put(row, text);
  for (const row of [0, 1, BLOCK_ROWS, 2]) assertEquals(store.textOf(row), text);
});

function textAt(row: number): string {
  return `text ${row} ${"x".repeat(row % 90)}`;
}
