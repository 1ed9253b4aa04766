import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { countFields } from "./hpack_fields.ts";

Deno.test("countFields() counts the fields of RFC 7541's examples", () => {
  const examples: [string, number][] = [
    ["", 0],
    // Appendix C.2.1 to C.2.4: a literal with indexing, without, never indexed, and an index.
    ["400a637573746f6d2d6b65790d637573746f6d2d686561646572", 1],
    ["040c2f73616d706c652f70617468", 1],
    ["100870617373776f726406736563726574", 1],
    ["82", 1],
    // C.3.1 and C.4.1: a request, plain and in Huffman's code.
    ["828684410f7777772e6578616d706c652e636f6d", 4],
    ["828684418cf1e3c2e5f23a6ba0ab90f4ff", 4],
    // A new size of the table is no field.
    ["3fe11f82", 1],
  ];
  for (const [hex, fields] of examples) {
    assertEquals(countFields(Uint8Array.fromHex(hex)), fields, hex);
  }
});

Deno.test("countFields() counts every byte that stands for a field, however much it stands for", () => {
  const block = new Uint8Array(5000).fill(0xbe);
  assertEquals(countFields(block), 5000);
});

Deno.test("countFields() finds a block that ends in the middle, at every place of it", () => {
  const whole = Uint8Array.fromHex("400a637573746f6d2d6b65790d637573746f6d2d686561646572");
  for (let end = 1; end < whole.length; end++) {
    assertEquals(countFields(whole.subarray(0, end)), undefined, `${end}`);
  }
  for (const hex of ["ff", "ff80808080808001", "7f", "00", "007f", "0001"]) {
    assertEquals(countFields(Uint8Array.fromHex(hex)), undefined, hex);
  }
});

Deno.test("countFields() ends with an answer for all bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (block) => {
    const fields = countFields(block);
    return fields === undefined || fields >= 0 && fields <= block.length;
  }));
});
