import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { MemberHash, SetDigest } from "./digest.ts";

Deno.test("SetDigest does not depend on the order of its members", () => {
  fc.assert(fc.property(fc.array(fc.string()), (texts) => {
    assertEquals(digestOf(texts), digestOf(texts.toReversed()));
    assertEquals(digestOf(texts), digestOf(texts.toSorted()));
  }));
});

Deno.test("SetDigest.remove() takes back what add() did", () => {
  fc.assert(fc.property(fc.array(fc.string()), fc.array(fc.string()), (kept, passing) => {
    const digest = new SetDigest();
    for (const text of [...passing, ...kept]) digest.add(hashOf(text));
    for (const text of passing) digest.remove(hashOf(text));
    assertEquals(digest.toString(), digestOf(kept));
  }));
});

Deno.test("SetDigest counts a member that is there twice", () => {
  assertNotEquals(digestOf(["a", "a"]), digestOf([]));
  assertNotEquals(digestOf(["a", "a"]), digestOf(["a"]));
});

Deno.test("SetDigest is the sum modulo 2^64, carry and borrow included", () => {
  const half = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(fc.property(fc.array(fc.record({ high: half, low: half })), (members) => {
    const digest = new SetDigest();
    let sum = 0n;
    for (const member of members) {
      digest.add(member);
      sum += (BigInt(member.high) << 32n) + BigInt(member.low >>> 0);
    }
    assertEquals(digest.toString(), BigInt.asUintN(64, sum).toString(16).padStart(16, "0"));
    for (const member of members) digest.remove(member);
    assertEquals(digest.toString(), "0".repeat(16));
  }));
});

Deno.test("MemberHash tells 100,000 numbers and their neighbours apart", () => {
  const hashes = new Set<string>();
  for (let number = 0; number < 100_000; number++) {
    hashes.add(digestOfHash(new MemberHash().start().int32(number)));
    hashes.add(digestOfHash(new MemberHash().start().integer(number * 2 ** 33)));
  }
  // 0 is one int32 as such, and two as an integer.
  assertEquals(hashes.size, 200_000);
});

Deno.test("MemberHash tells apart where one text ends and the next begins", () => {
  const two = (a: string, b: string) => digestOfHash(new MemberHash().start().text(a).text(b));
  assertNotEquals(two("ab", "c"), two("a", "bc"));
  assertNotEquals(two("", "a"), two("a", ""));
  assertMatch(two("a", "b"), /^[0-9a-f]{16}$/);
});

function hashOf(text: string): MemberHash {
  return new MemberHash().start().text(text);
}

function digestOf(texts: readonly string[]): string {
  const digest = new SetDigest();
  for (const text of texts) digest.add(hashOf(text));
  return digest.toString();
}

function digestOfHash(hash: MemberHash): string {
  const digest = new SetDigest();
  digest.add(hash);
  return digest.toString();
}
