/** Holds docs/PROTOCOL.md against what it describes. */

import { assert, assertEquals } from "@std/assert";
import { FrameDecoder, writeFrame } from "./frame.ts";
import {
  events,
  PAYLOAD_BYTES_MAX,
  readRequest,
  readServerMessage,
  replies,
  requests,
} from "./message.ts";
import { decodeValue, type Value, ValueWriter } from "./value.ts";

interface Example {
  /** Of the line that starts it. */
  arrow: string;
  name: string;
  payload: Value | undefined;
  bytes: Uint8Array;
}

const doc = await Deno.readTextFile(new URL("../docs/PROTOCOL.md", import.meta.url));
const examples = Array.from(doc.matchAll(/^```frames\n([^]*?)^```$/gm))
  .flatMap(([, block = ""]) => block.trim().split(/\n\n+/).map(parseExample));

Deno.test("PROTOCOL.md has a row and an example for every request, reply and event", () => {
  const tables = [["→", requests], ["←", replies], ["←", events]] as const;
  for (const [arrow, table] of tables) {
    for (const [kind, { type }] of Object.entries(table)) {
      const name = kind.toUpperCase();
      assert(new RegExp(`^\\| ${type} +\\| ${name} +\\|`, "m").test(doc), `no row for ${name}`);
      const example = examples.find((one) => one.arrow === arrow && one.name === name);
      assert(example !== undefined, `no example of ${name}`);
    }
  }
});

Deno.test("PROTOCOL.md's examples encode to the bytes beside them", () => {
  for (const { arrow, name, payload, bytes } of examples) {
    const writer = new ValueWriter();
    writeFrame(writer, typeOf(arrow, name), () => {
      if (payload !== undefined) writer.value(payload);
    });
    assertEquals(hex(writer.written), hex(bytes), name);
  }
});

Deno.test("PROTOCOL.md's bytes decode to the examples beside them", () => {
  for (const { arrow, name, payload, bytes } of examples) {
    const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
    const [frame, ...others] = decoder.push(bytes);
    decoder.end();
    assert(frame !== undefined && others.length === 0, name);
    assertEquals(frame.type, typeOf(arrow, name));
    const decoded = frame.payload.length === 0 ? undefined : decodeValue(frame.payload);
    assertEquals(decoded, payload);
    const read = arrow === "→" ? readRequest : readServerMessage;
    assertEquals(read(frame)?.kind.toUpperCase(), name);
  }
});

Deno.test("PROTOCOL.md explains every refusal code, and no other", async () => {
  const source = await Deno.readTextFile(new URL("message.ts", import.meta.url));
  const union = /type RefusalCode =([^;]*);/.exec(source)?.[1] ?? "";
  const codes = Array.from(union.matchAll(/"(\w+)"/g), ([, code]) => code);
  const section = doc.slice(doc.indexOf("\n## Refusals"), doc.indexOf("\n## What may change"));
  const explained = Array.from(section.matchAll(/^\| `(\w+)`/gm), ([, code]) => code);
  assertEquals(explained.toSorted(), codes.toSorted());
});

/** An arrow, a name and JSON, which may go on for some lines; then lines of hexadecimal. */
function parseExample(text: string): Example {
  const lines = text.split("\n");
  const isHex = (line: string) => /^[0-9a-f]{2}( [0-9a-f]{2})*$/.test(line);
  const [arrow = "", name = "", ...json] = lines.filter((line) => !isHex(line)).join(" ").split(
    " ",
  );
  const bytes = lines.filter(isHex).join(" ").split(" ").map((byte) => parseInt(byte, 16));
  const payload: unknown = JSON.parse(json.join(" "));
  return {
    arrow,
    name,
    payload: payload === null ? undefined : valueOf(payload),
    bytes: Uint8Array.from(bytes),
  };
}

function valueOf(json: unknown): Value {
  if (typeof json === "number" || typeof json === "string") return json;
  if (Array.isArray(json)) return json.map(valueOf);
  assert(typeof json === "object" && json !== null, `${json} is no object of the protocol`);
  return new Map(Object.entries(json).map(([key, value]) => [key, valueOf(value)]));
}

function typeOf(arrow: string, name: string): number {
  const table = arrow === "→" ? requests : { ...replies, ...events };
  const row = Object.entries(table).find(([kind]) => kind.toUpperCase() === name)?.[1];
  assert(row !== undefined, `no message is called ${name}`);
  return row.type;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
