import { assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CodecError, type CodecErrorCode } from "./error.ts";
import {
  anyForm,
  dict,
  dictOf,
  either,
  flag,
  form,
  int,
  list,
  nothing,
  optional,
  pair,
  type Shape,
  str,
  word,
} from "./shape.ts";
import { encodeValue, NESTING_MAX, type Value, ValueReader, ValueWriter } from "./value.ts";

const person = dict({ name: str, age: int, note: optional(str) });
const anyPerson = fc.record(
  { name: fc.string({ unit: "binary" }), age: fc.maxSafeInteger(), note: fc.string() },
  { requiredKeys: ["name", "age"] },
);

Deno.test("every shape reads what it wrote", () => {
  roundTrip(fc.constant(null), nothing);
  roundTrip(fc.string({ unit: "binary" }), str);
  roundTrip(fc.maxSafeInteger(), int);
  roundTrip(fc.boolean(), flag);
  roundTrip(fc.constantFrom("red", "green"), word("red", "green"));
  roundTrip(fc.array(fc.string()), list(str));
  roundTrip(fc.tuple(fc.string(), fc.maxSafeInteger()), pair(str, int));
  const maps = fc.array(fc.tuple(fc.string(), fc.maxSafeInteger())).map((it) => new Map(it));
  roundTrip(maps, dictOf(int));
  roundTrip(anyPerson, person);
});

Deno.test("dict() takes its fields in any order", () => {
  fc.assert(fc.property(anyPerson, fc.nat(), (value, seed) => {
    const entries = Object.entries(value) as [string, Value][];
    const first = seed % entries.length;
    const turned = [...entries.slice(first), ...entries.slice(0, first)];
    assertEquals(read(person, new Map(turned)), value);
  }));
});

Deno.test("dict() skips fields that it does not know, wherever they stand", () => {
  const unknown: [string, Value] = ["later", [1, new Map([["deep", ["x", 2n ** 60n]]]), ""]];
  const known: [string, Value][] = [["name", "al"], ["age", 3]];
  for (let at = 0; at <= known.length; at++) {
    assertEquals(read(person, new Map(known.toSpliced(at, 0, unknown))), { name: "al", age: 3 });
  }
});

Deno.test("dict() checks the fields that it skips", () => {
  const badUtf8 = [1, 0, 0, 0, 1, 0xff];
  assertRefused(
    person,
    dictBytes(3, bytesOf("name", "al"), bytesOf("age", 3), [...encodeValue("x"), ...badUtf8]),
    "bad_value",
  );
  assertRefused(
    person,
    dictBytes(3, bytesOf("name", "al"), bytesOf("age", 3), [...badUtf8, ...encodeValue(1)]),
    "bad_value",
  );
  assertRefused(
    person,
    dictBytes(3, bytesOf("name", "al"), bytesOf("age", 3), [...encodeValue("x"), 9]),
    "bad_value",
  );
  assertRefused(
    person,
    dictBytes(4, bytesOf("name", "al"), bytesOf("age", 3), bytesOf("x", 1), bytesOf("x", 1)),
    "bad_value",
  );
  const twice = dictBytes(2, bytesOf("k", 1), bytesOf("k", 1));
  assertRefused(
    person,
    dictBytes(3, bytesOf("name", "al"), bytesOf("age", 3), [...encodeValue("x"), ...twice]),
    "bad_value",
  );
});

Deno.test("dict() counts itself when it bounds the nesting of a field that it skips", () => {
  const heads = (count: number) => new Array<number[]>(count).fill([2, 0, 0, 0, 1]).flat();
  const withNested = (depth: number) => {
    const field = [...encodeValue("x"), ...heads(depth), ...encodeValue(1)];
    return dictBytes(3, bytesOf("name", "al"), bytesOf("age", 3), field);
  };
  assertEquals(readBytes(person, withNested(NESTING_MAX - 1)), { name: "al", age: 3 });
  assertRefused(person, withNested(NESTING_MAX), "bad_value");
});

Deno.test("word() does not quote all of a hostile text", () => {
  const reader = new ValueReader(encodeValue("\0".repeat(100_000)));
  const error = assertThrows(() => word("unread", "read").read(reader), CodecError);
  assertLess(error.message.length, 400);
});

Deno.test("dict() refuses a key that comes twice, and a required one that does not come", () => {
  const [name, age, note] = [bytesOf("name", "al"), bytesOf("age", 3), bytesOf("note", "")];
  assertRefused(person, dictBytes(3, name, age, name), "bad_value");
  assertRefused(person, dictBytes(4, name, age, note, note), "bad_value");
  assertRefused(person, dictBytes(1, name), "bad_payload");
  assertRefused(person, dictBytes(0), "bad_payload");
});

Deno.test("dict() keeps __proto__ out of what it returns", () => {
  const hostile = new Map<string, Value>([
    ["__proto__", new Map([["note", "polluted"]])],
    ["constructor", 1],
    ["name", "al"],
    ["age", 3],
  ]);
  const found = read(person, hostile);
  assertEquals(Object.getPrototypeOf(found), Object.prototype);
  assertEquals(found.note, undefined);
  assertEquals(read(dictOf(int), new Map([["__proto__", 1]])), new Map([["__proto__", 1]]));
});

Deno.test("shapes refuse another type of object as bad_payload", () => {
  const values: Value[] = [1, "a", ["a"], new Map([["a", 1]])];
  const shapes: [Shape<unknown>, number][] = [[int, 0], [str, 1], [list(str), 2], [dictOf(int), 3]];
  for (const [shape, own] of shapes) {
    for (const [tag, value] of values.entries()) {
      if (tag === own) read(shape, value);
      else assertRefused(shape, encodeValue(value), "bad_payload");
    }
    assertRefused(shape, new Uint8Array(), "bad_payload");
  }
  assertRefused(nothing, encodeValue(1), "bad_payload");
  assertRefused(pair(str, str), encodeValue(["a"]), "bad_payload");
  assertRefused(pair(str, str), encodeValue(["a", "b", "c"]), "bad_payload");
  assertRefused(int, encodeValue(2n ** 53n), "bad_payload");
  assertRefused(word("red"), encodeValue("blue"), "bad_payload");
});

Deno.test("word() does not quote all of a hostile text", () => {
  const bytes = encodeValue("\0".repeat(100_000));
  assertEquals(assertRefused(word("red"), bytes, "bad_payload").message.length < 400, true);
});

Deno.test("anyForm() and either() tell their forms apart by tag", () => {
  const named = anyForm(
    dict({ name: optional(str) }),
    form(str, (name) => ({ name })),
    form(nothing, () => ({})),
  );
  assertEquals(read(named, new Map([["name", "al"]])), { name: "al" });
  assertEquals(read(named, "al"), { name: "al" });
  assertEquals(readBytes(named, new Uint8Array()), {});
  assertRefused(named, encodeValue(1), "bad_payload");
  assertRefused(named, Uint8Array.from([9]), "bad_payload");

  const oneOrMany = either(str, list(str), (value) => typeof value === "string");
  assertEquals(read(oneOrMany, "al"), "al");
  assertEquals(read(oneOrMany, ["al"]), ["al"]);
  assertRefused(oneOrMany, encodeValue(1), "bad_payload");
  assertRefused(oneOrMany, new Uint8Array(), "bad_payload");
});

Deno.test("flag reads any int but 0 as yes, and writes 1", () => {
  assertEquals([0, 1, 7, -1].map((value) => read(flag, value)), [false, true, true, true]);
  assertEquals(written(flag, true), encodeValue(1));
});

function roundTrip<T>(values: fc.Arbitrary<T>, shape: Shape<T>): void {
  fc.assert(fc.property(values, (value) => {
    assertEquals(readBytes(shape, written(shape, value)), value);
  }));
}

function written<T>(shape: Shape<T>, value: T): Uint8Array {
  const writer = new ValueWriter(1);
  shape.write(writer, value);
  return writer.written;
}

function read<T>(shape: Shape<T>, value: Value): T {
  return readBytes(shape, encodeValue(value));
}

function readBytes<T>(shape: Shape<T>, bytes: Uint8Array): T {
  const reader = new ValueReader(bytes);
  const value = shape.read(reader);
  reader.end();
  return value;
}

function assertRefused(shape: Shape<unknown>, bytes: Uint8Array, code: CodecErrorCode): CodecError {
  const error = assertThrows(() => readBytes(shape, bytes), CodecError);
  assertEquals(error.code, code, error.message);
  return error;
}

function bytesOf(key: string, value: Value): number[] {
  return [...encodeValue(key), ...encodeValue(value)];
}

function dictBytes(count: number, ...entries: number[][]): Uint8Array {
  return Uint8Array.from([3, 0, 0, 0, count, ...entries.flat()]);
}
