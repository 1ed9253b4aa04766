import { assertEquals } from "@std/assert";
import { Refusals } from "./refusals.ts";

const LIMITS = { refusedByAllMs: 2_000, refusedBySomeMs: 10_000 };

Deno.test("Refusals by every host are believed once they have lasted refusedByAllMs", () => {
  const refusals = new Refusals(LIMITS);
  assertEquals(refusals.doubtMs(3, 3, 500), 2_000);
  assertEquals(refusals.doubtMs(3, 3, 2_499), 1);
  assertEquals(refusals.doubtMs(3, 3, 2_500), 0);
});

Deno.test("Refusals are doubted for refusedBySomeMs while a host cannot be asked", () => {
  const refusals = new Refusals(LIMITS);
  assertEquals(refusals.doubtMs(1, 3, 0), 10_000);
  assertEquals(refusals.doubtMs(2, 3, 9_999), 1);
  assertEquals(refusals.doubtMs(1, 3, 10_000), 0);
});

Deno.test("Refusals by every host count from when the last host could be asked", () => {
  const refusals = new Refusals(LIMITS);
  assertEquals(refusals.doubtMs(1, 2, 0), 10_000);
  assertEquals(refusals.doubtMs(2, 2, 5_000), 2_000);
  assertEquals(refusals.doubtMs(1, 2, 6_000), 4_000);
  assertEquals(refusals.doubtMs(2, 2, 7_000), 2_000);
});

Deno.test("Refusals are forgotten when nobody refuses", () => {
  const refusals = new Refusals(LIMITS);
  assertEquals(refusals.doubtMs(1, 1, 0), 2_000);
  assertEquals(refusals.doubtMs(0, 1, 1_000), Infinity);
  assertEquals(refusals.doubtMs(1, 1, 3_000), 2_000);
});
