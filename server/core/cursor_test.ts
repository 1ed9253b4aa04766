import { assertEquals } from "@std/assert";
import { Cursor } from "./cursor.ts";
import { VECTOR_TEXT_MAX, VersionVector } from "./version_vector.ts";

Deno.test("Cursor.parse() reads what toString() made", () => {
  for (const text of ["", "a.x:1", "a.x:3/2", "a.x:3/0,b.y:7,c.z:9007199254740991/9"]) {
    assertEquals(Cursor.parse(text)?.toString(), text);
  }
});

Deno.test("Cursor.parse() of a version vector takes all of it for settled", () => {
  const cursor = Cursor.parse("a.x:3,b.y:7");
  assertEquals(cursor?.isSettled, true);
  assertEquals(cursor?.settled.toString(), "a.x:3,b.y:7");
});

Deno.test("Cursor.parse() tells what was told from what is settled", () => {
  const cursor = Cursor.parse("a.x:3/2,b.y:7,c.z:1/0");
  assertEquals(cursor?.isSettled, false);
  assertEquals(cursor?.told.toString(), "a.x:3,b.y:7,c.z:1");
  assertEquals(cursor?.settled.toString(), "a.x:2,b.y:7");
});

Deno.test("Cursor.parse() refuses what is no cursor", () => {
  const texts = [
    "a.x",
    "a.x:0",
    "a.x:3/",
    "a.x:3/3",
    "a.x:3/4",
    "a.x:3/-1",
    "a.x:3/01",
    "a.x:3/1/1",
    "a.x:3/1.5",
    "a.x:3/12345678901234567",
    "/1",
    "a.x/1:3",
    "a.x:9/5,a.x:4",
    `${"a".repeat(VECTOR_TEXT_MAX)}.x:1`,
  ];
  for (const text of texts) assertEquals(Cursor.parse(text), undefined, text);
});

Deno.test("Cursor.toString() shows what is not settled, and nothing of what is", () => {
  const [told, settled] = ["a.x:3,b.y:7", "a.x:3,b.y:4"].map((text) => VersionVector.parse(text));
  assertEquals(new Cursor(told as VersionVector, settled).toString(), "a.x:3,b.y:7/4");
  assertEquals(new Cursor(told as VersionVector, told?.copy()).toString(), "a.x:3,b.y:7");
});
