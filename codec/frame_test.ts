import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CodecError } from "./error.ts";
import {
  byteStream,
  type Frame,
  FrameDecoder,
  HEADER_BYTES,
  writeAll,
  writeFrame,
} from "./frame.ts";
import { ValueWriter } from "./value.ts";

/** A frame whose payload is its own: a decoder's are views that do not last. */
interface OwnFrame {
  type: number;
  payload: number[];
}

const LIMIT = 1000;
const anyFrame = fc.record({
  type: fc.oneof(fc.nat(300), fc.maxSafeInteger()),
  payload: fc.array(fc.nat(255), { maxLength: 40 }),
});

Deno.test("FrameDecoder gives the same frames wherever the stream is cut in two", () => {
  const frames = [
    { type: 3, payload: [1, 2, 3] },
    { type: 12, payload: [] },
    { type: -1, payload: new Array(300).fill(7) },
    { type: 2 ** 53 - 1, payload: [9] },
  ];
  const bytes = encodeFrames(frames);
  for (let cut = 0; cut <= bytes.length; cut++) {
    assertEquals(decodeChunks([bytes.subarray(0, cut), bytes.subarray(cut)]), frames);
  }
});

Deno.test("FrameDecoder gives the same frames from chunks of any one size", () => {
  const frames = [1, 2, 3].map((type) => ({ type, payload: new Array(type * 150).fill(type) }));
  const bytes = encodeFrames(frames);
  for (let size = 1; size <= bytes.length; size++) {
    const chunks = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, index) => bytes.subarray(index * size, (index + 1) * size),
    );
    assertEquals(decodeChunks(chunks), frames);
  }
});

Deno.test("FrameDecoder gives the same frames however the stream is cut", () => {
  const chunking = fc.array(fc.nat(30), { minLength: 1, maxLength: 20 })
    .filter((sizes) => sizes.some((size) => size > 0));
  fc.assert(fc.property(fc.array(anyFrame, { maxLength: 8 }), chunking, (frames, sizes) => {
    assertEquals(decodeChunks(chunksOf(encodeFrames(frames), sizes)), frames);
  }));
});

Deno.test("FrameDecoder's frames stay as they are until the next push", () => {
  const frames = [1, 2, 3].map((type) => ({ type, payload: new Array(20).fill(type) }));
  const bytes = encodeFrames(frames);
  const decoder = new FrameDecoder({ payloadBytesMax: LIMIT });
  const first = Array.from(decoder.push(bytes.subarray(0, 5)));
  // The first straddles both chunks, the second lies in this one, the third is only begun.
  const batch = Array.from(decoder.push(bytes.subarray(5, bytes.length - 1)));
  assertEquals([...first, ...batch].map(owned), frames.slice(0, 2));
  assertEquals(Array.from(decoder.push(bytes.subarray(-1)), owned), frames.slice(2));
});

Deno.test("FrameDecoder's unfinished frame survives its chunk's buffer being used again", () => {
  const frames = [1, 2].map((type) => ({ type, payload: new Array(20).fill(type) }));
  const bytes = encodeFrames(frames);
  const decoder = new FrameDecoder({ payloadBytesMax: LIMIT });
  const buffer = new Uint8Array(bytes.length);
  const decoded = chunksOf(bytes, [7]).flatMap((chunk) => {
    buffer.fill(0xff);
    buffer.set(chunk);
    return Array.from(decoder.push(buffer.subarray(0, chunk.length)), owned);
  });
  assertEquals(decoded, frames);
});

Deno.test("FrameDecoder accepts a payload at the limit and refuses one byte more by its header", () => {
  const atLimit = { type: 3, payload: new Array(LIMIT).fill(0) };
  assertEquals(decodeChunks([encodeFrames([atLimit])]), [atLimit]);
  const header = encodeFrames([{ type: 3, payload: new Array(LIMIT + 1).fill(0) }])
    .subarray(0, HEADER_BYTES);
  for (const chunks of [[header], chunksOf(header, [1]), chunksOf(header, [11, 1])]) {
    const error = assertThrows(() => decodeChunks(chunks), CodecError, "limit is 1000");
    assertEquals(error.code, "frame_too_large");
  }
});

Deno.test("FrameDecoder gives the frames before one that is too large", () => {
  const good = { type: 12, payload: [] };
  const bytes = encodeFrames([good, { type: 3, payload: new Array(LIMIT + 1).fill(0) }]);
  const seen: OwnFrame[] = [];
  assertThrows(() => {
    for (const frame of new FrameDecoder({ payloadBytesMax: LIMIT }).push(bytes)) {
      seen.push(owned(frame));
    }
  }, CodecError);
  assertEquals(seen, [good]);
});

Deno.test("FrameDecoder heeds a limit that was raised between two frames of one chunk", () => {
  const limits = { payloadBytesMax: 10 };
  const frames = [{ type: 2, payload: [1] }, { type: 3, payload: new Array(500).fill(2) }];
  const seen: OwnFrame[] = [];
  for (const frame of new FrameDecoder(limits).push(encodeFrames(frames))) {
    seen.push(owned(frame));
    limits.payloadBytesMax = 500;
  }
  assertEquals(seen, frames);
});

Deno.test("FrameDecoder buffers for bytes that came, not for a header's claim", () => {
  const decoder = new FrameDecoder({ payloadBytesMax: 2 ** 32 - 1 });
  const header = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff]);
  const before = Deno.memoryUsage().external;
  assertEquals([...decoder.push(header)], []);
  assertEquals([...decoder.push(new Uint8Array(1000))], []);
  assertEquals(Deno.memoryUsage().external - before < 1024 * 1024, true);
});

Deno.test("FrameDecoder.end() fails within a frame, and only there", () => {
  const bytes = encodeFrames([{ type: 3, payload: [1, 2] }]);
  for (let end = 0; end <= bytes.length; end++) {
    const decoder = new FrameDecoder({ payloadBytesMax: LIMIT });
    Array.from(decoder.push(bytes.subarray(0, end)));
    if (end === 0 || end === bytes.length) decoder.end();
    else assertEquals(assertThrows(() => decoder.end(), CodecError).code, "frame_truncated");
  }
});

Deno.test("FrameDecoder.batches() gives the frames of a byteStream() that reuses its buffer", async () => {
  const frames = Array.from({ length: 3000 }, (_, index) => ({
    type: index,
    payload: new Array(index % 90).fill(index % 256),
  }));
  const source = sourceOf(encodeFrames(frames), 8 * 1024);
  const decoder = new FrameDecoder({ payloadBytesMax: LIMIT });
  const decoded: OwnFrame[] = [];
  for await (const batch of decoder.batches(byteStream(source))) {
    for (const frame of batch) decoded.push(owned(frame));
  }
  assertEquals(decoded, frames);
});

Deno.test("FrameDecoder.batches() fails when the stream ends within a frame", async () => {
  const bytes = encodeFrames([{ type: 3, payload: [1, 2] }]);
  const decoder = new FrameDecoder({ payloadBytesMax: LIMIT });
  const readable = byteStream(sourceOf(bytes.subarray(0, -1), 5));
  await assertRejects(
    async () => {
      for await (const batch of decoder.batches(readable)) Array.from(batch);
    },
    CodecError,
    "the stream ended 13 bytes into it",
  );
});

Deno.test("writeFrame() leaves the writer as it was when the payload cannot be written", () => {
  const writer = new ValueWriter();
  writeFrame(writer, 1, () => writer.str("good"));
  const before = writer.written.slice();
  assertThrows(() => writeFrame(writer, 1, () => writer.str("bad\ud800")), CodecError);
  assertEquals(writer.written, before);
});

Deno.test("writeAll() goes on until everything is taken", async () => {
  const taken: number[] = [];
  const write = (bytes: Uint8Array) => {
    taken.push(...bytes.subarray(0, 3));
    return Promise.resolve(Math.min(3, bytes.length));
  };
  await writeAll({ write }, Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  assertEquals(taken, [1, 2, 3, 4, 5, 6, 7]);
});

function encodeFrames(frames: readonly OwnFrame[]): Uint8Array {
  const writer = new ValueWriter();
  for (const { type, payload } of frames) {
    writeFrame(writer, type, () => writer.raw(Uint8Array.from(payload)));
  }
  return writer.written.slice();
}

function decodeChunks(chunks: readonly Uint8Array[]): OwnFrame[] {
  const decoder = new FrameDecoder({ payloadBytesMax: LIMIT });
  const frames = chunks.flatMap((chunk) => Array.from(decoder.push(chunk), owned));
  decoder.end();
  return frames;
}

function owned(frame: Frame): OwnFrame {
  return { type: frame.type, payload: [...frame.payload] };
}

/** `bytes` in chunks of `sizes`, over and over. */
function chunksOf(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** Reads at most `bytesMax` at a time. */
function sourceOf(bytes: Uint8Array, bytesMax: number) {
  let at = 0;
  return {
    read(into: Uint8Array): Promise<number | null> {
      const part = bytes.subarray(at, at + Math.min(bytesMax, into.length));
      into.set(part);
      at += part.length;
      return Promise.resolve(part.length === 0 ? null : part.length);
    },
  };
}
