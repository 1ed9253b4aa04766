import { CodecError } from "../../codec/error.ts";
import { type Frame, FrameDecoder, HEADER_BYTES } from "../../codec/frame.ts";
import {
  encodeMessage,
  isEvent,
  readRequest,
  readServerMessage,
  writeEvent,
  writeReply,
} from "../../codec/message.ts";
import { decodeValue, encodeValue } from "../../codec/value.ts";
import { Random } from "../../server/testing/random.ts";
import {
  hostileFrame,
  mutated,
  randomChunks,
  randomRequest,
  requestBytes,
  serverMessageBytes,
  structuredFrame,
} from "./generate.ts";

const PAYLOAD_BYTES_MAX = 4096;
/** An error goes back to who sent the bytes: it must not grow with them. */
const ERROR_CHARACTERS_MAX = 500;

/** How often what came of an input: a fuzzer that only ever reaches refusals tests little. */
export interface CodecFuzzCount {
  inputs: number;
  frames: number;
  values: number;
  messages: number;
  refused: number;
}

/**
 * Feeds `inputs` hostile inputs to the decoders. Throws, with the bytes, if one does anything but
 * refuse it with a CodecError or decode it to what encodes to the same bytes.
 */
export function fuzzCodec(inputs: number, seed: number): CodecFuzzCount {
  const random = new Random(seed);
  const count = { inputs: 0, frames: 0, values: 0, messages: 0, refused: 0 };
  // Most inputs end in an error, and its stack costs more than all the rest.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    for (; count.inputs < inputs; count.inputs++) tryInput(random, seed, count);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return count;
}

function randomInput(random: Random): Uint8Array {
  switch (random.below(8)) {
    case 0:
      return random.bytes(random.below(80));
    case 1:
      return hostileFrame(random);
    case 2:
      return structuredFrame(random);
    case 3:
      return mutated(random, structuredFrame(random));
    case 4:
      return requestBytes(randomRequest(random));
    case 5:
      return mutated(random, requestBytes(randomRequest(random)));
    case 6:
      return serverMessageBytes(random);
    default:
      return mutated(random, serverMessageBytes(random));
  }
}

function tryInput(random: Random, seed: number, count: CodecFuzzCount): void {
  const bytes = randomInput(random);
  try {
    tryBytes(random, bytes, count);
  } catch (cause) {
    throw new Error(`Input ${count.inputs} of seed ${seed} failed: ${bytes.toHex()}`, { cause });
  }
}

function tryBytes(random: Random, bytes: Uint8Array, count: CodecFuzzCount): void {
  const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
  unlessRefused(count, () => {
    for (const chunk of randomChunks(random, bytes)) {
      for (const frame of decoder.push(chunk)) tryFrame(frame, count);
    }
    decoder.end();
  });
}

function tryFrame(frame: Frame, count: CodecFuzzCount): void {
  count.frames++;
  unlessRefused(count, () => {
    const again = encodeValue(decodeValue(frame.payload));
    if (again.toHex() !== frame.payload.toHex()) throw new Error(`encodes to ${again.toHex()}`);
    count.values++;
  });
  unlessRefused(count, () => {
    const request = readRequest(frame);
    assertStable(frame, requestBytes(request), (again) => requestBytes(readRequest(again)));
    count.messages++;
  });
  unlessRefused(count, () => {
    const written = serverBytes(frame);
    if (written === undefined) return;
    assertStable(frame, written, serverBytes);
    count.messages++;
  });
}

/** What was understood and is written again is understood as the same. */
function assertStable(
  { type }: Frame,
  written: Uint8Array,
  rewrite: (frame: Frame) => Uint8Array | undefined,
): void {
  const again = rewrite({ type, payload: written.subarray(HEADER_BYTES) });
  if (again?.toHex() !== written.toHex()) {
    throw new Error(`${written.toHex()} became ${again?.toHex()}`);
  }
}

/** What a server's frame is written as again; undefined if it is to be passed over. */
function serverBytes(frame: Frame): Uint8Array | undefined {
  const message = readServerMessage(frame);
  if (message === undefined) return undefined;
  return isEvent(message) ? encodeMessage(writeEvent, message) : encodeMessage(writeReply, message);
}

function unlessRefused(count: CodecFuzzCount, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    if (error.message.length > ERROR_CHARACTERS_MAX) {
      throw new Error("its error is too long", { cause: error });
    }
    count.refused++;
  }
}
