import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CLOCK_AHEAD_MAX_MS, HybridClock } from "./hybrid_clock.ts";
import type { Stamp } from "./operation.ts";

Deno.test("HybridClock.next() follows the wall clock and counts within one ms", () => {
  const clock = new HybridClock();
  assertEquals(clock.next(1000), { timeMs: 1000, tick: 0 });
  assertEquals(clock.next(1000), { timeMs: 1000, tick: 1 });
  assertEquals(clock.next(1001), { timeMs: 1001, tick: 0 });
});

Deno.test("HybridClock.next() does not go back with the wall clock", () => {
  const clock = new HybridClock();
  clock.next(1000);
  assertEquals(clock.next(400), { timeMs: 1000, tick: 1 });
});

Deno.test("HybridClock.next() is later than everything observed within the bound", () => {
  const clock = new HybridClock();
  clock.observe({ timeMs: 1000 + CLOCK_AHEAD_MAX_MS, tick: 7 }, 1000);
  assertEquals(clock.next(1000), { timeMs: 1000 + CLOCK_AHEAD_MAX_MS, tick: 8 });
});

Deno.test("HybridClock.observe() is not dragged along by a stamp beyond the bound", () => {
  const clock = new HybridClock();
  clock.observe({ timeMs: 1001 + CLOCK_AHEAD_MAX_MS, tick: 7 }, 1000);
  assertEquals(clock.next(1000), { timeMs: 1000, tick: 0 });
});

Deno.test("HybridClock.next() goes on in the next ms when its ticks are used up", () => {
  const clock = new HybridClock();
  clock.observe({ timeMs: 1000, tick: 2 ** 32 - 1 }, 1000);
  assertEquals(clock.next(1000), { timeMs: 1001, tick: 0 });
});

Deno.test("HybridClock stamps rise, and stay within the bound of the wall clock's maximum", () => {
  const event = fc.record({
    wallMs: fc.nat(200_000),
    seen: fc.option(fc.record({ timeMs: fc.nat(400_000), tick: fc.nat(3) })),
  });
  fc.assert(fc.property(fc.array(event), (events) => {
    const clock = new HybridClock();
    let last: Stamp = { timeMs: -1, tick: 0 };
    let wallMsMax = 0;
    for (const { wallMs, seen } of events) {
      wallMsMax = Math.max(wallMsMax, wallMs);
      if (seen !== null) clock.observe(seen, wallMs);
      const stamp = clock.next(wallMs);
      assert(order(last, stamp) < 0);
      assert(stamp.timeMs <= wallMsMax + CLOCK_AHEAD_MAX_MS);
      last = stamp;
    }
  }));
});

function order(a: Stamp, b: Stamp): number {
  return a.timeMs - b.timeMs || a.tick - b.tick;
}
