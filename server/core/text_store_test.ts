import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fold } from "./fold.ts";
import { TextStore } from "./text_store.ts";
import { trigramsOf } from "./trigram_filter.ts";

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
        const text = texts.get(row) ?? "";
        assertEquals(store.textOf(row), text);
        if (name !== "remove") store.makeFilter(store.blockOf(row));
        assert(store.mayHaveAll(store.blockOf(row), trigramsOf([fold(text)])));
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

Deno.test("TextStore makes filters that follow the texts: no smaller than need be, and no larger", () => {
  const store = new TextStore();
  const asks = (word: string) => {
    store.makeFilter(0);
    return store.mayHaveAll(0, trigramsOf([word]));
  };
  for (let row = 0; row < BLOCK_ROWS; row++) store.put(row, wordAt(row));
  assertEquals([store.makeFilter(0), store.makeFilter(1), store.filterBytes], [0, 0, 0]);
  store.put(BLOCK_ROWS, "");
  assert(store.mayHaveAll(0, trigramsOf(["nowhere"])));
  assert(store.makeFilter(0) > 0);
  assertEquals(store.makeFilter(0), 0);
  const full = store.filterBytes;
  assert(asks(wordAt(7)) && !asks(wordAt(1000)));
  for (let row = 0; row < BLOCK_ROWS; row++) if (row !== 7) store.remove(row);
  assert(asks(wordAt(7)) && !asks(wordAt(8)));
  assert(store.filterBytes < full / 4, `${store.filterBytes} of ${full} bytes are left`);
  for (let row = 0; row < BLOCK_ROWS; row++) store.put(row, wordAt(1000 + row));
  assert(asks(wordAt(1007)) && !asks(wordAt(7)));
  assertEquals(store.filterBytes, full);
});

Deno.test("TextStore makes no filter that is of no use or takes too long, until there are fewer texts", () => {
  const many = Array.from({ length: 100 }, (_, word) => wordAt(word)).join(" ");
  const random = (row: number) =>
    Array.from({ length: 100 }, (_, at) => {
      return String.fromCharCode(0x4e00 + Math.imul(row * 100 + at, 0x2c1b3c6d) % 10_000 + 10_000);
    }).join("");
  const slow = () => "\u0301".repeat(1000);
  const long = () => many.repeat(10);
  for (const textAt of [random, slow, long]) {
    const store = new TextStore();
    for (let row = 0; row <= BLOCK_ROWS; row++) store.put(row, textAt(row));
    assert(store.makeFilter(0) > 0);
    assertEquals([store.makeFilter(0), store.filterBytes], [0, 0]);
    for (let row = 1; row < BLOCK_ROWS; row++) store.remove(row);
    assert(store.makeFilter(0) > 0);
    assert(!store.mayHaveAll(0, trigramsOf(["nowhere"])));
    assert(store.mayHaveAll(0, trigramsOf([fold(textAt(0).slice(0, 9))])));
  }
});

/** Of letters in no order. */
function wordAt(number: number): string {
  let bits = number + 1;
  return Array.from({ length: 10 }, () => {
    bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return String.fromCharCode(97 + (bits >>> 8) % 26);
  }).join("");
}

function textAt(row: number): string {
  return `text ${row} ${"x".repeat(row % 90)}`;
}
