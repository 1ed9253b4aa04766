import { assert, assertEquals } from "@std/assert";
import { shrink } from "./shrink.ts";

const deeds = Array.from({ length: 100 }, (_, number) => number);

Deno.test("shrink() leaves the deeds without which nothing fails", async () => {
  const needed = [3, 50, 51, 99];
  const fails = (some: readonly number[]) =>
    Promise.resolve(needed.every((number) => some.includes(number)));
  assertEquals(await shrink(deeds, fails, 1_000), needed);
});

Deno.test("shrink() leaves nothing where no deed is needed", async () => {
  assertEquals(await shrink(deeds, () => Promise.resolve(true), 1_000), []);
});

Deno.test("shrink() stops after its tries with what still fails", async () => {
  let tries = 0;
  const fails = (some: readonly number[]) => {
    tries++;
    return Promise.resolve(some.includes(7));
  };
  const left = await shrink(deeds, fails, 5);
  assertEquals(tries, 5);
  assert(left.includes(7) && left.length < deeds.length);
});
