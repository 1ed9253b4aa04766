import { assertEquals, assertNotEquals } from "@std/assert";
import { OriginTable } from "./origin_table.ts";

Deno.test("OriginTable gives each origin one number, however they alternate", () => {
  const origins = new OriginTable();
  const numbers = ["a.e", "a.e", "b.e", "a.e", "c.e", "b.e"].map((name) => origins.numberOf(name));
  assertEquals(numbers, [0, 0, 1, 0, 2, 1]);
  assertEquals(origins.names, ["a.e", "b.e", "c.e"]);
  assertEquals(origins.nameOf(2), "c.e");
});

Deno.test("OriginTable.hashOf() does not depend on the number", () => {
  const [one, other] = [new OriginTable(), new OriginTable()];
  other.numberOf("b.e");
  assertEquals(one.hashOf(one.numberOf("a.e")), other.hashOf(other.numberOf("a.e")));
  assertNotEquals(other.hashOf(0), other.hashOf(1));
});
