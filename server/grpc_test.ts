/** The port for nodes, as programs other than nodes see it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { Random } from "./testing/random.ts";
import { sealedLine } from "./journal/batch.ts";
import type { Packet, PacketStream, StreamEnd } from "./sync/packet.ts";
import { grpcTransport, serviceOf } from "./sync/grpc.ts";
import { TestCluster } from "./testing/test_cluster.ts";
import { until } from "./testing/until.ts";
import { WireClient } from "./testing/wire_client.ts";

/** What this machine does here to a node, one connection after the other. */
const MANY_CONNECTIONS = {
  peerConnectionsMax: 1000,
  peerConnectionsPerAddressMax: 1000,
  peerConnectionsPerSecondPerAddress: 100_000,
  // Each connection begins with some.
  peerControlFramesPerSecondPerAddress: 100_000,
};
const GARBAGE_ROUNDS = 200;
const plainTransport = grpcTransport(() => undefined);

function grpcAddress(cluster: TestCluster, name = "node1"): string {
  const { host, port } = cluster.config.getCurrentNode(name).grpc;
  return `${host}:${port}`;
}

/** Calls a unary method, and resolves with its answer. */
async function call(
  address: string,
  service: string,
  method: string,
  request: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const definition = serviceOf(service)[method];
  assert(definition !== undefined);
  const client = new Client(address, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = definition;
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        (error: ServiceError | null, value?: Record<string, unknown>) => {
          if (error === null) resolve(value ?? {});
          else reject(error);
        },
      );
    });
  } finally {
    client.close();
  }
}

async function refusal(calling: Promise<unknown>): Promise<Pick<ServiceError, "code" | "details">> {
  try {
    await calling;
  } catch (error) {
    const { code, details } = error as ServiceError;
    return { code, details };
  }
  throw new Error("Expected a refusal, found an answer");
}

/** Collects all that a node sends on a stream, until it ends. */
function listen(stream: PacketStream): { packets: Packet[]; ended: Promise<StreamEnd> } {
  const packets: Packet[] = [];
  const ended = Promise.withResolvers<StreamEnd>();
  stream.receive({ onPacket: (packet) => void packets.push(packet), onEnd: ended.resolve });
  return { packets, ended: ended.promise };
}

function hello(node: string, nodes: string[]): Packet {
  return {
    kind: "hello",
    protocol: 1,
    node,
    origin: `${node}.x`,
    process: "p",
    version: "9.9.9",
    features: ["unheard_of"],
    vector: "",
    nodes,
    configuration: "",
  };
}

Deno.test("any gRPC program may push messages, read marks and deletions as a user", async () => {
  await using cluster = await TestCluster.start();
  const [alice, bob] = [
    await WireClient.signedIn(cluster.port("node1"), "alice"),
    await WireClient.signedIn(cluster.port("node2"), "bob"),
  ];
  await cluster.converged();
  const push = (method: string, request: Record<string, unknown>) =>
    call(grpcAddress(cluster), "chat.sync.v1.Sync", method, request);
  const fields = { sender: "alice", recipient: "bob", content: "disk full", key: "alert 1" };
  const sent = await push("SyncNewMessage", fields);
  const again = await push("SyncNewMessage", fields);
  assertEquals(again.id, sent.id);
  assert(Number(sent.copies) >= 2);
  await cluster.converged();
  const list = { kind: "list_messages", payload: { with: "alice" } } as const;
  const [message] = await bob.expect("messages", list);
  assertEquals([message?.id, message?.content], [sent.id, "disk full"]);
  const ids = [sent.id];
  assertEquals((await push("SyncReadStatus", { reader: "bob", ids })).count, "1");
  assertEquals((await push("SyncReadStatus", { reader: "alice", ids })).count, "0");
  assertEquals((await push("SyncDelete", { user: "alice", ids })).count, "1");
  await cluster.converged();
  assertEquals(await bob.expect("messages", list), []);
  for (const client of [alice, bob]) client.close();
});

Deno.test("a push that is not allowed says why", async () => {
  await using cluster = await TestCluster.start();
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  const push = (request: Record<string, unknown>) =>
    refusal(call(grpcAddress(cluster), "chat.sync.v1.Sync", "SyncNewMessage", request));
  const fields = { sender: "alice", recipient: "alice", content: "x", key: "" };
  const nobody = await push({ ...fields, recipient: "nobody" });
  assertEquals(nobody.code, status.NOT_FOUND);
  assertStringIncludes(nobody.details, 'no_such_user: there is no user "nobody"');
  assertEquals((await push({ ...fields, sender: "nobody" })).code, status.NOT_FOUND);
  const empty = await push({ ...fields, content: "" });
  assertEquals(empty.code, status.INVALID_ARGUMENT);
  assertMatch(empty.details, /^bad_content: /);
  const told = cluster.told.filter(({ event }) => event === "refused");
  assertEquals(
    told.map(({ address, request, code }) => `${address} ${request} ${code}`),
    ["no_such_user", "no_such_user", "bad_content"].map((code) =>
      `127.0.0.1 SyncNewMessage ${code}`
    ),
  );
  alice.close();
});

Deno.test("grpc.health.v1 says whether the node serves, and which nodes it has streams with", async () => {
  await using cluster = await TestCluster.start();
  const check = (service: string) =>
    call(grpcAddress(cluster), "grpc.health.v1.Health", "Check", { service });
  assertEquals(await check(""), { status: "SERVING" });
  assertEquals(await check("node2"), { status: "SERVING" });
  assertEquals((await refusal(check("no such"))).code, status.NOT_FOUND);

  const watch = serviceOf("grpc.health.v1.Health").Watch;
  assert(watch !== undefined);
  const client = new Client(grpcAddress(cluster), credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = watch;
  const request = { service: "node2" };
  const watching = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
  );
  const told: string[] = [];
  watching.on("data", (response: { status: string }) => told.push(response.status));
  watching.on("error", () => {});
  await until(() => told.length === 1);
  await cluster.stopNode("node2");
  await until(() => told.length === 2);
  assertEquals(told, ["SERVING", "NOT_SERVING"]);
  assertEquals(await check("node2"), { status: "NOT_SERVING" });
  watching.cancel();
  client.close();
});

Deno.test("a node that is not of the cluster is refused with a reason, and told nothing", async () => {
  await using cluster = await TestCluster.start();
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  await alice.expect("sent", {
    kind: "send_message",
    payload: { to: "alice", content: "secret" },
  });
  const cases: [Packet, RegExp][] = [
    [hello("node9", ["node1", "node9"]), /node9 is not in the configuration of node1/],
    [hello("node2", ["node2", "node3"]), /node1 is not in the configuration of node2/],
    [hello("node1", ["node1"]), /node1 is the name of the node that was called/],
    [{ ...hello("node2", ["node1"]), protocol: 2 } as Packet, /version 1.*version 2/],
    [hello("node2", ["node1", "node2"]), /node1 has a stream with another process of node2/],
    [{ kind: "want", nodes: [], allBut: true }, /a node says hello first/],
  ];
  for (const [first, expected] of cases) {
    const stream = plainTransport.dial({ name: "node1", address: grpcAddress(cluster) });
    const { packets, ended } = listen(stream);
    stream.send(first);
    assertMatch((await ended).why, expected);
    assertEquals(packets, []);
  }
  const refused = cluster.told.filter(({ event }) => event === "peer_refused");
  // That a node has a stream already is no fault of anybody.
  const named = ["node9", "node2", "node1", "node2", undefined];
  assertEquals(refused.map(({ node }) => node), named);
  assertEquals(new Set(refused.map(({ address }) => address)), new Set(["127.0.0.1"]));
  alice.close();
});

Deno.test("a node that sends what is no operation loses its stream, and nothing of it is taken", async () => {
  await using cluster = await TestCluster.start({
    limits: MANY_CONNECTIONS,
  });
  await cluster.stopNode("node3");
  const before = await WireClient.connect(cluster.port("node1"));
  const vector = (await before.expect("status", { kind: "status", payload: null })).vector;
  const garbage = [
    "no line",
    "{}\n",
    '{"operation":"delete","ids":[]}\n',
    '{"id":"x","crc":"00000000"}\n',
    "\n",
  ];
  // With right checksums: what nobody could write again, or be told.
  const end = '"time":1,"tick":0,"origin":"node3.x","seq":1}';
  const sound = '{"id":"a","sender":"b","recipient":"c","content":"C","status":"unread",' +
    `"recipientAccount":"d",${end}`;
  for (
    const json of [
      `{"operation":"future",\t${end}`,
      sound.replace('"C"', '"\\ud800"'),
      sound.replace('"C"', '"a\\u0000b"'),
      sound.replace('"C"', `"${"x".repeat(70_000)}"`),
      '{"a":😀}',
      `{"operation":"future",${end.replace("node3.x", "no origin")}`,
    ]
  ) garbage.push(new TextDecoder().decode(sealedLine(json)));
  const random = new Random(1);
  for (let round = 0; round < GARBAGE_ROUNDS; round++) {
    const bytes = Uint8Array.from({ length: random.below(300) }, () => random.below(256));
    garbage.push(new TextDecoder("latin1").decode(bytes) + "\n");
  }
  for (const text of garbage) {
    let end: StreamEnd;
    do {
      const stream = plainTransport.dial({ name: "node1", address: grpcAddress(cluster) });
      const { ended } = listen(stream);
      stream.send(hello("node3", ["node1", "node3"]));
      stream.send({ kind: "lines", lines: new TextEncoder().encode(text) });
      end = await ended;
      // Node1 goes on calling the real node3, which has precedence.
    } while (end.kind === "busy");
    assertMatch(end.why, /it sent what cannot be taken/, JSON.stringify(text));
  }
  const after = await before.expect("status", { kind: "status", payload: null });
  assertEquals(after.vector, vector);
  before.close();
});

Deno.test("bytes that are no HTTP/2 do nothing to a node", async () => {
  await using cluster = await TestCluster.start({
    limits: MANY_CONNECTIONS,
  });
  const { host, port } = cluster.config.getCurrentNode("node1").grpc;
  const random = new Random(2);
  for (let round = 0; round < GARBAGE_ROUNDS; round++) {
    const conn = await Deno.connect({ hostname: host, port });
    const bytes = Uint8Array.from({ length: 1 + random.below(500) }, () => random.below(256));
    const preface = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    await conn.write(round % 2 === 0 ? bytes : Uint8Array.from([...preface, ...bytes]));
    conn.close();
  }
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  const { copies } = await alice.expect("sent", {
    kind: "send_message",
    payload: { to: "alice", content: "still here" },
  });
  assert(copies >= 2);
  alice.close();
});
