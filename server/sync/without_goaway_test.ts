import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { GoawayFilter, withoutGoaway } from "./without_goaway.ts";

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [DATA, GOAWAY] = [0, 7];

Deno.test("GoawayFilter takes out GOAWAY and nothing else, however the bytes are split", () => {
  const frames = fc.array(fc.record({
    type: fc.oneof(fc.constantFrom(DATA, GOAWAY), fc.nat(255)),
    payload: fc.uint8Array({ maxLength: 300 }),
  }));
  const splits = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  fc.assert(fc.property(frames, splits, (frames, splits) => {
    const said = frames.map(({ type, payload }) => frame(type, payload));
    const told = said.filter((_, index) => frames[index]?.type !== GOAWAY);
    const filter = new GoawayFilter();
    const taken = split(concat([PREFACE, ...said]), splits).flatMap((part) => filter.take(part));
    assertEquals(concat(taken), concat([PREFACE, ...told]));
  }));
});

Deno.test("withoutGoaway() passes on all else, its end, and what is answered", async () => {
  await using ends = await connected();
  const { client, filtered } = ends;
  const told = concat([PREFACE, frame(DATA, new Uint8Array(100_000).fill(1))]);
  client.write(concat([told.subarray(0, PREFACE.length), frame(GOAWAY, new Uint8Array(8))]));
  client.write(concat([told.subarray(PREFACE.length), frame(GOAWAY)]));
  assertEquals(await read(filtered, told.length), told);
  filtered.write("answered");
  assertEquals(await read(client, 8), new TextEncoder().encode("answered"));
  const end = once(filtered, "end");
  client.end();
  filtered.resume();
  await end;
});

Deno.test("withoutGoaway() is over when its socket is, and the other way round", async () => {
  for (const side of ["client", "filtered"] as const) {
    await using ends = await connected();
    const { client, filtered } = ends;
    const closed = Promise.all([client, filtered].map((end) => once(end, "close")));
    // How it ends is nothing that either side has to be told.
    for (const end of [client, filtered]) end.on("error", () => {}).resume();
    ends[side].destroy();
    await closed;
  }
});

Deno.test("withoutGoaway() takes no more from its socket than is read", async () => {
  await using ends = await connected();
  const { client, filtered } = ends;
  const megabyte = frame(DATA, new Uint8Array(1024 * 1024));
  client.write(PREFACE);
  for (let count = 0; count < 32; count++) client.write(megabyte);
  const readable = once(filtered, "readable");
  filtered.read(0);
  await readable;
  assertLess(filtered.readableLength, megabyte.length);
  const toldBytes = PREFACE.length + 32 * megabyte.length;
  assertEquals((await read(filtered, toldBytes)).length, toldBytes);
});

/** The next bytes, so many; the stream stays open. */
async function read(stream: Duplex, bytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let left = bytes; left > 0;) {
    const part: Uint8Array | null = stream.read();
    if (part === null) await once(stream, "readable");
    else {
      parts.push(part);
      left -= part.length;
    }
  }
  return concat(parts);
}

/** Both ends of a connection. */
async function connected() {
  const accepted = Promise.withResolvers<Socket>();
  const listener = createServer(accepted.resolve).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  const client: Duplex = connect({ port, host: "127.0.0.1" });
  const filtered = withoutGoaway(await accepted.promise);
  return {
    client,
    filtered,
    async [Symbol.asyncDispose]() {
      client.destroy();
      filtered.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

function frame(type: number, payload = new Uint8Array()): Uint8Array {
  const { length } = payload;
  return concat([
    new Uint8Array([length >> 16, length >> 8 & 255, length & 255, type, 0, 0, 0, 0, 1]),
    payload,
  ]);
}

/** Into pieces of these lengths, over and over. */
function split(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const length = lengths[index % lengths.length] ?? 1;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
