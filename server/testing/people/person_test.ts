import { assertEquals } from "@std/assert";
import { keyTimeOf, messageIdOf } from "../../core/message_id.ts";
import { Random } from "../random.ts";
import { uuidOf } from "./person.ts";

Deno.test("uuidOf() gives UUIDs that tell no time, whatever their bits", () => {
  const random = new Random(1);
  for (let count = 0; count < 10_000; count++) {
    const uuid = uuidOf(random);
    assertEquals(keyTimeOf(messageIdOf("abcdefgh2345", uuid)), undefined, uuid);
  }
});
