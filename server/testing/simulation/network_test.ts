import { assertEquals, assertRejects } from "@std/assert";
import type { Connection } from "../../session.ts";
import type { Packet, PacketStream } from "../../sync/packet.ts";
import { Random } from "../random.ts";
import { SimulatedNetwork } from "./network.ts";
import { Process, Scheduler } from "./scheduler.ts";

const PING: Packet = { kind: "ping", number: 1 };

/** Two nodes, of which the second listens, and what it gets. */
class Pair {
  readonly scheduler = new Scheduler();
  readonly a = new Process("node1");
  readonly b = new Process("node2");
  readonly network: SimulatedNetwork;
  readonly got: string[] = [];
  readonly connections: Connection[] = [];
  readonly streams: PacketStream[] = [];

  constructor(duplicateOneIn = 0) {
    this.network = new SimulatedNetwork({
      scheduler: this.scheduler,
      random: new Random(1),
      speed: { minUs: 10, maxUs: 100 },
      witness: { packet() {}, toClient() {} },
      duplicateOneIn,
    });
    this.network.listenForNodes(this.b, (stream) => this.#listen(stream));
    this.network.listenForClients(this.b, (connection) => this.connections.push(connection));
  }

  /** A call from the first, and what comes of it. */
  call(): { stream: PacketStream; ends: string[] } {
    const ends: string[] = [];
    const stream = this.network.transportOf(this.a).dial({ name: "node2", address: "node2:1" });
    stream.receive({ onPacket: () => {}, onEnd: ({ why }) => ends.push(why) });
    return { stream, ends };
  }

  async pass(ms = 20_000): Promise<void> {
    await this.scheduler.runUntil(() => false, this.scheduler.nowUs + ms * 1000);
  }

  #listen(stream: PacketStream): void {
    this.streams.push(stream);
    stream.receive({
      onPacket: ({ kind }) => this.got.push(kind),
      onEnd: ({ why }) => this.got.push(`end: ${why}`),
    });
  }
}

Deno.test("packets come in order, and the end after them", async () => {
  const pair = new Pair();
  const { stream } = pair.call();
  for (let number = 0; number < 20; number++) stream.send(PING);
  stream.close({ kind: "lost", why: "done" });
  await pair.pass();
  assertEquals(pair.got, [...Array(20).fill("ping"), "end: done"]);
});

Deno.test("what a cut holds up comes after it, in order, or never", async () => {
  const pair = new Pair();
  const calls = Array.from({ length: 20 }, () => pair.call());
  await pair.pass();
  pair.network.cut("node1", "node2");
  for (const { stream } of calls) stream.send(PING);
  await pair.pass();
  assertEquals(pair.got, []);
  pair.network.mend("node1", "node2");
  await pair.pass();
  const { length } = pair.got;
  assertEquals(0 < length && length < calls.length, true, `${length} came`);
});

Deno.test("a cut one way lets the other way through", async () => {
  const pair = new Pair();
  const { stream } = pair.call();
  await pair.pass();
  pair.network.cut("node2", "node1");
  stream.send(PING);
  await pair.pass();
  assertEquals(pair.got, ["ping"]);
});

Deno.test("a call to nobody is refused, and one to a machine without power gets no answer", async () => {
  const pair = new Pair();
  pair.b.end();
  pair.network.ended(pair.b, false);
  const refused = pair.call();
  await pair.pass();
  assertEquals(refused.ends, ["connection refused"]);
  pair.network.ended(pair.b, true);
  const unanswered = pair.call();
  await pair.pass();
  assertEquals(unanswered.ends, []);
});

Deno.test("a process that is killed resets its connections; a machine that loses power says nothing", async () => {
  for (const hasNoPower of [false, true]) {
    const pair = new Pair();
    const { stream, ends } = pair.call();
    await pair.pass();
    pair.b.end();
    pair.network.ended(pair.b, hasNoPower);
    await pair.pass();
    assertEquals(ends, hasNoPower ? [] : ["connection reset"]);
    // Once it is up again, it does not know the connection.
    pair.network.machineIsUp("node2");
    stream.send(PING);
    await pair.pass();
    assertEquals(ends, ["connection reset"]);
  }
});

Deno.test("a call that arrives twice is two streams, of which one goes by itself", async () => {
  const pair = new Pair(1);
  const { stream } = pair.call();
  stream.send(PING);
  await pair.pass();
  assertEquals(pair.streams.length, 2);
  assertEquals(pair.got, ["ping", "ping", "end: connection reset"]);
});

Deno.test("bytes come in pieces, all of them and in order, and no more than a window waits", async () => {
  const pair = new Pair();
  const connecting = pair.network.connect(pair.a, "node2", 1000);
  await pair.pass();
  const [socket, connection] = [await connecting, pair.connections[0] as Connection];
  const sent = new Random(2).bytes(200_000);
  let sentBytes = 0;
  const sending = (async () => {
    while (sentBytes < sent.length) sentBytes += await socket.write(sent.subarray(sentBytes));
    socket.close();
  })();
  await pair.pass();
  assertEquals(sentBytes, 64 * 1024);
  const received: number[] = [];
  const reading = (async () => {
    const into = new Uint8Array(5000);
    for (let bytes; (bytes = await connection.read(into)) !== null;) {
      received.push(...into.subarray(0, bytes));
    }
  })();
  await pair.pass();
  await Promise.all([sending, reading]);
  assertEquals(new Uint8Array(received), sent);
});

Deno.test("a client is refused where nobody serves, and gives up where nobody answers", async () => {
  const pair = new Pair();
  pair.network.refuseClients(pair.b);
  const refused = assertRejects(
    () => pair.network.connect(pair.a, "node2", 1000),
    Error,
    "refused",
  );
  await pair.pass();
  await refused;
  pair.network.cut("node1", "node2");
  const late = assertRejects(() => pair.network.connect(pair.a, "node2", 1000), Error, "1000 ms");
  await pair.pass();
  await late;
});
