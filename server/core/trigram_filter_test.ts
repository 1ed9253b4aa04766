import { assert, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { fold } from "./fold.ts";
import { TrigramFilter, trigramsOf } from "./trigram_filter.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?-_()[]{}<>|/@#$%&*+";
const encoder = new TextEncoder();

const UNITS = ["a", "B", "c", " ", "é", "e\u0301", "Σ", "я", "語", "ﬁ", "\u0323", "\u{1f600}"];
const text = fc.string({ unit: fc.constantFrom(...UNITS), maxLength: 40 });

Deno.test("TrigramFilter never denies what a text has, packed as well", () => {
  const part = fc.tuple(text, fc.nat(20), fc.nat(20));
  fc.assert(fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
    const filter = new TrigramFilter();
    for (const [text] of parts) addTo(filter, text);
    const filters = [filter, filter.packed(), filter.packed()?.packed()];
    for (const [text, from, length] of parts) {
      const word = [...fold(text)].slice(from, from + length).join("");
      for (const filter of filters) assert(filter?.mayHaveAll(trigramsOf([word])), word);
    }
  }));
});

Deno.test("TrigramFilter denies most of what no text has, packed as well", () => {
  const filter = new TrigramFilter();
  for (let index = 0; index < 256; index++) addTo(filter, `Message ${index} of the day`);
  const packed = filter.packed();
  assert(packed !== undefined);
  assertLess(packed.bytes, filter.bytes / 4);
  for (const one of [filter, packed]) {
    const wrong = Array.from({ length: 1000 }, (_, index) => `${index}zebra`)
      .filter((word) => one.mayHaveAll(trigramsOf([word])));
    assertLess(wrong.length, 20);
  }
});

Deno.test("TrigramFilter.packed() gives up where more than half of the bits are set", () => {
  const filter = new TrigramFilter();
  let sizes = 0;
  let last: number | undefined;
  for (let index = 0;; index++) {
    const packed = filter.packed();
    if (packed === undefined) break;
    if (packed.bytes !== last) sizes++;
    last = packed.bytes;
    addTo(filter, textOf(index));
  }
  // From 8 bytes on, as large as it was at last.
  assertEquals([sizes, last], [11 - 3, filter.bytes]);
  filter.clear();
  assertEquals(filter.packed()?.bytes, 8);
});

Deno.test("TrigramFilter says yes to words that are too short to ask for", () => {
  const empty = new TrigramFilter();
  assert(empty.mayHaveAll(trigramsOf(["ab", "é", ""])));
  assert(!empty.mayHaveAll(trigramsOf(["abc"])));
  assert(!empty.mayHaveAll(trigramsOf(["語"])));
});

Deno.test("trigramsOf() asks for no more than 64", () => {
  const word = textOf(1);
  assertEquals(trigramsOf([word.slice(0, 66)]).length, 64);
  assertEquals(trigramsOf([word.slice(0, 67), "other"]).length, 64);
  assertEquals(trigramsOf([word.slice(0, 65)]).length, 63);
});

function addTo(filter: TrigramFilter, text: string): void {
  filter.add(encoder.encode(text));
}

/** Letters in no order. */
function textOf(seed: number): string {
  let text = "";
  for (let bits = seed + 1; text.length < 200;) {
    bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    text += LETTERS[(bits >>> 8) % LETTERS.length];
  }
  return text;
}
