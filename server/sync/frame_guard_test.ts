import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  callFields,
  concat,
  http2Beginning,
  http2Call,
  http2Frame,
  http2Message,
} from "../testing/http2_wire.ts";
import { FrameGuard, FrameRate, Http2Fault } from "./frame_guard.ts";
import { FLAG, PREFACE, TYPE } from "./http2_frames.ts";

/** In the time over which they are counted. */
const [CALLS_MAX, CONTROL_MAX] = [10, 20];
const WINDOW_MS = 100;
const BEGINNING = http2Beginning();

function guardAt(clock = { nowMs: 0 }): FrameGuard {
  return new FrameGuard(rateAt(clock));
}

function rateAt(clock: { nowMs: number }): FrameRate {
  const limits = { callsPerSecond: 10 * CALLS_MAX, controlFramesPerSecond: 10 * CONTROL_MAX };
  return new FrameRate(limits, () => clock.nowMs);
}

function take(guard: FrameGuard, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat(guard.take(concat(parts)));
}

function of(...bytes: readonly number[]): Uint8Array {
  return Uint8Array.from(bytes);
}

Deno.test("FrameGuard passes on what a client of gRPC says, however the bytes are split", () => {
  const frames = fc.array(
    fc.constantFrom(
      http2Message(1, new Uint8Array(300)),
      http2Frame(TYPE.windowUpdate, { content: of(0, 0, 1, 0) }),
      http2Frame(TYPE.windowUpdate, { stream: 1, content: of(0x7f, 255, 255, 255) }),
      http2Frame(TYPE.ping, { content: new Uint8Array(8) }),
      http2Frame(TYPE.settings, { flags: FLAG.ack }),
      http2Frame(TYPE.settings, { content: of(0, 4, 0, 1, 0, 0, 0, 3, 255, 255, 255, 255) }),
      http2Frame(TYPE.rstStream, { stream: 1, content: of(0, 0, 0, 8) }),
      http2Frame(TYPE.data, { flags: FLAG.endStream, stream: 1 }),
      http2Frame(TYPE.priority, { stream: 5, content: of(0, 0, 0, 1, 16) }),
    ),
    { maxLength: 15 },
  );
  const left = fc.array(
    fc.record({ at: fc.nat(15), frame: fc.constantFrom(TYPE.goaway, 10, 16, 255) }),
    { maxLength: 4 },
  );
  const splits = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  fc.assert(fc.property(frames, left, splits, (frames, left, splits) => {
    const said = [BEGINNING, http2Call(1), ...frames];
    const told = concat(said);
    for (const { at, frame } of left) {
      said.splice(2 + Math.min(at, frames.length), 0, http2Frame(frame, { content: of(0, 0, 0) }));
    }
    const guard = guardAt();
    const taken = split(concat(said), splits).flatMap((part) => guard.take(part));
    assertEquals(concat(taken), told);
    assertEquals(guard.hasCalled, true);
  }));
});

Deno.test("FrameGuard takes the fields of a call in one frame, and 64 of them", () => {
  const call = (content: Uint8Array, flags: number = FLAG.endHeaders) =>
    http2Frame(TYPE.headers, { stream: 1, flags, content });
  const fields = callFields();
  // Each byte stands for the same field once more.
  const repeated = (count: number) => concat([fields, new Uint8Array(count).fill(0xbe)]);
  const priority = of(0, 0, 0, 3, 16);
  for (
    const good of [
      call(repeated(58)),
      call(concat([priority, fields]), FLAG.endHeaders | FLAG.priority),
    ]
  ) assertEquals(take(guardAt(), BEGINNING, good), concat([BEGINNING, good]));
  for (
    const wrong of [
      call(repeated(59)),
      call(repeated(8192)),
      call(fields.subarray(0, -1)),
      call(fields, 0),
      http2Frame(TYPE.continuation, { stream: 1, flags: FLAG.endHeaders, content: fields }),
    ]
  ) assertThrows(() => take(guardAt(), BEGINNING, wrong), Http2Fault);
});

Deno.test("FrameGuard stops what no client of gRPC says", () => {
  const none = new Uint8Array();
  const wrong: readonly (readonly Uint8Array[])[] = [
    [new TextEncoder().encode("GET / HTTP/1.1\r\n")],
    [PREFACE, http2Call(1)],
    [PREFACE, http2Frame(TYPE.goaway)],
    ...[
      http2Call(0),
      http2Call(2),
      http2Frame(TYPE.headers, { flags: 0x2c, stream: 1, content: none }),
      http2Frame(TYPE.headers, { flags: FLAG.endHeaders | FLAG.padded, stream: 1, content: of(0) }),
      http2Frame(TYPE.headers, {
        flags: FLAG.endHeaders | FLAG.priority,
        stream: 1,
        content: of(0, 0, 0, 1, 0),
      }),
      http2Message(1, none),
      http2Message(0, none),
      http2Frame(TYPE.data, { stream: 1 }),
      http2Frame(TYPE.rstStream, { stream: 1, content: of(0, 0, 0, 0) }),
      http2Frame(TYPE.rstStream, { content: of(0, 0, 0, 0) }),
      http2Frame(TYPE.windowUpdate, { stream: 1, content: of(0, 0, 0, 1) }),
      http2Frame(TYPE.windowUpdate, { content: of(0, 0, 0, 0) }),
      http2Frame(TYPE.windowUpdate, { content: of(0, 0, 1) }),
      http2Frame(TYPE.ping, { content: of(0) }),
      http2Frame(TYPE.ping, { stream: 1, content: new Uint8Array(8) }),
      http2Frame(TYPE.settings, { content: of(0) }),
      http2Frame(TYPE.settings, { stream: 1 }),
      http2Frame(TYPE.settings, { flags: FLAG.ack, content: new Uint8Array(6) }),
      http2Frame(TYPE.settings, { content: of(0, 2, 0, 0, 0, 2) }),
      http2Frame(TYPE.settings, { content: of(0, 4, 0x80, 0, 0, 0) }),
      http2Frame(TYPE.settings, { content: of(0, 5, 0, 0, 0, 1) }),
      http2Frame(TYPE.priority, { stream: 1, content: of(0, 0, 0, 1, 0) }),
      http2Frame(TYPE.priority, { content: of(0, 0, 0, 1, 0) }),
      http2Frame(TYPE.pushPromise, { stream: 1, content: of(0, 0, 0, 2) }),
      http2Frame(TYPE.continuation, { stream: 1 }),
    ].map((frame) => [BEGINNING, frame]),
    ...[
      http2Call(1),
      http2Frame(TYPE.data, { stream: 1, flags: FLAG.padded, content: of(0) }),
      http2Frame(TYPE.data, { stream: 3 }),
      http2Frame(TYPE.data, { stream: 1, content: new Uint8Array(16 * 1024 + 1) }),
      http2Frame(TYPE.rstStream, { stream: 1, content: of(0, 0, 0) }),
    ].map((frame) => [BEGINNING, http2Call(1), frame]),
  ];
  for (const said of wrong) {
    assertThrows(() => take(guardAt(), ...said), Http2Fault, undefined, concat(said).toHex());
  }
});

Deno.test("FrameGuard takes so many calls and frames that carry nothing at a time, and no more", () => {
  const reset = (stream: number) => http2Frame(TYPE.rstStream, { stream, content: of(0, 0, 0, 8) });
  const empty = [
    http2Frame(TYPE.ping, { content: new Uint8Array(8) }),
    http2Frame(TYPE.settings),
    http2Frame(TYPE.priority, { stream: 1, content: of(0, 0, 0, 0, 0) }),
    http2Frame(TYPE.data, { stream: 1 }),
    http2Frame(99),
    reset(1),
  ];
  for (const frame of empty) {
    const clock = { nowMs: 0 };
    const guard = guardAt(clock);
    take(guard, BEGINNING, http2Call(1));
    for (let count = 1; count < CONTROL_MAX; count++) take(guard, frame);
    clock.nowMs = WINDOW_MS;
    for (let count = 0; count < CONTROL_MAX; count++) take(guard, frame);
    assertThrows(() => take(guard, frame), Http2Fault);
  }
  const clock = { nowMs: 0 };
  const guard = guardAt(clock);
  take(guard, BEGINNING);
  for (let count = 0; count < 15; count++) {
    if (count === CALLS_MAX) clock.nowMs = WINDOW_MS;
    take(guard, http2Call(2 * count + 1), reset(2 * count + 1));
  }
  for (let count = 15; count < 20; count++) take(guard, http2Call(2 * count + 1));
  assertThrows(() => take(guard, http2Call(41)), Http2Fault);
});

Deno.test("FrameGuard counts all connections of an address together", () => {
  const rate = rateAt({ nowMs: 0 });
  const guards = [1, 2, 3].map(() => new FrameGuard(rate));
  for (const guard of guards) take(guard, BEGINNING);
  for (let count = 0; count < CALLS_MAX; count++) {
    take(guards[count % 3] ?? guardAt(), http2Call(2 * count + 1));
  }
  for (const guard of guards) assertThrows(() => take(guard, http2Call(99)), Http2Fault);
});

Deno.test("FrameGuard lets what is read much be acknowledged often", () => {
  const guard = guardAt();
  take(guard, BEGINNING);
  const update = http2Frame(TYPE.windowUpdate, { content: of(0, 0, 1, 0) });
  for (let count = 0; count < 18 * 20; count++) take(guard, update);
  assertThrows(() => {
    for (let count = 0; count < 60; count++) take(guard, update);
  }, Http2Fault);
});

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
