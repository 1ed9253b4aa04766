/**
 * Processes of `chat` that talk TLS: from source or, with CHAT_PROGRAM=./chat, as they were built. What
 * goes over their ports is recorded.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { grpcTransport } from "./sync/grpc.ts";
import type { Packet } from "./sync/packet.ts";
import { ClusterProcesses, type NodeProcess } from "./testing/cluster_processes.ts";
import { Scratch } from "./testing/scratch.ts";
import { programUnderTest } from "./testing/server_process.ts";
import { TcpProxy } from "./testing/tcp_proxy.ts";
import { TestAuthority } from "./testing/test_authority.ts";
import { until } from "./testing/until.ts";
import { WireClient } from "./testing/wire_client.ts";
import type { NodeIdentity } from "./tls/identity.ts";

const HOUR_MS = 60 * 60 * 1000;
const SECRETS = ["alice-of-the-recording", "correct horse 4711", "the text on the wire 0815"];

Deno.test("what clients and nodes say over TLS is nowhere on the wire in plain text", async () => {
  await using scratch = await Scratch.make();
  const authority = await TestAuthority.make();
  assertEquals(secretsIn(await recordingOf(scratch.path("tls"), authority)), []);
  // The same recording of a cluster without TLS has all of them: it does record.
  assertEquals(secretsIn(await recordingOf(scratch.path("plain"), undefined)), SECRETS);
});

Deno.test("a process refuses peers of another cluster, with another's name, expired or without certificate", async () => {
  await using scratch = await Scratch.make();
  const [authority, others] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  await using cluster = await startCluster(scratch.path("nodes"), authority);
  const node1 = cluster.node(0);
  const { digest } = await node1.status();
  const { ca } = await authority.issue("node2");
  const notAfter = new Date(Date.now() - HOUR_MS);
  const strangers: [string, NodeIdentity | undefined][] = [
    ["node2", undefined],
    ["node2", { ...await others.issue("node2"), ca }],
    ["node2", await authority.issue("node2", { notAfter })],
    ["node2", await authority.issue("node3")],
    ["node9", await authority.issue("node9")],
  ];
  for (const [name, identity] of strangers) {
    const stream = grpcTransport(() => identity).dial(peerAddressOf(node1));
    const ended = Promise.withResolvers<void>();
    const heard: Packet[] = [];
    stream.receive({ onPacket: (packet) => void heard.push(packet), onEnd: () => ended.resolve() });
    stream.send(hello(name));
    await ended.promise;
    assertEquals(heard, [], name);
  }
  const after = await node1.status();
  assertEquals(after.digest, digest);
  assertEquals(after.peers.map(({ state }) => state), ["connected", "connected"]);
});

Deno.test("SIGHUP renews a node's certificates, and drops no connection; faulty ones change nothing", async () => {
  await using scratch = await Scratch.make();
  const [authority, next] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  await using cluster = await startCluster(scratch.path("nodes"), authority);
  const [node1] = cluster.nodes;
  assert(node1 !== undefined);
  const alice = await WireClient.signedIn(node1.door, "alice");
  await Deno.writeTextFile(scratch.path("nodes/node1.crt"), "not a certificate");
  await renewed(node1, /goes on with the certificates that it has/);
  await alice.expect("pong", { kind: "ping", payload: null });
  (await WireClient.connect(node1.door)).close();
  for (const node of cluster.nodes) {
    await node.certify(next);
    await renewed(node, /new connections get the certificates as they are now/);
  }
  const { copies } = await alice.expect("sent", {
    kind: "send_message",
    payload: { to: "alice", content: "over the old connection" },
  });
  assertEquals(copies, 2);
  const bob = await WireClient.signedIn({ port: node1.port, ca: next.certificate }, "bob");
  await assertRejects(() => WireClient.connect(node1.door));
  // A node that was started anew finds the others by the certificates that all have now.
  await cluster.node(2).stop("SIGKILL");
  await cluster.node(2).start();
  await until(async () => {
    const { peers } = await bob.expect("status", { kind: "status", payload: null });
    return peers.every(({ state }) => state === "connected");
  });
  for (const client of [alice, bob]) client.close();
});

Deno.test("a node whose certificate is not its own does not start, and says why", async () => {
  await using scratch = await Scratch.make();
  const authority = await TestAuthority.make();
  await using cluster = await startCluster(scratch.path("nodes"), authority);
  const node1 = cluster.node(0);
  await node1.stop();
  const { cert, key } = await authority.issue("node2");
  await Deno.writeTextFile(scratch.path("nodes/node1.crt"), cert);
  await Deno.writeTextFile(scratch.path("nodes/node1.key"), key);
  await assertRejects(() => node1.start(), Error, "found that of node2");
  node1.takeMishaps();
});

/** All bytes that went over the port of a node for clients, and between nodes, while two people talked. */
async function recordingOf(
  directory: string,
  authority: TestAuthority | undefined,
): Promise<string> {
  await using cluster = await startCluster(directory, authority);
  const decoder = new TextDecoder("latin1");
  let recording = "";
  const record = (bytes: Uint8Array) => {
    recording += decoder.decode(bytes);
  };
  for (const [from, to] of [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]] as const) {
    cluster.link(from, to).onBytes = record;
  }
  await using proxy = TcpProxy.listen(cluster.node(0).port);
  proxy.onBytes = record;
  const { certificate: ca } = authority ?? {};
  const client = await WireClient.connect(ca === undefined ? proxy.port : { port: proxy.port, ca });
  const [name = "", password = "", content = ""] = SECRETS;
  await client.signIn(name, password);
  await client.expect("sent", { kind: "send_message", payload: { to: name, content } });
  await cluster.converged(10_000);
  client.close();
  return recording;
}

function secretsIn(recording: string): string[] {
  assert(recording.length > 1000, "there is a recording");
  return SECRETS.filter((secret) => recording.includes(secret));
}

async function startCluster(directory: string, authority: TestAuthority | undefined) {
  await Deno.mkdir(directory);
  const program = programUnderTest();
  const cluster = await ClusterProcesses.start({
    ...{ program, directory },
    ...authority === undefined ? {} : { authority },
  });
  await until(async () => {
    const all = await Promise.all(cluster.nodes.map((node) => node.status()));
    return all.every(({ peers }) => peers.every(({ state }) => state === "connected"));
  });
  return cluster;
}

/** Sends SIGHUP, and waits until the node has said `line` once more. */
async function renewed({ process }: NodeProcess, line: RegExp): Promise<void> {
  const count = () => process.log.filter((one) => line.test(one)).length;
  const before = count();
  process.hangUp();
  await until(() => count() > before);
}

function peerAddressOf({ name, grpcPort }: NodeProcess) {
  return { name, address: `127.0.0.1:${grpcPort}` };
}

function hello(node: string): Packet {
  const nodes = ["node1", "node2", "node3"];
  const said = { process: "p", version: "9.9.9", features: [], vector: "", nodes };
  return { kind: "hello", protocol: 1, node, origin: `${node}.x`, ...said, configuration: "" };
}
