import { assertEquals } from "@std/assert";
import { FramePace } from "./frame_pace.ts";

Deno.test("FramePace takes so many frames a second, and one more is over", () => {
  const rate = new FramePace();
  let timeMs = 5000;
  const nowMs = () => timeMs;
  rate.begin(timeMs);
  for (let count = 1; count < 10; count++) assertEquals(rate.isOver(10, nowMs), false);
  timeMs += 999;
  assertEquals([rate.isOver(10, nowMs), rate.leftMs(timeMs)], [true, 1]);
  timeMs += 1;
  assertEquals(rate.leftMs(timeMs), 0);
  for (let count = 0; count < 10; count++) assertEquals(rate.isOver(10, nowMs), false);
  assertEquals(rate.isOver(10, nowMs), true);
});
