import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { timedKey } from "./timed_key.ts";

Deno.test("timedKey() is a UUID of version 7 that begins with the time", () => {
  const key = timedKey("7a3f8c52-1b2c-4d5e-9f60-718293a4b5c6", 0x0199_8765_4321);
  assertEquals(key, "01998765-4321-7d5e-9f60-718293a4b5c6");
  const random = timedKey(crypto.randomUUID(), Date.now());
  assertMatch(random, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  assertNotEquals(random, timedKey(crypto.randomUUID(), Date.now()));
});
