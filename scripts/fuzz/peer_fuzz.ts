import type { Limits } from "../../server/limits.ts";
import { type Program, ServerProcess, unusedPort } from "../../server/testing/server_process.ts";
import { signUp, statusOf, WireClient } from "../../server/testing/wire_client.ts";
import { Random } from "../../server/testing/random.ts";
import { randomConversation } from "./peer_conversation.ts";

export interface PeerFuzzOptions {
  readonly program: Program;
  /** In all. */
  readonly frames: number;
  readonly seed: number;
  /** Connections at once. */
  readonly attackers: number;
  /** Of the node, where they are not to stop the attackers early. */
  readonly limits?: Partial<Limits>;
}

/** Lets attackers do what they like, for as long as they like. */
export const LAVISH: Partial<Limits> = {
  peerConnectionsMax: 1000,
  peerConnectionsPerAddressMax: 1000,
  peerConnectionsPerSecondPerAddress: 1_000_000,
  peerCallsPerSecondPerAddress: 1_000_000,
  peerControlFramesPerSecondPerAddress: 1_000_000,
};

export interface PeerFuzzReport {
  readonly frames: number;
  readonly connections: number;
  /** How long a well-behaved client's messages took at most, and most of them, before and meanwhile. */
  readonly calmP99Ms: number;
  readonly attackedP99Ms: number;
  readonly sent: number;
  readonly residentBytesBefore: number;
  readonly residentBytesAfter: number;
}

/** What attackers may add to a node's memory, in bytes. */
const GROWTH_BYTES_MAX = 256 * 1024 * 1024;
const PASSWORD = "a password of the canary";
/** How long the node may take to answer what is answered, in ms. */
const ANSWER_MS = 50;
const CALM_MESSAGES = 300;

/**
 * Attacks the port for nodes of a node whose only peer is away. Throws if that ends it, changes what it
 * has, or makes its memory grow, or if it writes a stack trace.
 */
export async function fuzzPeerPort(options: PeerFuzzOptions): Promise<PeerFuzzReport> {
  const directory = await Deno.makeTempDir({ prefix: "chat-fuzz-" });
  const [port, grpcPort] = [unusedPort(), unusedPort()];
  const host = "127.0.0.1";
  const config = `${directory}/servers.json`;
  const nodes = [
    { name: "node1", tcp: { host, port }, grpc: { host, port: grpcPort } },
    { name: "node2", tcp: { host, port: unusedPort() }, grpc: { host, port: unusedPort() } },
  ];
  await Deno.writeTextFile(
    config,
    JSON.stringify({ cluster: { copies: 1 }, limits: options.limits, nodes }),
  );
  const launch = { node: "node1", config, data: `${directory}/data` };
  const server = ServerProcess.launch(options.program, launch);
  try {
    await server.listening;
    const report = await attack(server, grpcPort, options);
    const { code } = await server.stop();
    if (code !== 0) throw new Error(`it ended with ${code}`);
    const wrong = server.log.filter((line) =>
      /^\s+at .*:\d+:\d+\)?$|uncaught|panicked|a bug/i.test(line)
    );
    if (wrong.length > 0) throw new Error(`it wrote ${wrong.join("\n")}`);
    return report;
  } catch (cause) {
    await server.stop("SIGKILL");
    throw new Error(`Seed ${options.seed} failed. The node said:\n${server.log.join("\n")}`, {
      cause,
    });
  } finally {
    await server.stop("SIGKILL");
    await Deno.remove(directory, { recursive: true });
  }
}

async function attack(
  server: ServerProcess,
  grpcPort: number,
  { frames, seed, attackers }: PeerFuzzOptions,
): Promise<PeerFuzzReport> {
  const { port } = server;
  await signUp(port, "friend", PASSWORD);
  const client = await WireClient.resumed(port, await signUp(port, "canary", PASSWORD));
  const calm = await latencies(client, () => false);
  const before = await statusOf(port);
  const residentBytesBefore = await server.residentBytes();
  const count = { frames: 0, connections: 0 };
  let isOver = false;
  const attacking = Promise.all(
    Array.from(
      { length: attackers },
      (_, index) => run(new Random(seed + index), grpcPort, count, frames),
    ),
  ).finally(() => isOver = true);
  const [attacked] = await Promise.all([latencies(client, () => isOver, 1), attacking]);
  const { messages } = await statusOf(port);
  const expected = before.messages + attacked.length;
  if (messages !== expected) throw new Error(`${messages} messages are there, for ${expected}`);
  const { digest, vector } = await statusOf(port);
  if (attacked.length === 0 && digest !== before.digest) throw new Error("it has another state");
  const strangers = [...vector.keys()].filter((origin) => !before.vector.has(origin));
  if (strangers.some((origin) => !origin.startsWith("node1."))) {
    throw new Error(`it took operations of ${strangers.join()}`);
  }
  client.close();
  const residentBytesAfter = await server.residentBytes();
  if (residentBytesAfter - residentBytesBefore > GROWTH_BYTES_MAX) {
    throw new Error(`its memory grew from ${residentBytesBefore} to ${residentBytesAfter} bytes`);
  }
  return {
    ...count,
    calmP99Ms: p99(calm),
    attackedP99Ms: p99(attacked),
    sent: attacked.length,
    residentBytesBefore,
    residentBytesAfter,
  };
}

/** Sends one message after the other, and gives how long each took, in ms. */
async function latencies(
  client: WireClient,
  isOver: () => boolean,
  pauseMs = 0,
): Promise<number[]> {
  const tookMs: number[] = [];
  while (pauseMs > 0 ? !isOver() : tookMs.length < CALM_MESSAGES) {
    const startMs = performance.now();
    const payload = { to: "friend", content: "still alive", key: crypto.randomUUID() };
    await client.expect("sent", { kind: "send_message", payload });
    tookMs.push(performance.now() - startMs);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return tookMs;
}

async function run(
  random: Random,
  port: number,
  count: { frames: number; connections: number },
  frames: number,
): Promise<void> {
  while (count.frames < frames) {
    const conversation = randomConversation(random);
    count.frames += conversation.frames;
    count.connections++;
    try {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port });
      await say(random, conn, conversation.bytes);
    } catch (error) {
      if (!isCut(error)) throw error;
    }
  }
}

async function say(random: Random, conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  const ended = drain(conn);
  try {
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + random.below(random.oneIn(4) ? 20 : 8192);
      at += await conn.write(bytes.subarray(at, end));
    }
    if (random.oneIn(2)) await conn.closeWrite();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, random.below(ANSWER_MS));
    await Promise.race([ended, late.promise]);
    clearTimeout(timer);
  } finally {
    close(conn);
    await ended;
  }
}

async function drain(conn: Deno.TcpConn): Promise<void> {
  const into = new Uint8Array(16 * 1024);
  try {
    while (await conn.read(into) !== null);
  } catch (error) {
    if (!isCut(error)) throw error;
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch (error) {
    if (!isCut(error)) throw error;
  }
}

function isCut(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset, Interrupted, BadResource, NotConnected } = Deno.errors;
  return [BrokenPipe, ConnectionReset, Interrupted, BadResource, NotConnected]
    .some((kind) => error instanceof kind);
}

function p99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
}
