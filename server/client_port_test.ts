import { assertEquals, assertLessOrEqual } from "@std/assert";
import { connect } from "node:net";
import { ClientPort, CONNECTIONS_PER_TURN, ListenError } from "./client_port.ts";
import type { Connection } from "./session.ts";
import { TestAuthority } from "./testing/test_authority.ts";
import { connectTo } from "./testing/wire_client.ts";

const ANY_PORT = { host: "127.0.0.1", port: 0 };

Deno.test("ClientPort takes the next connection at once after many that were reset before it took them", async () => {
  const log: string[] = [];
  const taken = new Taken();
  const port = new ClientPort(ANY_PORT, undefined, taken.take, (line) => log.push(line));
  const resets = Array.from({ length: 50 }, () => connectAndReset(port.address.port));
  await Promise.all(resets);
  const conn = await connectTo(port.address.port);
  await conn.write(new TextEncoder().encode("here"));
  await taken.byte("h");
  assertEquals(log, []);
  conn.close();
  taken.closeAll();
  await port.close();
});

Deno.test("ClientPort lets others have their turn while many connect", async () => {
  const taken = new Taken();
  let inTurn = 0;
  let inTurnMax = 0;
  const port = new ClientPort(ANY_PORT, undefined, (connection) => {
    inTurnMax = Math.max(inTurnMax, ++inTurn);
    taken.take(connection);
  }, () => {});
  const turns = setInterval(() => inTurn = 0, 0);
  const conns = await Promise.all(
    Array.from({ length: 500 }, () => connectTo(port.address.port)),
  );
  clearInterval(turns);
  assertLessOrEqual(inTurnMax, 2 * CONNECTIONS_PER_TURN);
  for (const conn of conns) conn.close();
  taken.closeAll();
  await port.close();
});

Deno.test("ClientPort.renew() keeps its port, and what is connected, and meets others anew, time and again", async () => {
  const authority = await TestAuthority.make();
  const taken = new Taken();
  const port = new ClientPort(ANY_PORT, await authority.issue("node1"), taken.take, () => {});
  const { address } = port;
  const door = { port: address.port, ca: authority.certificate };
  const first = await connectTo(door);
  for (let times = 0; times < 20; times++) {
    await port.renew(await authority.issue("node1"));
    assertEquals(port.address, address);
    const other = await connectTo(door);
    other.close();
  }
  await first.write(new TextEncoder().encode("x"));
  await taken.byte("x");
  first.close();
  taken.closeAll();
  await port.close();
  await port.close();
});

Deno.test("ClientPort.close() ends what is being renewed", async () => {
  const authority = await TestAuthority.make();
  const port = new ClientPort(ANY_PORT, await authority.issue("node1"), () => {}, () => {});
  const renewing = port.renew(await authority.issue("node1"));
  await Promise.all([renewing, port.close()]);
  // Nothing is left that listens there.
  ClientPort.check(port.address);
});

Deno.test("ClientPort says which address it cannot listen on", () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr;
  try {
    ClientPort.check({ host: "127.0.0.1", port });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    return assertEquals(error.message.startsWith(`Cannot listen on 127.0.0.1:${port}: `), true);
  }
  throw new Error("Expected a ListenError");
});

/** What a port has taken: what comes over it is read by {@linkcode byte}. */
class Taken {
  readonly #connections: Connection[] = [];
  readonly #bytes: string[] = [];
  readonly #waiting = new Map<string, () => void>();

  readonly take = (connection: Connection): void => {
    this.#connections.push(connection);
    void this.#read(connection);
  };

  /** Resolves once a connection's first byte is this one. */
  async byte(character: string): Promise<void> {
    if (this.#bytes.includes(character)) return;
    await new Promise<void>((resolve) => this.#waiting.set(character, resolve));
  }

  closeAll(): void {
    for (const connection of this.#connections) connection.close();
  }

  async #read(connection: Connection): Promise<void> {
    const into = new Uint8Array(1);
    if (await connection.read(into) === null) return;
    const character = String.fromCharCode(...into);
    this.#bytes.push(character);
    this.#waiting.get(character)?.();
  }
}

function connectAndReset(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.resetAndDestroy();
      resolve();
    });
    socket.on("error", () => resolve());
  });
}
