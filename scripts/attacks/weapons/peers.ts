import type { Battle, Weapon } from "../battle.ts";
import { HostileSocket, unlessHungUp } from "../hostile_socket.ts";
import {
  ACK,
  addedField,
  callHeaders,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  field,
  frame,
  FRAME_BYTES_MAX,
  grpcMessage,
  HEADERS,
  joined,
  latestField,
  PING,
  preface,
  resetOf,
  SETTINGS,
} from "../http2_frames.ts";

const LINK = "/chat.sync.v1.Sync/Link";
const PUSH = "/chat.sync.v1.Sync/SyncNewMessage";
const CONNECTING_MAX = 64;
/** Calls that one write begins. */
const CALLS_PER_BURST = 100;
const FRAMES_PER_BURST = 500;
const PING_BYTES = 8;
/** Of a header that many others stand for. */
const BOMB_BYTES = 4000;
const OVERSIZED_BYTES = 9 * 1024 * 1024;
/** What a receiver takes of a stream before it says more. */
const WINDOW_BYTES = 65_535;
/** How long one waits who was hung up on. */
const AGAIN_MS = 20;
/** Malformed frames on one connection, unless it ends before. */
const GARBAGE_FRAMES = 20;
const GARBAGE_BYTES = 64;

/** Frames that are malformed, or that nobody who says them may say, until there were so many. */
export async function peerGarbage(battle: Battle): Promise<void> {
  battle.inPlace();
  const frames = battle.amount("frames");
  const connections = battle.amount("connections");
  let sent = 0;
  let kind = 0;
  await battle.many(connections, connections, async () => {
    while (sent < frames && !battle.isOver) {
      await unlessHungUp(async () => {
        const socket = await connect(battle);
        const some = garbage(kind++ % GARBAGES.length);
        for (const bytes of some) await socket.write(bytes);
        sent += some.length;
        battle.count("frames", some.length);
        await battle.pause(1);
        socket.close();
      });
    }
  });
}

/** HEADERS and RST_STREAM, as fast as can be: CVE-2023-44487. */
export const rapidResets = http2Flood((battle, stream) => {
  const headers = callHeaders(LINK);
  const calls = Array.from({ length: CALLS_PER_BURST }, (_, index) => {
    const own = stream + 2 * index;
    return joined(frame(HEADERS, END_HEADERS, own, headers), resetOf(own));
  });
  battle.count("calls", CALLS_PER_BURST);
  return joined(...calls);
});

/** Header blocks that never end: CVE-2024-27316 and its like. */
export const continuations = http2Flood((battle, stream) => {
  const some = field("x-more", "y".repeat(BOMB_BYTES));
  const frames = Array.from(
    { length: FRAMES_PER_BURST / 10 },
    () => frame(CONTINUATION, 0, 1, some),
  );
  battle.count("frames", frames.length);
  return stream === 1
    ? joined(frame(HEADERS, 0, 1, callHeaders(LINK)), ...frames)
    : joined(...frames);
});

/** PING, each of which is to be answered. */
export const pings = http2Flood((battle) => {
  battle.count("frames", FRAMES_PER_BURST);
  const ping = frame(PING, 0, 0, new Uint8Array(PING_BYTES));
  return joined(...Array<Uint8Array>(FRAMES_PER_BURST).fill(ping));
});

/** SETTINGS, each of which is to be acknowledged. */
export const settings = http2Flood((battle) => {
  battle.count("frames", FRAMES_PER_BURST);
  return joined(...Array<Uint8Array>(FRAMES_PER_BURST).fill(frame(SETTINGS, 0, 0)));
});

/** A header of 4 kB, and bytes that stand for it again each. */
export const headerBombs = http2Flood((battle, stream) => {
  const first = addedField("x-bomb", "y".repeat(BOMB_BYTES));
  const again = new Uint8Array(FRAME_BYTES_MAX / 2).fill(latestField()[0] ?? 0);
  battle.count("headers", again.length);
  return frame(HEADERS, END_HEADERS | END_STREAM, stream, joined(callHeaders(LINK), first, again));
});

/** Messages of more than a node takes: first what claims to be one, then more than a window of it. */
export const oversized = http2Flood((battle, stream) => {
  battle.count("messages");
  const message = grpcMessage(new Uint8Array(WINDOW_BYTES - FRAME_BYTES_MAX), OVERSIZED_BYTES);
  const data = [];
  for (let at = 0; at < message.length; at += FRAME_BYTES_MAX) {
    data.push(frame(DATA, 0, stream, message.subarray(at, at + FRAME_BYTES_MAX)));
  }
  return joined(frame(HEADERS, END_HEADERS, stream, callHeaders(PUSH)), ...data);
}, 1);

/** Connections that say nothing, or nothing after they said that they are HTTP/2. */
export async function idlePeers(battle: Battle): Promise<void> {
  await battle.many(battle.amount("connections"), CONNECTING_MAX, async (index) => {
    await unlessHungUp(async () => {
      const socket = await connect(battle, index % 2 === 0, index >> 1);
      battle.count("connections");
      void socket.closed.then(() => battle.isOver || battle.count("closed"));
    });
  });
  battle.inPlace();
  await battle.over;
}

/** Bursts on connections of HTTP/2, each with streams of its own. */
function http2Flood(
  burstOf: (battle: Battle, stream: number) => Uint8Array,
  callsPerBurst = CALLS_PER_BURST,
): Weapon {
  return async (battle) => {
    battle.inPlace();
    const amount = battle.amount("connections");
    await battle.many(amount, amount, async () => {
      while (!battle.isOver) {
        await unlessHungUp(async () => {
          const socket = await connect(battle);
          battle.count("connections");
          for (let stream = 1; !battle.isOver; stream += 2 * callsPerBurst) {
            await socket.write(burstOf(battle, stream));
            await battle.pause(0);
          }
          socket.close();
        });
        await battle.pause(AGAIN_MS);
      }
    });
  };
}

async function connect(battle: Battle, says = true, node = 0): Promise<HostileSocket> {
  const socket = await HostileSocket.connect(battle.peerPort(node), battle.nextAddress());
  socket.ignoreAll();
  if (says) await socket.write(preface());
  return socket;
}

const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
const link = () => frame(HEADERS, END_HEADERS, 1, callHeaders(LINK));
const data = (message: Uint8Array) => frame(DATA, 0, 1, grpcMessage(message));

/** Each makes one frame that is to be refused. */
const GARBAGES: readonly (() => Uint8Array)[] = [
  // No frame at all.
  () => random(GARBAGE_BYTES),
  // Types and streams of any kind.
  () => {
    const [type = 0, flags = 0, stream = 0] = random(3);
    return frame(type, flags, stream, random(GARBAGE_BYTES));
  },
  // A header block that cannot be read.
  () => frame(HEADERS, END_HEADERS, 1, random(GARBAGE_BYTES)),
  // A frame that says it is longer than any may be.
  () => frame(DATA, 0, 1).fill(0xff, 0, 3),
  // A packet that cannot be read.
  () => data(random(GARBAGE_BYTES)),
  // A node that is in no configuration.
  () => data(helloOf("stranger")),
  // Acknowledged, and never asked for.
  () => frame(PING, ACK, 0, new Uint8Array(PING_BYTES)),
];

function garbage(kind: number): Uint8Array[] {
  const make = GARBAGES[kind] ?? (() => random(GARBAGE_BYTES));
  return [link(), ...Array.from({ length: GARBAGE_FRAMES }, make)];
}

/** Packet.hello, with Hello.protocol 1 and Hello.node: see proto/sync.proto. */
function helloOf(node: string): Uint8Array {
  const name = new TextEncoder().encode(node);
  const hello = joined(Uint8Array.of(0x08, 1, 0x12, name.length), name);
  return joined(Uint8Array.of(0x0a, hello.length), hello);
}
