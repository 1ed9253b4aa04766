import { readU32 } from "./bytes.ts";
import { CodecError } from "./error.ts";
import type { ValueWriter } from "./value.ts";

/** `int64 msg_type`, `uint32 data_len`, both big-endian. */
export const HEADER_BYTES = 12;

/** One message as it travels: its number and its encoded object, or no bytes at all for null. */
export interface Frame {
  readonly type: number;
  /** Valid until the next chunk is pushed. */
  readonly payload: Uint8Array;
}

export interface FrameLimits {
  /** The longest payload that is accepted. May be raised between two frames. */
  payloadBytesMax: number;
}

/** A partial frame's buffer starts at this size and doubles as bytes come, never on a mere claim. */
const PARTIAL_BYTES_MIN = 256;
const NO_BYTES = new Uint8Array(0);

/**
 * Cuts a byte stream into frames, however the network split it. A frame that lies whole in a chunk
 * is handed out as a view of that chunk; only one that straddles two chunks is copied, once.
 *
 * ```ts
 * const decoder = new FrameDecoder({ payloadBytesMax: 4096 });
 * for await (const frames of decoder.batches(readable)) {
 *   for (const frame of frames) handle(frame);
 * }
 * ```
 */
export class FrameDecoder {
  readonly #limits: FrameLimits;
  #partial: Uint8Array = NO_BYTES;
  #partialBytes = 0;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /**
   * The frames of each chunk of `readable`, one iterable a chunk: a promise for every frame would
   * cost more than decoding it. Take all of a batch before asking for the next. Throws
   * {@linkcode CodecError} on a frame over the limit, or when the stream ends within a frame.
   */
  async *batches(readable: ReadableStream<Uint8Array>): AsyncGenerator<Iterable<Frame>> {
    const reader = readable.getReader();
    try {
      for (;;) {
        const { value: chunk, done } = await reader.read();
        if (done) break;
        yield this.push(chunk);
      }
      this.end();
    } finally {
      reader.releaseLock();
    }
  }

  /** The frames that `chunk` completes, cut off as they are asked for. */
  *push(chunk: Uint8Array): Generator<Frame> {
    let at = 0;
    if (this.#partialBytes > 0) {
      at = this.#fill(chunk, at, HEADER_BYTES);
      if (this.#partialBytes < HEADER_BYTES) return;
      const frameBytes = HEADER_BYTES + this.#payloadBytes(this.#partial, 0);
      at = this.#fill(chunk, at, frameBytes);
      if (this.#partialBytes < frameBytes) return;
      const whole = this.#partial;
      this.#partial = NO_BYTES;
      this.#partialBytes = 0;
      yield frameAt(whole, 0, frameBytes);
    }
    while (chunk.length - at >= HEADER_BYTES) {
      const frameBytes = HEADER_BYTES + this.#payloadBytes(chunk, at);
      if (chunk.length - at < frameBytes) break;
      yield frameAt(chunk, at, frameBytes);
      at += frameBytes;
    }
    this.#fill(chunk, at, chunk.length - at);
  }

  /** Whether bytes of a frame have come, and others not. */
  get isWithinFrame(): boolean {
    return this.#partialBytes > 0;
  }

  /** How much memory the beginning of a frame takes that is not complete. */
  get heldBytes(): number {
    return this.#partial.length;
  }

  /** Throws if bytes of an unfinished frame are left. */
  end(): void {
    if (this.#partialBytes > 0) {
      throw new CodecError(
        "frame_truncated",
        `Cannot decode a frame: the stream ended ${this.#partialBytes} bytes into it`,
      );
    }
  }

  /** Moves bytes to the partial frame until it has `bytes`; returns where the chunk goes on. */
  #fill(chunk: Uint8Array, at: number, bytes: number): number {
    const taken = Math.min(bytes - this.#partialBytes, chunk.length - at);
    if (taken <= 0) return at;
    const needed = this.#partialBytes + taken;
    if (needed > this.#partial.length) {
      const grown = new Uint8Array(Math.max(PARTIAL_BYTES_MIN, needed * 2));
      grown.set(this.#partial.subarray(0, this.#partialBytes));
      this.#partial = grown;
    }
    this.#partial.set(chunk.subarray(at, at + taken), this.#partialBytes);
    this.#partialBytes = needed;
    return at + taken;
  }

  #payloadBytes(bytes: Uint8Array, at: number): number {
    const payloadBytes = readU32(bytes, at + 8);
    // The length is the peer's claim: refuse it before buffering for it.
    if (payloadBytes > this.#limits.payloadBytesMax) {
      throw new CodecError(
        "frame_too_large",
        `Cannot accept a frame of ${payloadBytes} bytes: the limit is ${this.#limits.payloadBytesMax}`,
      );
    }
    return payloadBytes;
  }
}

/**
 * Appends a frame to `writer`: `writePayload` writes its one object, or nothing for null. If that
 * throws, `writer` is as before.
 */
export function writeFrame(writer: ValueWriter, type: number, writePayload: () => void): void {
  const at = writer.reserve(HEADER_BYTES);
  try {
    writePayload();
  } catch (cause) {
    writer.truncate(at);
    throw cause;
  }
  writer.patchHeader(at, type, writer.length - at - HEADER_BYTES);
}

/** What a {@linkcode byteStream} reads from, such as a `Deno.Conn`. */
export interface ByteSource {
  /** How many bytes were read into `into`; null at the end. */
  read(into: Uint8Array): Promise<number | null>;
}

const CHUNK_BYTES_MIN = 4 * 1024;
const CHUNK_BYTES_MAX = 64 * 1024;

/**
 * The bytes of `source` as a stream whose chunks share one buffer: each chunk is valid until the
 * next is read. It starts small and grows with what comes, so that an idle connection costs 4 KiB.
 * (A `Deno.Conn`'s own `readable` allocates 64 KiB for each read, which costs more than the rest of
 * a request: docs/BENCHMARKS.md.)
 */
export function byteStream(source: ByteSource): ReadableStream<Uint8Array> {
  let buffer = new Uint8Array(CHUNK_BYTES_MIN);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const bytes = await source.read(buffer);
      if (bytes === null) return controller.close();
      controller.enqueue(buffer.subarray(0, bytes));
      if (bytes === buffer.length && bytes < CHUNK_BYTES_MAX) buffer = new Uint8Array(bytes * 2);
    },
  }, { highWaterMark: 0 });
}

/** What {@linkcode writeAll} writes to, such as a `Deno.Conn`. */
export interface ByteSink {
  /** How many of `bytes` were taken. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes `bytes` to the last one, however many `sink` takes at a time. */
export async function writeAll(sink: ByteSink, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await sink.write(bytes.subarray(at));
}

function frameAt(bytes: Uint8Array, at: number, frameBytes: number): Frame {
  const high = readU32(bytes, at) | 0;
  return {
    type: high * 2 ** 32 + readU32(bytes, at + 4),
    payload: bytes.subarray(at + HEADER_BYTES, at + frameBytes),
  };
}
