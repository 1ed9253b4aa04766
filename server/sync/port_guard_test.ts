import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { PortGuard } from "./port_guard.ts";

const LIMITS = {
  connectionsMax: 100,
  connectionsPerAddressMax: 3,
  connectionsPerSecondPerAddress: 1_000_000,
  connectionsPerSecond: 1_000_000,
  callDeadlineMs: 60_000,
  callsPerSecond: 100,
  controlFramesPerSecond: 100,
};

interface Coming {
  readonly count: number;
  /** Each is gone before the next comes. */
  readonly andGo?: boolean;
  /** Each proves to be a node. */
  readonly prove?: boolean;
}

/** So many connections one after the other: whether each was admitted, and is left in the end. */
async function come(limits: typeof LIMITS, { count, andGo = false, prove = false }: Coming) {
  const refusals: string[] = [];
  const guard = new PortGuard(limits, (_address, why) => refusals.push(why));
  const admitted: boolean[] = [];
  const sockets: Socket[] = [];
  let taken = Promise.withResolvers<Socket>();
  const listener = createServer((socket) => {
    const isAdmitted = guard.admit(socket);
    if (isAdmitted && prove) guard.take(socket, { isProved: true });
    admitted.push(isAdmitted);
    sockets.push(socket);
    taken.resolve(socket);
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  for (let index = 0; index < count; index++) {
    taken = Promise.withResolvers();
    const client = connect({ port, host: "127.0.0.1" });
    client.on("error", () => {});
    const socket = await taken.promise;
    socket.on("error", () => {});
    if (!andGo) continue;
    client.destroy();
    if (!socket.closed) await once(socket.resume(), "close");
  }
  const left = sockets.map(({ destroyed }) => !destroyed);
  guard.close();
  await new Promise((resolve) => listener.close(resolve));
  return { admitted, refusals, left };
}

Deno.test("PortGuard takes so many connections of one address at once", async () => {
  const { admitted, refusals } = await come(LIMITS, { count: 5 });
  assertEquals(admitted, [true, true, true, false, false]);
  assertEquals(refusals, ["too many connections", "too many connections"]);
  assertEquals((await come(LIMITS, { count: 5, andGo: true })).refusals, []);
});

Deno.test("PortGuard takes so many connections in all of those who have proved to be nodes", async () => {
  const { admitted } = await come({ ...LIMITS, connectionsMax: 2 }, { count: 3, prove: true });
  assertEquals(admitted, [true, true, false]);
});

Deno.test("PortGuard lets whoever has not proved to be a node for longest make room", async () => {
  const { admitted, left } = await come({ ...LIMITS, connectionsMax: 2 }, { count: 3 });
  assertEquals([admitted, left], [[true, true, true], [false, true, true]]);
});

Deno.test("PortGuard takes so many strangers a second, and nodes from where one has called", async () => {
  const limits = { ...LIMITS, connectionsMax: 2, connectionsPerSecond: 0.001 };
  const { admitted, refusals } = await come(limits, { count: 4, andGo: true });
  assertEquals([admitted, refusals.length], [[true, true, false, false], 2]);
  const known = await come(limits, { count: 4, andGo: true, prove: true });
  assertEquals(known.admitted, [true, true, true, true]);
});

Deno.test("PortGuard takes so many connections of one address a second", async () => {
  const { admitted } = await come({
    ...LIMITS,
    connectionsPerSecondPerAddress: 0.001,
  }, { count: 5, andGo: true });
  assertEquals(admitted, [true, true, true, false, false]);
});
