import { TcpProxy } from "../../../server/testing/tcp_proxy.ts";
import type { Battle } from "../battle.ts";
import { bytesOf, HostileClient, HostileSocket, unlessHungUp } from "../hostile_socket.ts";

/** Connections that are being made at once, by each process. */
const CONNECTING_MAX = 64;
const GARBAGE_BYTES = 4096;
/** Between two bytes of a slow connection. */
const SLOW_MS = 1000;
/** Written to each connection before the others have their turn. */
const BYTES_PER_TURN = 16;

/** Connections that say nothing, ever. */
export async function idle(battle: Battle): Promise<void> {
  await openMany(battle, () => {});
  battle.inPlace();
  await battle.over;
}

/** Signed-in connections with events to come, whose other end is gone without a word. */
export async function vanished(battle: Battle): Promise<void> {
  await using proxy = TcpProxy.listen(battle.port());
  const sockets: HostileSocket[] = [];
  await battle.many(battle.amount("connections"), CONNECTING_MAX, async () => {
    await unlessHungUp(async () => {
      const socket = await HostileSocket.connect(proxy.port, "127.0.0.1");
      sockets.push(socket);
      const client = new HostileClient(socket, (reply) => battle.answered(reply));
      await client.resume(battle.account());
      await client.request({ kind: "subscribe", payload: {} });
      battle.count("connections");
    });
  });
  proxy.mode = "blackhole";
  battle.inPlace();
  await battle.over;
  for (const socket of sockets) socket.close();
}

/** A byte a second of a frame that is never whole. */
export async function slow(battle: Battle): Promise<void> {
  const sockets = new Set<HostileSocket>();
  await openMany(battle, (socket) => sockets.add(socket));
  battle.inPlace();
  const frame = bytesOf({ kind: "login_name", payload: "x".repeat(4000) });
  for (let at = 0; !battle.isOver && at < frame.length - 1; at++) {
    for (const socket of sockets) {
      if (socket.isClosed) sockets.delete(socket);
      else await unlessHungUp(() => socket.write(frame.subarray(at, at + 1)));
    }
    battle.count("bytes", sockets.size);
    await battle.pause(SLOW_MS);
  }
}

/** Good frames, each byte of which is a packet of its own, as fast as can be. */
export async function byteByByte(battle: Battle): Promise<void> {
  const ping = bytesOf({ kind: "ping", payload: null });
  const amount = battle.amount("connections");
  await battle.many(amount, amount, async (index) => {
    while (!battle.isOver) {
      await unlessHungUp(async () => {
        const socket = await HostileSocket.connect(battle.port(), battle.nextAddress());
        battle.count("connections");
        const client = new HostileClient(socket, (reply) => battle.answeredInPlace(reply));
        // What comes of strangers is few a second, whatever they do.
        if (index % 2 === 0) await client.resume(battle.account());
        for (let at = 0; !battle.isOver; at++) {
          await socket.write(ping.subarray(at % ping.length, at % ping.length + 1));
          if (at % BYTES_PER_TURN === 0) await nextTurn();
          battle.count("bytes");
        }
        socket.close();
      });
    }
  });
}

/** Connects and hangs up at once. */
export async function connectAndClose(battle: Battle): Promise<void> {
  await storm(battle, (socket) => Promise.resolve(socket.close()));
}

/** Connects, says what is no frame, and hangs up. */
export async function connectAndGarble(battle: Battle): Promise<void> {
  const garbage = new Uint8Array(GARBAGE_BYTES).map(() => Math.random() * 256);
  await storm(battle, async (socket) => {
    await socket.write(garbage);
    socket.close();
  });
}

/** Connects, asks something, and resets the connection before the answer. */
export async function connectAndReset(battle: Battle): Promise<void> {
  const status = bytesOf({ kind: "status", payload: null });
  await storm(battle, async (socket) => {
    await socket.write(status);
    socket.reset();
  });
}

async function storm(
  battle: Battle,
  deed: (socket: HostileSocket) => Promise<void>,
): Promise<void> {
  battle.inPlace();
  await battle.many(Infinity, battle.amount("atOnce"), async () => {
    const isDone = await unlessHungUp(async () => {
      await deed(await HostileSocket.connect(battle.port(), battle.nextAddress()));
    });
    battle.count(isDone ? "connections" : "not taken");
  });
}

/** Opens as many connections as were ordered; the server may not want all. */
async function openMany(battle: Battle, onOpen: (socket: HostileSocket) => void): Promise<void> {
  await battle.many(battle.amount("connections"), CONNECTING_MAX, async () => {
    await unlessHungUp(async () => {
      const socket = await HostileSocket.connect(battle.port(), battle.nextAddress());
      new HostileClient(socket, (reply) => battle.answered(reply));
      battle.count("connections");
      void socket.closed.then(() => battle.isOver || battle.count("closed"));
      onOpen(socket);
    });
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
