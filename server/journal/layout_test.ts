import { assertEquals, assertThrows } from "@std/assert";
import { DataDirectoryError, layoutOf } from "./layout.ts";

const J = (number: number) => `journal-0000000${number}.jsonl`;
const S = (number: number) => `snapshot-0000000${number}.jsonl`;
const OTHERS = ["lock", "node.json", "cut-46-1.jsonl", "control.sock", "node.json.new"];

function layout(...names: string[]) {
  return layoutOf("data/node1", [...OTHERS, ...names].reverse());
}

Deno.test("layoutOf() begins with the first segment where there is nothing", () => {
  assertEquals(layout(), { snapshot: undefined, segments: [1], leftovers: [] });
});

Deno.test("layoutOf() takes all segments, in order", () => {
  assertEquals(layout(J(1)), { snapshot: undefined, segments: [1], leftovers: [] });
  assertEquals(layout(J(2), J(1), J(3)).segments, [1, 2, 3]);
  const long = ["journal-99999999.jsonl", "journal-100000000.jsonl", "snapshot-99999999.jsonl"];
  assertEquals(layout(...long).segments, [99_999_999, 100_000_000]);
});

Deno.test("layoutOf() takes the newest snapshot, and the segments from its number on", () => {
  assertEquals(layout(S(2), J(2)), { snapshot: 2, segments: [2], leftovers: [] });
  assertEquals(layout(S(2), J(2), J(3)), { snapshot: 2, segments: [2, 3], leftovers: [] });
  const both = layout(S(2), S(4), J(1), J(2), J(3), J(4));
  assertEquals([both.snapshot, both.segments], [4, [4]]);
  assertEquals(both.leftovers.toSorted(), [J(1), J(2), J(3), S(2)]);
});

Deno.test("layoutOf() does not miss what a snapshot has replaced", () => {
  assertEquals(layout(S(4), J(4), J(1), J(3)).leftovers.toSorted(), [J(1), J(3)]);
});

Deno.test("layoutOf() counts drafts of a snapshot as left over, whatever their number", () => {
  const names = [`${S(1)}.new`, `${S(9)}.new`];
  assertEquals(layout(J(1), ...names), {
    ...{ snapshot: undefined, segments: [1] },
    leftovers: names.toReversed(),
  });
});

Deno.test("layoutOf() leaves alone what only looks like data", () => {
  const names = ["journal-1.jsonl", "journal-00000000.jsonl", "journal-000000001.jsonl"];
  const more = ["journal-00000001.jsonl.bak", "xjournal-00000001.jsonl", "snapshot-2.jsonl.old"];
  assertEquals(layout(...names, ...more), { snapshot: undefined, segments: [1], leftovers: [] });
});

const GAPS: [missing: string, names: string[]][] = [
  [J(1), [J(2)]],
  [J(2), [J(1), J(3)]],
  [J(3), [J(1), J(2), J(4), J(5)]],
  [J(2), [S(2)]],
  [J(2), [S(2), J(1)]],
  [J(2), [S(2), J(1), J(3)]],
  [J(4), [S(2), J(2), J(3), J(5)]],
  // A newer snapshot without its segment is no reason to take an older one.
  [J(4), [S(2), S(4), J(2), J(3)]],
];

for (const [missing, names] of GAPS) {
  Deno.test(`layoutOf() of ${names} says that ${missing} is missing`, () => {
    const says = `Cannot use data/node1: ${missing} is missing`;
    assertThrows(() => layout(...names), DataDirectoryError, says);
  });
}
