/**
 * `deno task bench:reading`: what reading a frame from a connection costs in CPU, by the way it is
 * read. Each way is an echo server of its own process, under 64 connections.
 */

import process from "node:process";
import { byteStream, FrameDecoder, writeAll } from "../codec/frame.ts";

const CONNECTIONS = 64;
const FRAME_BYTES = 180;
const ROUND_MS = 3000;
const CHUNK_BYTES = 16 * 1024;

type Chunks = AsyncGenerator<Uint8Array>;

const ways: Readonly<Record<string, (conn: Deno.TcpConn) => Chunks>> = {
  "conn.read()": byRead,
  "byteStream() and FrameDecoder, as here": byFrames,
  "conn.readable, BYOB reader": byBorrowedBuffer,
  "conn.readable, default reader": (conn) => byDefault(conn.readable),
  "conn.readable.pipeThrough()": (conn) =>
    byDefault(conn.readable.pipeThrough(new TransformStream())),
};

const [wanted] = Deno.args;
if (wanted === undefined) {
  for (const way of Object.keys(ways)) console.log(`${way.padEnd(40)} ${await measure(way)}`);
} else {
  await serve(wanted);
}

async function measure(way: string): Promise<string> {
  const args = ["run", "--quiet", "--no-prompt", "-P=scripts", import.meta.filename ?? "", way];
  const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number((await lines.read()).value);
  const endMs = performance.now() + ROUND_MS;
  await Promise.all(Array.from({ length: CONNECTIONS }, () => pingPong(port, endMs)));
  child.kill("SIGTERM");
  const { value = "" } = await lines.read();
  await child.status;
  return value.trim();
}

async function pingPong(port: number, endMs: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  const frame = new Uint8Array(FRAME_BYTES);
  frame[11] = FRAME_BYTES - 12;
  const into = new Uint8Array(FRAME_BYTES);
  while (performance.now() < endMs) {
    await writeAll(conn, frame);
    for (let got = 0; got < FRAME_BYTES;) got += await conn.read(into) ?? FRAME_BYTES;
  }
}

async function serve(way: string): Promise<void> {
  let messages = 0;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  Deno.addSignalListener("SIGTERM", () => {
    const { user, system } = process.cpuUsage();
    console.log(`${((user + system) / messages).toFixed(1)} µs of CPU a message`);
    Deno.exit();
  });
  console.log(listener.addr.port);
  for await (const conn of listener) echo(conn);

  async function echo(conn: Deno.TcpConn): Promise<void> {
    conn.setNoDelay(true);
    for await (const chunk of ways[way]?.(conn) ?? []) {
      messages++;
      await writeAll(conn, chunk);
    }
  }
}

async function* byRead(conn: Deno.TcpConn): Chunks {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let bytes; (bytes = await conn.read(buffer)) !== null;) yield buffer.subarray(0, bytes);
}

async function* byFrames(conn: Deno.TcpConn): Chunks {
  const decoder = new FrameDecoder({ payloadBytesMax: CHUNK_BYTES });
  const echoed = new Uint8Array(FRAME_BYTES);
  echoed[11] = FRAME_BYTES - 12;
  for await (const frames of decoder.batches(byteStream(conn))) {
    for (const _ of frames) yield echoed;
  }
}

async function* byBorrowedBuffer(conn: Deno.TcpConn): Chunks {
  const reader = conn.readable.getReader({ mode: "byob" });
  let buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const { value, done } = await reader.read(buffer);
    if (done) return;
    buffer = new Uint8Array(value.buffer);
    yield value;
  }
}

async function* byDefault(readable: ReadableStream<Uint8Array>): Chunks {
  yield* readable;
}
