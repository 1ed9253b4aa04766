import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CodecError } from "./error.ts";
import { decodeValue, encodeValue, NESTING_MAX, type Value, ValueReader } from "./value.ts";

const anyString = fc.string({ unit: "binary" });
const anyInt = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(narrowed),
);
const anyValue = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    anyInt,
    anyString,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(fc.tuple(anyString, tie("value")), { maxLength: 5 }).map((pairs) => new Map(pairs)),
  ),
})).value;

Deno.test("decodeValue() gives what encodeValue() was given", () => {
  fc.assert(fc.property(anyValue, (value) => {
    assertEquals(decodeValue(encodeValue(value)), value);
  }));
});

Deno.test("decodeValue() gives ints as number where that is exact, else as bigint", () => {
  const edges: [bigint, Value][] = [
    [0n, 0],
    [-1n, -1],
    [2n ** 31n, 2 ** 31],
    [2n ** 32n, 2 ** 32],
    [-(2n ** 32n), -(2 ** 32)],
    [2n ** 53n - 1n, Number.MAX_SAFE_INTEGER],
    [-(2n ** 53n) + 1n, Number.MIN_SAFE_INTEGER],
    [2n ** 53n, 2n ** 53n],
    [-(2n ** 53n), -(2n ** 53n)],
    [2n ** 53n + 1n, 2n ** 53n + 1n],
    [-(2n ** 53n) - 1n, -(2n ** 53n) - 1n],
    [2n ** 63n - 1n, 2n ** 63n - 1n],
    [-(2n ** 63n), -(2n ** 63n)],
  ];
  for (const [int, expected] of edges) {
    assertStrictEquals(decodeValue(bytesOfInt(int)), expected);
    assertEquals(encodeValue(int), bytesOfInt(int));
    assertEquals(encodeValue(expected), bytesOfInt(int));
  }
});

Deno.test("encodeValue() refuses numbers that are no int64", () => {
  for (const wrong of [0.5, NaN, Infinity, 2 ** 53, 2n ** 63n, -(2n ** 63n) - 1n]) {
    assertCodecError(() => encodeValue(wrong), "Cannot encode");
  }
});

Deno.test("encodeValue() refuses half a surrogate pair, in short and long strings", () => {
  for (const half of ["\ud800", "\udc00a", "a".repeat(100) + "\ud83d"]) {
    assertCodecError(() => encodeValue(half), "surrogate");
    assertCodecError(() => encodeValue(new Map([[half, 1]])), "surrogate");
  }
});

Deno.test("decodeValue() keeps a byte order mark, U+FFFD, NUL and noncharacters", () => {
  for (const character of ["\ufeff", "\ufffd", "\0", "\uffff", "\u{10ffff}", "\u2028"]) {
    for (
      const text of [
        character,
        `${character}a`,
        character.repeat(50),
        `${"a".repeat(50)}${character}`,
      ]
    ) {
      assertEquals(decodeValue(encodeValue(text)), text);
    }
  }
});

Deno.test("decodeValue() refuses bytes that are not UTF-8, in short and long strings", () => {
  const wrong: Record<string, number[]> = {
    "a lone continuation byte": [0x80],
    "an overlong slash of 2 bytes": [0xc0, 0xaf],
    "an overlong slash of 3 bytes": [0xe0, 0x80, 0xaf],
    "an overlong slash of 4 bytes": [0xf0, 0x80, 0x80, 0xaf],
    "an overlong NUL": [0xc0, 0x80],
    "half a surrogate pair": [0xed, 0xa0, 0x80],
    "a whole surrogate pair": [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
    "a sequence cut short": [0xe2, 0x82],
    "beyond U+10FFFF": [0xf4, 0x90, 0x80, 0x80],
    "a byte that is never used": [0xff],
    "U+FFFD, and then something wrong": [0xef, 0xbf, 0xbd, 0xff],
  };
  for (const bytes of Object.values(wrong)) {
    for (const padding of [0, 7, 100]) {
      const before = new Array<number>(padding).fill(0x61);
      assertCodecError(() => decodeValue(strOf([...before, ...bytes])), "UTF-8");
      assertCodecError(() => decodeValue(strOf([...bytes, ...before])), "UTF-8");
    }
  }
});

Deno.test("decodeValue() keeps __proto__ and its like as plain keys", () => {
  for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    const decoded = decodeValue(encodeValue(new Map([[key, new Map([["polluted", 1]])]])));
    assertEquals(decoded, new Map([[key, new Map([["polluted", 1]])]]));
  }
  assertEquals(Reflect.get({}, "polluted"), undefined);
});

Deno.test("decodeValue() refuses a key that comes twice", () => {
  const entry = [...encodeValue("key"), ...encodeValue(1)];
  const bytes = Uint8Array.from([3, ...u32(2), ...entry, ...entry]);
  assertCodecError(() => decodeValue(bytes), "a key twice");
});

Deno.test("decodeValue() refuses every proper beginning of an object", () => {
  fc.assert(fc.property(anyValue, (value) => {
    const bytes = encodeValue(value);
    for (let end = 0; end < bytes.length; end++) {
      assertThrows(() => decodeValue(bytes.subarray(0, end)), CodecError);
    }
  }));
});

Deno.test("decodeValue() refuses bytes after the object", () => {
  fc.assert(fc.property(anyValue, fc.uint8Array({ minLength: 1, maxLength: 9 }), (value, more) => {
    const bytes = Uint8Array.from([...encodeValue(value), ...more]);
    assertCodecError(() => decodeValue(bytes), "follow the object");
  }));
});

Deno.test("decodeValue() refuses tags that do not exist", () => {
  for (let tag = 4; tag < 256; tag++) {
    const bytes = Uint8Array.from([tag, 0, 0, 0, 0, 0, 0, 0, 0]);
    assertCodecError(() => decodeValue(bytes), `${tag} is no tag`);
  }
});

Deno.test("decodeValue() refuses lengths and counts beyond the bytes left, without allocating", () => {
  const before = Deno.memoryUsage();
  for (const tag of [1, 2, 3]) {
    for (const claim of [1, 2 ** 16, 2 ** 30, 2 ** 31, 2 ** 32 - 1]) {
      assertCodecError(() => decodeValue(Uint8Array.from([tag, ...u32(claim)])), "Cannot decode");
    }
  }
  const after = Deno.memoryUsage();
  const grown = after.external + after.heapTotal - before.external - before.heapTotal;
  assertEquals(grown < 64 * 1024 * 1024, true, `${grown} bytes allocated`);
});

Deno.test("counts are held against the fewest bytes their items can take", () => {
  const emptyStr = encodeValue("");
  const items = [...emptyStr, ...emptyStr];
  assertEquals(decodeValue(Uint8Array.from([2, ...u32(2), ...items])), ["", ""]);
  assertCodecError(() => decodeValue(Uint8Array.from([2, ...u32(3), ...items])), "3 items");
  assertEquals(decodeValue(Uint8Array.from([3, ...u32(1), ...items])), new Map([["", ""]]));
  assertCodecError(() => decodeValue(Uint8Array.from([3, ...u32(2), ...items])), "2 items");
});

Deno.test(`objects may be nested ${NESTING_MAX} deep and no deeper`, () => {
  for (const nest of [(value: Value) => [value], (value: Value) => new Map([["", value]])]) {
    const deepest = nested(nest, NESTING_MAX, 1);
    assertEquals(decodeValue(encodeValue(deepest)), deepest);
    assertCodecError(() => encodeValue(nest(deepest)), "32 deep");
  }
  const head = [2, ...u32(1)];
  const empty = [2, ...u32(0)];
  const heads = (count: number) => new Array<number[]>(count).fill(head).flat();
  decodeValue(Uint8Array.from([...heads(NESTING_MAX - 1), ...empty]));
  const tooDeep = Uint8Array.from([...heads(NESTING_MAX), ...empty]);
  assertCodecError(() => decodeValue(tooDeep), "32 deep");
  assertCodecError(() => decodeValue(Uint8Array.from([...heads(100_000), ...empty])), "32 deep");
});

Deno.test("ValueReader.skip() takes and refuses exactly what value() does", () => {
  const mutated = fc.tuple(anyValue, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const bytes = encodeValue(value);
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  const bytes = fc.oneof(anyValue.map(encodeValue), mutated, fc.uint8Array({ maxLength: 40 }));
  fc.assert(
    fc.property(bytes, (bytes) => {
      assertEquals(
        outcome(bytes, (reader) => reader.skip()),
        outcome(bytes, (reader) => void reader.value()),
      );
    }),
    { numRuns: 2000 },
  );
});

/** Where the reader stood at the end, or the error. */
function outcome(bytes: Uint8Array, take: (reader: ValueReader) => void): number | string {
  const reader = new ValueReader(bytes);
  try {
    take(reader);
    return reader.bytesLeft;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return error.message;
  }
}

function assertCodecError(fn: () => unknown, messageIncludes: string): void {
  const error = assertThrows(fn, CodecError, messageIncludes);
  assertEquals(error.code, "bad_value");
}

function nested(nest: (value: Value) => Value, depth: number, innermost: Value): Value {
  return depth === 0 ? innermost : nest(nested(nest, depth - 1, innermost));
}

function narrowed(int: bigint): number | bigint {
  const number = Number(int);
  return Number.isSafeInteger(number) ? number : int;
}

function bytesOfInt(int: bigint): Uint8Array {
  const bytes = new Uint8Array(9);
  new DataView(bytes.buffer).setBigInt64(1, int);
  return bytes;
}

function strOf(bytes: number[]): Uint8Array {
  return Uint8Array.from([1, ...u32(bytes.length), ...bytes]);
}

function u32(value: number): number[] {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return [...bytes];
}
