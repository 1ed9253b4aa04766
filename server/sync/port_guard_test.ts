import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { PortGuard } from "./port_guard.ts";

const LIMITS = {
  connectionsMax: 100,
  connectionsPerAddressMax: 3,
  connectionsPerSecond: 1_000_000,
  callDeadlineMs: 60_000,
  callsPerSecond: 100,
  controlFramesPerSecond: 100,
};

/** So many connections one after the other, and whether each was admitted. */
async function come(limits: typeof LIMITS, count: number, andGo = false) {
  const refusals: string[] = [];
  const guard = new PortGuard(limits, (_address, why) => refusals.push(why));
  const admitted: boolean[] = [];
  let taken = Promise.withResolvers<Socket>();
  const listener = createServer((socket) => {
    admitted.push(guard.admit(socket));
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
  guard.close();
  await new Promise((resolve) => listener.close(resolve));
  return { admitted, refusals };
}

Deno.test("PortGuard takes so many connections of one address at once", async () => {
  const { admitted, refusals } = await come(LIMITS, 5);
  assertEquals(admitted, [true, true, true, false, false]);
  assertEquals(refusals, ["too many connections", "too many connections"]);
  assertEquals((await come(LIMITS, 5, true)).refusals, []);
});

Deno.test("PortGuard takes so many connections in all", async () => {
  const { admitted } = await come({ ...LIMITS, connectionsMax: 2 }, 3);
  assertEquals(admitted, [true, true, false]);
});

Deno.test("PortGuard takes so many connections of one address a second", async () => {
  const { admitted } = await come({ ...LIMITS, connectionsPerSecond: 0.001 }, 5, true);
  assertEquals(admitted, [true, true, true, false, false]);
});
