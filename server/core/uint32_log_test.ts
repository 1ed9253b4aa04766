import { assertEquals } from "@std/assert";
import { Uint32Log } from "./uint32_log.ts";

Deno.test("Uint32Log keeps every item, on both sides of its pages' borders", () => {
  const log = new Uint32Log();
  const count = 3 * 2 ** 14 + 1;
  for (let index = 0; index < count; index++) {
    assertEquals(log.length, index);
    log.push(itemAt(index));
    assertEquals(log.at(index), itemAt(index));
  }
  for (let index = 0; index < count; index++) assertEquals(log.at(index), itemAt(index));
});

function itemAt(index: number): number {
  return 2 ** 32 - 1 - index;
}
