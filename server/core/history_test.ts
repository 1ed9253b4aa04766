import { assertEquals } from "@std/assert";
import { History } from "./history.ts";
import { VersionVector } from "./version_vector.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW_MS = 1_795_000_000_000;

Deno.test("History.madeBy() is what was there by then, and nothing of what came later", () => {
  const history = new History();
  for (const day of [3, 1, 2]) history.add(NOW_MS + day * DAY_MS, vectorOf(day));
  assertEquals(history.madeBy(NOW_MS), undefined);
  assertEquals(history.madeBy(NOW_MS + 2 * DAY_MS - 1)?.seqOf("a.x"), 1);
  assertEquals(history.madeBy(NOW_MS + 2 * DAY_MS)?.seqOf("a.x"), 2);
  assertEquals(history.madeBy(NOW_MS + 99 * DAY_MS)?.seqOf("a.x"), 3);
});

Deno.test("History keeps one checkpoint for half a day, and one of those that are very old", () => {
  const history = new History();
  for (let hour = 0; hour < 24 * 100; hour++) {
    history.add(NOW_MS + hour * DAY_MS / 24, vectorOf(hour + 1));
  }
  assertEquals(history.checkpoints.length, 82);
  assertEquals(
    history.checkpoints.every(({ timeMs }, index) =>
      index === 0 || timeMs - (history.checkpoints[index - 1]?.timeMs ?? 0) >= DAY_MS / 2
    ),
    true,
  );
});

function vectorOf(seq: number): VersionVector {
  return VersionVector.of(new Map([["a.x", seq]]));
}
