/** Nodes that talk TLS with each other and with clients, in one process, on real sockets. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ChatClient, UnreachableError } from "../client/connection.ts";
import { denoOutside } from "../client/deno_outside.ts";
import { SERVER_NAME } from "../codec/invite.ts";
import { ServerConfig } from "./config.ts";
import { startServer } from "./serve.ts";
import { grpcTransport } from "./sync/grpc.ts";
import type { Packet, PacketStream, StreamEnd } from "./sync/packet.ts";
import { TestAuthority } from "./testing/test_authority.ts";
import { TestCluster } from "./testing/test_cluster.ts";
import { CHEAP } from "./testing/test_server.ts";
import { until } from "./testing/until.ts";
import { statusOf, WireClient } from "./testing/wire_client.ts";
import type { NodeIdentity } from "./tls/identity.ts";

const HOUR_MS = 60 * 60 * 1000;

Deno.test("nodes with certificates of their CA replicate, and serve clients, by TLS", async () => {
  const authority = await TestAuthority.make();
  await using cluster = await TestCluster.start({ authority, copies: 3 });
  const alice = await WireClient.signedIn(cluster.door("node1"), "alice");
  const bob = await WireClient.signedIn(cluster.door("node2"), "bob");
  const { copies } = await alice.expect("sent", {
    kind: "send_message",
    payload: { to: "bob", content: "hello" },
  });
  assertEquals(copies, 3);
  const messages = await bob.expect("messages", {
    kind: "list_messages",
    payload: { with: "alice" },
  });
  assertEquals(messages.map(({ content }) => content), ["hello"]);
  await cluster.converged();
  for (const client of [alice, bob]) client.close();
});

Deno.test("a node with TLS has no door in plain text, for clients or nodes, and says so to nobody", async () => {
  const authority = await TestAuthority.make();
  await using cluster = await TestCluster.start({ authority });
  const client = await WireClient.connect(cluster.port("node1"));
  await client.send({ kind: "ping", payload: null });
  await assertRejects(() => client.reply());
  const plain = endOf(grpcTransport(() => undefined).dial(called(cluster, "node1")));
  assertEquals((await plain).kind, "lost");
  await statusOf(cluster.door("node1"));
});

Deno.test("a peer without a certificate of the cluster's CA, its own name and its time is refused", async () => {
  const [authority, others] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  await using cluster = await TestCluster.start({ authority });
  const before = await statusOf(cluster.door("node1"));
  const notAfter = new Date(Date.now() - HOUR_MS);
  const notBefore = new Date(Date.now() + HOUR_MS);
  // Each believes node1's certificate: it is node1 that has to refuse.
  const { ca } = await authority.issue("node2");
  const refused: [string, string, NodeIdentity, RegExp][] = [
    ["of another cluster", "node2", { ...await others.issue("node2"), ca }, /expired, or is of/],
    ["expired", "node2", await authority.issue("node2", { notAfter }), /expired, or is of/],
    ["not yet valid", "node2", await authority.issue("node2", { notBefore }), /expired, or is of/],
    ["of no node", "node9", await authority.issue("node9"), /of node9, which is no node here/],
    ["of another node", "node3", await authority.issue("node2"), /the certificate of node2/],
    ["of this node", "node1", await authority.issue("node1"), /name of the node that was called/],
  ];
  for (const [what, name, identity, log] of refused) {
    const stream = grpcTransport(() => identity).dial(called(cluster, "node1"));
    const heard: Packet[] = [];
    const ended = endOf(stream, heard);
    stream.send(hello(name));
    const { kind } = await ended;
    assert(kind !== "busy", what);
    assertEquals(heard, [], what);
    await until(() => cluster.log.some((line) => line.startsWith("node1: ") && log.test(line)));
  }
  const after = await statusOf(cluster.door("node1"));
  assertEquals(after.digest, before.digest);
  assertEquals(after.peers.map(({ state }) => state), ["connected", "connected"]);
});

Deno.test("a connection that shows no certificate to the port for nodes is refused, whatever it speaks", async () => {
  const authority = await TestAuthority.make();
  await using cluster = await TestCluster.start({ authority });
  const { port } = cluster.config.getCurrentNode("node1").grpc;
  const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
  const tls = await Deno.startTls(tcp, {
    hostname: SERVER_NAME,
    caCerts: [authority.certificate],
    alpnProtocols: ["h2"],
  });
  await assertRejects(async () => {
    await tls.handshake();
    if (await tls.read(new Uint8Array(1)) === null) throw new Error("closed");
  });
  tls.close();
  await until(() =>
    cluster.log.some((line) => / 127\.0\.0\.1 .* it shows no certificate/.test(line))
  );
});

Deno.test("a node that is called refuses nobody for its address, and believes no other node's certificate", async () => {
  const [authority, others] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  await using cluster = await TestCluster.start({ authority });
  const node2 = await authority.issue("node2");
  const asked = called(cluster, "node1");
  const ofAnother = endOf(grpcTransport(() => node2).dial({ ...asked, name: "node3" }));
  assertMatch((await ofAnother).why, /the certificate of node1, not of node3/);
  const stranger = { ...node2, ca: others.certificate };
  const ofStranger = endOf(grpcTransport(() => stranger).dial(asked));
  assertMatch((await ofStranger).why, /certificate/);
});

Deno.test("a client believes no server but those of its CA, by whatever address it finds them", async () => {
  const [authority, others] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  await using cluster = await TestCluster.start({ authority });
  const port = cluster.port("node1");
  for (const host of ["127.0.0.1", "localhost"]) {
    const socket = await denoOutside.connect({ host, port, ca: authority.certificate }, 5000);
    socket.close();
  }
  const host = { host: "127.0.0.1", port, ca: others.certificate };
  await assertRejects(() => denoOutside.connect(host, 5000), Error, "of another cluster");
  await until(() =>
    cluster.log.some((line) => /^node1: TLS failed: received fatal alert/.test(line))
  );
  using plain = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const speaking = plain.accept().then(async (conn) => {
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    return conn;
  });
  const inPlain = { ...host, port: plain.addr.port };
  await assertRejects(() => denoOutside.connect(inPlain, 5000), Error, "does not speak TLS");
  (await speaking).close();
});

Deno.test("STATUS warns of clients in plain text on more than this machine", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-test-" });
  const warningsOn = async (host: string) => {
    const any = { host, port: 0 };
    const text = JSON.stringify({ nodes: [{ name: "node1", tcp: any, grpc: any }] });
    const config = ServerConfig.parse(text, "the test's configuration");
    const server = await startServer({
      ...{ config, node: config.getCurrentNode("node1"), dataDirectory: `${directory}/${host}` },
      ...{ version: "0.0.0-test", log: () => {}, passwordCost: CHEAP },
    });
    const { warnings } = await statusOf(server.port);
    await server.stop();
    return warnings;
  };
  assertEquals(await warningsOn("127.0.0.1"), []);
  assertEquals(await warningsOn("0.0.0.0"), [
    "clients talk to 0.0.0.0 in plain text: see docs/SECURITY.md",
  ]);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("ChatClient says that a server talks TLS only, if it was not told how to know it", async () => {
  const authority = await TestAuthority.make();
  await using cluster = await TestCluster.start({ authority });
  await using client = new ChatClient({
    hosts: [{ host: "127.0.0.1", port: cluster.port("node1") }],
    outside: denoOutside,
    timeouts: { signInGiveUpMs: 0 },
  });
  await assertRejects(() => client.lookUp("alice"), UnreachableError, "it talks TLS only");
});

Deno.test("denoOutside.connect() gives up a server that never answers the handshake", async () => {
  const { certificate: ca } = await TestAuthority.make();
  using mute = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const host = { host: "127.0.0.1", port: mute.addr.port, ca };
  await assertRejects(() => denoOutside.connect(host, 50), Error, "no connection within 50 ms");
  (await mute.accept()).close();
});

Deno.test("RunningServer.renew() meets new connections with other certificates, and keeps those that are open", async () => {
  const [authority, next] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  await using cluster = await TestCluster.start({ authority });
  const alice = await WireClient.signedIn(cluster.door("node1"), "alice");
  const links = cluster.log.filter((line) => /in sync with|lost/.test(line)).length;
  for (const name of ["node1", "node2", "node3"]) {
    await cluster.running(name).renew(await next.issue(name));
  }
  // Over streams and connections that were there before.
  const { copies } = await alice.expect("sent", {
    kind: "send_message",
    payload: { to: "alice", content: "still here" },
  });
  assertEquals(copies, 2);
  assertEquals(cluster.log.filter((line) => /in sync with|lost/.test(line)).length, links);
  const port = cluster.port("node1");
  const bob = await WireClient.signedIn({ port, ca: next.certificate }, "bob");
  await assertRejects(() => WireClient.connect({ port, ca: authority.certificate }));
  // And a node that comes anew is met, and meets others, with what they have now.
  const { state } = (await bob.expect("status", { kind: "status", payload: null })).peers[0] ?? {};
  assertEquals(state, "connected");
  const stale = grpcTransport(() => undefined).dial(called(cluster, "node2"));
  assertEquals((await endOf(stale)).kind, "lost");
  for (const client of [alice, bob]) client.close();
});

function called(cluster: TestCluster, name: string) {
  const { host, port } = cluster.config.getCurrentNode(name).grpc;
  return { name, address: `${host}:${port}` };
}

function endOf(stream: PacketStream, heard: Packet[] = []): Promise<StreamEnd> {
  const ended = Promise.withResolvers<StreamEnd>();
  stream.receive({ onPacket: (packet) => void heard.push(packet), onEnd: ended.resolve });
  return ended.promise;
}

function hello(node: string): Packet {
  const nodes = ["node1", "node2", "node3"];
  const said = { process: "p", version: "9.9.9", features: [], vector: "", nodes };
  return { kind: "hello", protocol: 1, node, origin: `${node}.x`, ...said, configuration: "" };
}
