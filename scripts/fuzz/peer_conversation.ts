import { FLAG, PREFACE, TYPE } from "../../server/sync/http2_frames.ts";
import { serviceOf } from "../../server/sync/grpc.ts";
import {
  callFields,
  concat,
  http2Beginning,
  http2Call,
  http2Frame,
  http2Message,
} from "../../server/testing/http2_wire.ts";
import type { Random } from "../../server/testing/random.ts";
import { mutated } from "./generate.ts";

/** What an attacker says over one connection, and how many frames that is. */
export interface Conversation {
  readonly bytes: Uint8Array;
  readonly frames: number;
}

const PATHS = [
  "/chat.sync.v1.Sync/Link",
  "/chat.sync.v1.Sync/SyncNewMessage",
  "/chat.sync.v1.Sync/SyncReadStatus",
  "/chat.sync.v1.Sync/SyncDelete",
  "/chat.sync.v1.Sync/Nothing",
  "/grpc.health.v1.Health/Check",
  "/grpc.health.v1.Health/Watch",
  "/",
  "",
] as const;
const NODES = ["node1", "node2", "node3", "", "\u202e"] as const;
const VECTORS = ["", "node2.x:5", "node1.x:9007199254740991", "a:b", "x".repeat(5000)] as const;
const LINES = [
  "no line\n",
  "{}\n",
  '{"operation":"delete","ids":[]}\n',
  '{"operation":"future","time":1,"tick":0,"origin":"node2.x","seq":1,"crc":"00000000"}\n',
  '{"id":"a","sender":"b","recipient":"c","content":"C","status":"unread","crc":"12345678"}\n',
  "\n",
  "\0\0\0",
] as const;
/** What a hostile one says of how long something is. */
const NUMBERS = [0, 1, 2 ** 31 - 1, 2 ** 32 - 1, 16_384, 16_385] as const;
const FRAMES_MAX = 60;
const CALLS = [1, 3, 5, 7] as const;

/** Any of what comes to an attacker's mind. */
export function randomConversation(random: Random): Conversation {
  const count = 1 + random.below(FRAMES_MAX);
  const many = (make: (index: number) => Uint8Array) =>
    Array.from({ length: count }, (_, i) => make(i));
  switch (random.below(9)) {
    case 0:
      return { bytes: random.bytes(1 + random.below(400)), frames: 1 };
    case 1:
      return spoken(random, [PREFACE, ...many(() => anyFrame(random))]);
    case 2:
      return spoken(random, [http2Beginning(), ...many(() => anyFrame(random))]);
    case 3:
      return spoken(random, [
        http2Beginning(),
        ...many((index) => http2Call(2 * index + 1, random.pick(PATHS))),
      ]);
    case 4:
      return spoken(random, [
        http2Beginning(),
        ...many((index) => fieldsFrame(random, 2 * index + 1)),
      ]);
    case 5:
      return spoken(random, [
        http2Beginning(),
        ...many((index) => http2Call(2 * index + 1)).flatMap((call, index) => [
          call,
          http2Frame(TYPE.rstStream, { stream: 2 * index + 1, content: number(random.below(14)) }),
        ]),
      ]);
    case 6:
      return spoken(random, [
        http2Beginning(),
        http2Call(1, random.pick(PATHS)),
        ...many(() => messageFrame(random, 1, random.bytes(random.below(200)))),
      ]);
    default:
      return spoken(random, [
        http2Beginning(),
        http2Call(1),
        messageFrame(random, 1, packetBytes(hello(random))),
        ...many(() => messageFrame(random, 1, packetBytes(anyPacket(random)))),
      ]);
  }
}

function spoken(random: Random, frames: readonly Uint8Array[]): Conversation {
  const bytes = concat(frames);
  const isGarbled = random.oneIn(6);
  return { bytes: isGarbled ? mutated(random, bytes) : bytes, frames: frames.length };
}

/** Mostly as it has to be, so that it comes further than to the first look. */
function anyFrame(random: Random): Uint8Array {
  const stream = random.oneIn(8) ? random.below(2 ** 31) : random.pick(CALLS);
  switch (random.below(10)) {
    case 0:
      return http2Call(stream, random.pick(PATHS));
    case 1:
      return fieldsFrame(random, stream);
    case 2:
      return http2Frame(TYPE.settings, { content: settings(random) });
    case 3:
      return http2Frame(TYPE.windowUpdate, {
        stream: random.oneIn(2) ? 0 : stream,
        content: number(random.pick(NUMBERS)),
      });
    case 4:
      return http2Frame(TYPE.ping, { flags: random.below(2), content: random.bytes(8) });
    case 5:
      return http2Frame(TYPE.rstStream, { stream, content: number(random.below(20)) });
    case 6:
      return http2Frame(TYPE.data, {
        stream,
        flags: random.below(2),
        content: random.bytes(random.below(300)),
      });
    case 7:
      return http2Frame(TYPE.priority, { stream, content: random.bytes(5) });
    case 8:
      return http2Frame(TYPE.goaway, { content: random.bytes(8) });
    default:
      return http2Frame(random.below(14), {
        flags: random.below(256),
        stream: random.oneIn(2) ? 0 : stream,
        content: random.bytes(random.below(random.oneIn(20) ? 20_000 : 40)),
      });
  }
}

/** The fields of a call, or what HPACK makes of random bytes. */
function fieldsFrame(random: Random, stream: number): Uint8Array {
  const fields = random.oneIn(2)
    ? mutated(random, callFields(random.pick(PATHS)))
    : random.bytes(random.below(random.oneIn(10) ? 16_000 : 100));
  const flags = random.below(4) === 0 ? random.below(64) : FLAG.endHeaders;
  return http2Frame(TYPE.headers, { stream, flags, content: fields });
}

function settings(random: Random): Uint8Array {
  const one = () => concat([Uint8Array.of(0, random.below(8)), number(random.pick(NUMBERS))]);
  return concat(Array.from({ length: random.below(5) }, one));
}

/** A message of gRPC, whose length and compression may be told wrongly. */
function messageFrame(random: Random, stream: number, message: Uint8Array): Uint8Array {
  if (!random.oneIn(8)) return http2Message(stream, message);
  const prefix = concat([Uint8Array.of(random.below(3)), number(random.pick(NUMBERS))]);
  return http2Frame(TYPE.data, { stream, content: concat([prefix, message]) });
}

function hello(random: Random): Record<string, unknown> {
  const isLikely = !random.oneIn(4);
  const node = isLikely ? "node2" : random.pick(NODES);
  return {
    hello: {
      protocol: random.oneIn(10) ? random.below(5) : 1,
      node,
      origin: `${node}.x`,
      process: "attacker",
      version: "0.0.0",
      features: [],
      vector: random.oneIn(3) ? random.pick(VECTORS) : "",
      nodes: isLikely ? ["node1", "node2"] : [node],
      configuration: "",
    },
  };
}

/** What is no operation, nor says that anything has been done. */
function anyPacket(random: Random): Record<string, unknown> {
  const lines = concat(
    Array.from({ length: 1 + random.below(3) }, () => new TextEncoder().encode(random.pick(LINES))),
  );
  switch (random.below(9)) {
    case 0:
      return { lines: { lines: random.oneIn(2) ? lines : random.bytes(random.below(100)) } };
    case 1:
      return { lines: { lines, part: { state: "s", end: 5, bytes: random.below(10) } } };
    case 2:
      return { want: { nodes: [random.pick(NODES)], allBut: random.oneIn(2) } };
    case 3:
      return { ack: { packets: random.below(100), vector: random.pick(VECTORS) } };
    case 4:
      return { presence: { fromScratch: random.oneIn(2), online: ["x"], offline: ["\0"] } };
    case 5:
      return { ping: { number: random.below(2 ** 31) } };
    case 6:
      return { offer: { state: "s", bytes: random.below(100) } };
    case 7:
      return { take: { state: "s", from: random.below(100) } };
    default:
      return { pong: { number: random.below(100), time: random.below(2 ** 31) } };
  }
}

function packetBytes(packet: Record<string, unknown>): Uint8Array {
  const link = serviceOf("chat.sync.v1.Sync").Link;
  if (link === undefined) throw new Error("Cannot find Link in proto/");
  return link.requestSerialize(packet);
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
