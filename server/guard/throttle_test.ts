import { assertEquals } from "@std/assert";
import { Throttle } from "./throttle.ts";

Deno.test("Throttle lets a burst pass, and then one more each refill", () => {
  const throttle = new Throttle<string>(3, 1000);
  for (let count = 0; count < 3; count++) {
    assertEquals(throttle.waitMs("a", 0), 0);
    throttle.charge("a", 0);
  }
  assertEquals(throttle.waitMs("a", 0), 1000);
  assertEquals(throttle.waitMs("b", 0), 0);
  assertEquals(throttle.waitMs("a", 999), 1);
  assertEquals(throttle.waitMs("a", 1000), 0);
});

Deno.test("Throttle gives back what did not count, and takes what costs more", () => {
  const throttle = new Throttle<string>(2, 0.5);
  throttle.charge("a", 0, 10);
  assertEquals(throttle.waitMs("a", 0), 5);
  throttle.refund("a", 9);
  assertEquals(throttle.waitMs("a", 0), 0);
  throttle.refund("nobody");
  throttle.raise("a", 2, 0);
  throttle.raise("a", 1, 0);
  assertEquals(throttle.spent("a", 0), 2);
});

Deno.test("Throttle keeps a spent key however many others come, and forgets the rest", () => {
  const keysMax = 1000;
  const throttle = new Throttle<string>(10, 10_000, keysMax);
  for (let count = 0; count < 10; count++) throttle.charge("victim", 0);
  for (let other = 0; other < 20 * keysMax; other++) {
    throttle.charge(`other ${other}`, other / 1000);
  }
  assertEquals(throttle.waitMs("victim", 20) > 0, true);
  assertEquals(throttle.fullest(2 * keysMax, 20).length, keysMax);
  assertEquals(throttle.fullest(1, 20)[0]?.[0], "victim");
  // Once it has been granted again, it goes like any other.
  const laterMs = 200_000;
  for (let other = 0; other < 2 * keysMax; other++) throttle.charge(`later ${other}`, laterMs);
  assertEquals(throttle.spent("victim", laterMs), 0);
});
