import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Uint32List } from "./uint32_list.ts";

Deno.test("Uint32List does as an array does, growing and shrinking", () => {
  const command = fc.oneof(
    fc.record({ name: fc.constant("push"), value: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
    fc.record({ name: fc.constant("insert"), value: fc.nat() }),
    fc.record({ name: fc.constant("removeAt"), value: fc.nat() }),
    fc.record({ name: fc.constant("filter"), value: fc.integer({ min: 1, max: 4 }) }),
  );
  fc.assert(fc.property(fc.array(command, { maxLength: 100 }), (commands) => {
    const list = new Uint32List();
    let items: number[] = [];
    for (const { name, value } of commands) {
      if (name === "push") {
        list.push(value);
        items.push(value);
      } else if (name === "insert") {
        list.insert(value % (items.length + 1), value);
        items.splice(value % (items.length + 1), 0, value);
      } else if (name === "removeAt" && items.length > 0) {
        list.removeAt(value % items.length);
        items.splice(value % items.length, 1);
      } else if (name === "filter") {
        list.filter((item) => item % value === 0);
        items = items.filter((item) => item % value === 0);
      }
      assertEquals(Array.from({ length: list.length }, (_, index) => list.at(index)), items);
    }
  }));
});

Deno.test("Uint32List keeps every item of 10,000 through all its growth", () => {
  const list = new Uint32List();
  for (let index = 0; index < 10_000; index++) list.push(2 ** 32 - 1 - index);
  list.insert(0, 7);
  assertEquals(list.length, 10_001);
  assertEquals(list.at(0), 7);
  for (let index = 0; index < 10_000; index++) {
    assertEquals(list.at(index + 1), 2 ** 32 - 1 - index);
  }
});
