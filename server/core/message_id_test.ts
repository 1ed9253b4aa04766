import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import {
  ACCOUNT_ID_LENGTH,
  keyTimeOf,
  messageIdFrom,
  messageIdOf,
  readKeyWords,
  senderOf,
} from "./message_id.ts";

const SENDER = "abcdefgh2345";
const UUID = "0f8fad5b-d9cb-469f-a165-70867728950e";

Deno.test("messageIdOf() takes a UUID in any case as the 128 bits it is", () => {
  assertEquals(
    messageIdOf(SENDER, UUID),
    `${SENDER}.D4-tW9nLRp-hZXCGdyiVDg`,
  );
  assertEquals(messageIdOf(SENDER, UUID.toUpperCase()), messageIdOf(SENDER, UUID));
});

Deno.test("messageIdOf() makes ids of keys that are no UUIDs, each its own", () => {
  const keys = ["", "1", "key", UUID.slice(1), UUID.replaceAll("-", ""), UUID.replace("0f", "0g")];
  assertEquals(new Set(keys.map((key) => messageIdOf(SENDER, key))).size, keys.length);
});

Deno.test("messageIdOf() gives different senders different ids", () => {
  fc.assert(fc.property(account(), account(), fc.string(), fc.string(), (a, b, key, other) => {
    fc.pre(a !== b);
    assertNotEquals(messageIdOf(a, key), messageIdOf(b, other));
  }));
});

Deno.test("senderOf() and readKeyWords() read back what an id was made of", () => {
  const words = fc.int32Array({ minLength: 4, maxLength: 4 });
  fc.assert(fc.property(account(), words, (sender, words) => {
    const id = messageIdFrom(sender, words);
    const read = new Int32Array(4).fill(-1);
    assertEquals(senderOf(id), sender);
    assertEquals(readKeyWords(id, read), true);
    assertEquals(read, words);
  }));
});

Deno.test("an id is base64url of its key, as other programs write it", () => {
  fc.assert(fc.property(fc.int32Array({ minLength: 4, maxLength: 4 }), (words) => {
    const bytes = new Uint8Array(16);
    words.forEach((word, index) => new DataView(bytes.buffer).setInt32(index * 4, word));
    const base64 = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    assertEquals(messageIdFrom(SENDER, words), `${SENDER}.${base64}`);
  }));
});

Deno.test("senderOf() and readKeyWords() refuse what is no message's id", () => {
  const id = messageIdOf(SENDER, UUID);
  const wrong = [
    "",
    SENDER,
    id.slice(1),
    `${id}A`,
    id.replace(".", "_"),
    id.slice(0, -1) + "B",
    id.slice(0, -2) + "=A",
    id.slice(0, -2) + "éA",
    id.slice(0, -2) + "\u{4e00}A",
    id.slice(0, -2) + "\0A",
  ];
  for (const text of wrong) {
    const isRead = senderOf(text) !== undefined && readKeyWords(text, new Int32Array(4));
    assertEquals(isRead, false, text);
  }
});

function account() {
  const digit = fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz234567");
  return fc.string({ unit: digit, minLength: ACCOUNT_ID_LENGTH, maxLength: ACCOUNT_ID_LENGTH });
}

Deno.test("keyTimeOf() tells of UUIDs of version 7 only, and of no hash that looks like one", () => {
  const timed = "01998765-4321-7d5e-9f60-718293a4b5c6";
  assertEquals(keyTimeOf(messageIdOf(SENDER, timed)), 0x0199_8765_4321);
  assertEquals(keyTimeOf(messageIdOf(SENDER, timed.replace("-7d", "-4d"))), undefined);
  assertEquals(keyTimeOf(messageIdOf(SENDER, timed.replace("-9f", "-cf"))), undefined);
  for (let number = 0; number < 2000; number++) {
    assertEquals(keyTimeOf(messageIdOf(SENDER, `key ${number}`)), undefined);
  }
});
