import { assertEquals, assertLess } from "@std/assert";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { concat, http2Beginning, http2Call, http2Frame } from "../testing/http2_wire.ts";
import { FrameRate } from "./frame_guard.ts";
import { TYPE } from "./http2_frames.ts";
import { guarded } from "./http2_guard.ts";

/** As long as a frame may be. */
const LONG = http2Frame(TYPE.data, { stream: 1, content: new Uint8Array(16 * 1024).fill(1) });

Deno.test("guarded() leaves out GOAWAY, and passes on all else, its end, and what is answered", async () => {
  await using ends = await connected();
  const { client, filtered } = ends;
  const told = [http2Beginning(), http2Call(1), LONG];
  const goaway = http2Frame(TYPE.goaway, { content: new Uint8Array(8) });
  client.write(concat(told.flatMap((part) => [part, goaway])));
  assertEquals(await read(filtered, concat(told).length), concat(told));
  filtered.write("answered");
  assertEquals(await read(client, 8), new TextEncoder().encode("answered"));
  const end = once(filtered, "end");
  client.end();
  filtered.resume();
  await end;
});

Deno.test("guarded() ends a connection that says what none says, and tells why", async () => {
  await using ends = await connected();
  const { client, filtered, faults } = ends;
  const closed = Promise.all([client, filtered].map((end) => once(end, "close")));
  for (const end of [client, filtered]) end.on("error", () => {}).resume();
  client.write("GET / HTTP/1.1\r\n\r\n");
  await closed;
  assertEquals(faults, ["what is no HTTP/2"]);
});

Deno.test("guarded() ends a connection that calls nothing in time, and none that does", async () => {
  await using silent = await connected(200);
  await using calling = await connected(200);
  calling.client.write(concat([http2Beginning(), http2Call(1)]));
  for (const end of [silent.client, silent.filtered, calling.filtered]) {
    end.on("error", () => {}).resume();
  }
  silent.client.write(http2Beginning());
  await once(silent.filtered, "close");
  assertEquals(silent.faults, ["no call for 200 ms"]);
  assertEquals([calling.filtered.destroyed, calling.faults], [false, []]);
});

Deno.test("guarded() is over when its socket is, and the other way round", async () => {
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

Deno.test("guarded() takes no more from its socket than is read", async () => {
  await using ends = await connected();
  const { client, filtered } = ends;
  const beginning = concat([http2Beginning(), http2Call(1)]);
  const count = 2048;
  client.write(beginning);
  for (let sent = 0; sent < count; sent++) client.write(LONG);
  const readable = once(filtered, "readable");
  filtered.read(0);
  await readable;
  assertLess(filtered.readableLength, 1024 * 1024);
  const toldBytes = beginning.length + count * LONG.length;
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
async function connected(callDeadlineMs = 60_000) {
  const accepted = Promise.withResolvers<Socket>();
  const listener = createServer(accepted.resolve).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  const client: Duplex = connect({ port, host: "127.0.0.1" });
  const faults: string[] = [];
  const limits = { callsPerSecond: 100, controlFramesPerSecond: 100 };
  const rate = new FrameRate(limits, () => performance.now());
  const limited = { rate, callDeadlineMs };
  const filtered = guarded(await accepted.promise, limited, (what) => faults.push(what));
  return {
    client,
    filtered,
    faults,
    async [Symbol.asyncDispose]() {
      client.destroy();
      filtered.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
