import { assertEquals } from "@std/assert";
import { VersionVector } from "../core/version_vector.ts";
import { JournalIndex } from "./journal_index.ts";

const MEGABYTE = 2 ** 20;
const all = () => true;

function vector(text: string): VersionVector {
  return VersionVector.parse(text) ?? new VersionVector();
}

/** Three batches of a megabyte: a.x 1-10, b.x 1-5, a.x 11-20. */
function index(): JournalIndex {
  const index = new JournalIndex();
  index.begin(50);
  for (let seq = 1; seq <= 10; seq++) index.note({ origin: "a.x", seq });
  index.endBatch(MEGABYTE + 50);
  for (let seq = 1; seq <= 5; seq++) index.note({ origin: "b.x", seq });
  index.endBatch(2 * MEGABYTE + 50);
  for (let seq = 11; seq <= 20; seq++) index.note({ origin: "a.x", seq });
  index.endBatch(3 * MEGABYTE + 50);
  return index;
}

Deno.test("JournalIndex.placeOf() is the last place before which nothing is missing", () => {
  const cases: [known: string, place: number][] = [
    ["", 50],
    ["a.x:9,b.x:5", 50],
    ["a.x:10", MEGABYTE + 50],
    ["a.x:10,b.x:4", MEGABYTE + 50],
    ["a.x:19,b.x:5", 2 * MEGABYTE + 50],
    ["a.x:20,b.x:5", 3 * MEGABYTE + 50],
    ["a.x:20,b.x:5,c.x:7", 3 * MEGABYTE + 50],
  ];
  for (const [known, place] of cases) assertEquals(index().placeOf(vector(known), all), place);
});

Deno.test("JournalIndex.placeOf() looks only at origins that are wanted", () => {
  const wantsB = (origin: string) => origin === "b.x";
  assertEquals(index().placeOf(vector(""), wantsB), MEGABYTE + 50);
  assertEquals(index().placeOf(vector("b.x:5"), wantsB), 3 * MEGABYTE + 50);
});

Deno.test("JournalIndex remembers a place only every megabyte", () => {
  const index = new JournalIndex();
  index.begin(0);
  for (let seq = 1; seq <= 10; seq++) {
    index.note({ origin: "a.x", seq });
    index.endBatch(seq * MEGABYTE / 4);
  }
  assertEquals(index.placeOf(vector("a.x:3"), all), 0);
  assertEquals(index.placeOf(vector("a.x:7"), all), MEGABYTE);
  assertEquals(index.placeOf(vector("a.x:10"), all), 2 * MEGABYTE);
});
