import { assertEquals } from "@std/assert";
import { VECTOR_TEXT_MAX, VersionVector } from "./version_vector.ts";

Deno.test("VersionVector.seqOf() is 0 for an origin never heard of", () => {
  assertEquals(new VersionVector().seqOf("node1.e1"), 0);
});

Deno.test("VersionVector.covers() what is up to the last sequence number, and no more", () => {
  const vector = vectorOf({ "node1.e1": 3 });
  assertEquals(vector.covers({ origin: "node1.e1", seq: 3 }), true);
  assertEquals(vector.covers({ origin: "node1.e1", seq: 4 }), false);
  assertEquals(vector.covers({ origin: "node1.e2", seq: 1 }), false);
});

Deno.test("VersionVector.copy() does not follow the original", () => {
  const vector = vectorOf({ "node1.e1": 3 });
  const copy = vector.copy();
  vector.advance("node1.e1", 4);
  assertEquals(copy.seqOf("node1.e1"), 3);
});

Deno.test("VersionVector.parse() reads what toString() wrote", () => {
  const vectors = [{}, { "node1.e1": 1 }, { "a-b_C.0z": Number.MAX_SAFE_INTEGER, "node2.e2": 7 }];
  for (const entries of vectors) {
    const text = vectorOf(entries).toString();
    assertEquals(VersionVector.parse(text)?.entries(), vectorOf(entries).entries());
  }
});

Deno.test("VersionVector.parse() refuses everything else", () => {
  const wrong = [
    ",",
    "node1.e1",
    "node1.e1:0",
    "node1.e1:01",
    "node1.e1:-1",
    "node1.e1:1.5",
    "node1.e1:9007199254740992",
    "node1:1",
    "node1.E1:1",
    "node1.e1:1,",
    " node1.e1:1",
    "node1.e1:1\n",
    "__proto__:1",
    `${"n".repeat(33)}.e1:1`,
  ];
  for (const text of wrong) assertEquals(VersionVector.parse(text), undefined, text);
});

Deno.test("VersionVector.parse() looks at no text longer than its limit", () => {
  const origins = (length: number) =>
    Array.from({ length }, (_, index) => `n${String(index).padStart(5, "0")}.e:1234567`).join(",");
  const fits = Math.floor((VECTOR_TEXT_MAX + 1) / (origins(1).length + 1));
  assertEquals(VersionVector.parse(origins(fits))?.entries().size, fits);
  assertEquals(VersionVector.parse(origins(fits + 1)), undefined);
});

function vectorOf(entries: Record<string, number>): VersionVector {
  const vector = new VersionVector();
  for (const [origin, seq] of Object.entries(entries)) vector.advance(origin, seq);
  return vector;
}

Deno.test("VersionVector.limit() leaves what both cover", () => {
  const vector = VersionVector.parse("a.x:5,b.x:2,c.x:3");
  vector?.limit(VersionVector.parse("a.x:3,b.x:4") ?? new VersionVector());
  assertEquals(vector?.toString(), "a.x:3,b.x:2");
});
