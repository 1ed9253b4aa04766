import { assertEquals } from "@std/assert";
import type { Operation } from "../core/operation.ts";
import { NO_PLACE, type StateRecord } from "../core/state_record.ts";
import { VersionVector } from "../core/version_vector.ts";
import { JournalIndex } from "./journal_index.ts";

const MEGABYTE = 2 ** 20;
const all = () => true;

function operation(origin: string, seq: number): Operation {
  return { kind: "account_deleted", account: "b", timeMs: 1, tick: 0, origin, seq };
}

function vector(text: string): VersionVector {
  return VersionVector.parse(text) ?? new VersionVector();
}

/** Three batches of a megabyte: a.x 1-10, b.x 1-5, a.x 11-20. */
function index(): JournalIndex {
  const index = new JournalIndex();
  index.mark(50);
  for (let seq = 1; seq <= 10; seq++) index.note(operation("a.x", seq));
  index.endBatch(MEGABYTE + 50);
  for (let seq = 1; seq <= 5; seq++) index.note(operation("b.x", seq));
  index.endBatch(2 * MEGABYTE + 50);
  for (let seq = 11; seq <= 20; seq++) index.note(operation("a.x", seq));
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
  index.mark(0);
  for (let seq = 1; seq <= 10; seq++) {
    index.note(operation("a.x", seq));
    index.endBatch(seq * MEGABYTE / 4);
  }
  assertEquals(index.placeOf(vector("a.x:3"), all), 0);
  assertEquals(index.placeOf(vector("a.x:7"), all), MEGABYTE);
  assertEquals(index.placeOf(vector("a.x:10"), all), 2 * MEGABYTE);
});

Deno.test("JournalIndex has no place for whoever lacks what is there only as a merged state", () => {
  const index = new JournalIndex();
  index.mark(0);
  index.note(operation("a.x", 1));
  index.endBatch(100);
  assertEquals([index.start, index.startVector.toString(), index.losses], [0, "", 0]);
  index.note({ kind: "account_state", ...NO_PLACE, account: "b" });
  index.endBatch(200);
  assertEquals([index.start, index.losses], [0, 0]);
  index.note(coverage({ "a.x": 1, "b.x": 7 }));
  index.note(operation("a.x", 2));
  index.endBatch(300);
  assertEquals([index.start, index.losses], [300, 1]);
  assertEquals(index.startVector.toString(), "a.x:2,b.x:7");
  index.note(operation("b.x", 8));
  index.endBatch(400);
  assertEquals(index.startVector.toString(), "a.x:2,b.x:7");
  assertEquals(index.vector().toString(), "a.x:2,b.x:8");
  assertEquals(index.placeOf(vector("a.x:2,b.x:7"), all), 300);
  for (const behind of ["", "a.x:2", "a.x:1,b.x:6", "a.x:2,b.x:6"]) {
    assertEquals(index.placeOf(vector(behind), all), undefined, behind);
  }
  // What was there as operations still is.
  for (const known of ["b.x:7", "a.x:1,b.x:7", "b.x:9"]) {
    assertEquals(index.placeOf(vector(known), all), 0, known);
  }
  assertEquals(index.placeOf(vector(""), (origin) => origin === "a.x"), 0);
});

Deno.test("JournalIndex takes the vector of a snapshot as what stands before the journal", () => {
  const index = new JournalIndex();
  index.note(coverage({ "a.x": 5 }));
  index.mark(0);
  assertEquals([index.start, index.startVector.toString()], [0, "a.x:5"]);
  // Less than is known already means nothing.
  index.note(coverage({ "a.x": 3, "b.x": 1 }));
  index.endBatch(50);
  assertEquals([index.start, index.startVector.toString()], [50, "a.x:5,b.x:1"]);
});

Deno.test("JournalIndex.forgetBefore() leaves whoever is behind without a place", () => {
  const found = index();
  found.forgetBefore(2 * MEGABYTE + 50);
  assertEquals([found.start, found.startVector.toString()], [2 * MEGABYTE + 50, "a.x:10,b.x:5"]);
  for (const behind of ["", "a.x:9,b.x:5", "a.x:20,b.x:4"]) {
    assertEquals(found.placeOf(vector(behind), all), undefined, behind);
  }
  assertEquals(found.placeOf(vector("a.x:10,b.x:5"), all), 2 * MEGABYTE + 50);
  assertEquals(found.placeOf(vector("a.x:20,b.x:5"), all), 3 * MEGABYTE + 50);
});

function coverage(seqs: Record<string, number>): StateRecord {
  const clock = { timeMs: 1, tick: 0 };
  return { kind: "coverage", ...NO_PLACE, vector: new Map(Object.entries(seqs)), clock };
}
