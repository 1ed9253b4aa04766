import { type Program, ServerProcess } from "../../server/testing/server_process.ts";
import { signUp, statusOf, WireClient } from "../../server/testing/wire_client.ts";
import { Random } from "../../server/testing/random.ts";
import { Attacker, type ServerFuzzCount } from "./attacker.ts";

/** What attackers may add to a server's memory, in bytes. */
const GROWTH_BYTES_MAX = 256 * 1024 * 1024;
const PASSWORD = "a password of the canary";
/** How a fault of the program would show on its standard error. */
const STACK_TRACE = /^\s+at .*:\d+:\d+\)?$|\buncaught\b|\bpanicked\b|\bbug\b/i;

export interface ServerFuzzOptions {
  readonly program: Program;
  /** Frames and broken streams in all. */
  readonly inputs: number;
  readonly seed: number;
  /** Attackers that sign in, and that do not. The latter may send 100 frames a second. */
  readonly signedIn: number;
  readonly anonymous: number;
}

export interface ServerFuzzReport extends ServerFuzzCount {
  /** Messages that a well-behaved client sent, read and deleted meanwhile. */
  canaryMessages: number;
  residentBytesBefore: number;
  residentBytesAfter: number;
}

/**
 * Attacks a server of its own process. Throws if a frame is not answered exactly once, a well-behaved
 * client is harmed, memory grows, or the server ends or writes a stack trace.
 */
export async function fuzzServer(options: ServerFuzzOptions): Promise<ServerFuzzReport> {
  const directory = await Deno.makeTempDir({ prefix: "chat-fuzz-" });
  try {
    const server = await ServerProcess.start(options.program, directory);
    try {
      const report = await attack(server, options);
      const { code } = await server.stop();
      if (code !== 0) throw new Error(`The server ended with ${code}:\n${server.log.join("\n")}`);
      checkLog(server.log);
      return report;
    } catch (cause) {
      // Its log is whole only when it has ended.
      await server.stop("SIGKILL");
      throw new Error(`Seed ${options.seed} failed. The server said:\n${server.log.join("\n")}`, {
        cause,
      });
    } finally {
      await server.stop("SIGKILL");
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function attack(
  server: ServerProcess,
  { inputs, seed, signedIn, anonymous }: ServerFuzzOptions,
): Promise<ServerFuzzReport> {
  const count = { frames: 0, brokenStreams: 0, connections: 0 };
  const attackers = Array.from({ length: signedIn + anonymous }, (_, index) => {
    const random = new Random(seed + index);
    const name = index < signedIn ? `fuzz${index === 0 ? "" : `-${index}`}` : undefined;
    return new Attacker(server.port, random, count, name);
  });
  const canary = await Canary.start(server.port);
  const residentBytesBefore = await server.residentBytes();
  const living = canary.live();
  await Promise.all([
    Promise.all(attackers.map((attacker) => attacker.run(inputs))).finally(() => canary.stop()),
    living,
  ]);
  await statusOf(server.port);
  const residentBytesAfter = await server.residentBytes();
  if (residentBytesAfter - residentBytesBefore > GROWTH_BYTES_MAX) {
    throw new Error(`Memory grew from ${residentBytesBefore} to ${residentBytesAfter} bytes`);
  }
  return { ...count, canaryMessages: canary.messages, residentBytesBefore, residentBytesAfter };
}

function checkLog(log: readonly string[]): void {
  const wrong = log.filter((line) => STACK_TRACE.test(line));
  if (wrong.length > 0) throw new Error(`The server wrote:\n${wrong.join("\n")}`);
}

/** A well-behaved client that notices any harm done to it. */
class Canary {
  messages = 0;
  readonly #client: WireClient;
  #stopped = false;

  private constructor(client: WireClient) {
    this.#client = client;
  }

  static async start(port: number): Promise<Canary> {
    await signUp(port, "canary friend", PASSWORD);
    return new Canary(await WireClient.resumed(port, await signUp(port, "canary", PASSWORD)));
  }

  /** Sends, lists and deletes one message after the other. */
  async live(): Promise<void> {
    while (!this.#stopped) {
      await this.#sendListDelete(`still alive, ${this.messages}`);
      this.messages++;
    }
    this.#client.close();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #sendListDelete(content: string): Promise<void> {
    const to = "canary friend";
    const key = crypto.randomUUID();
    const send = { kind: "send_message", payload: { to, content, key } } as const;
    const { id } = await this.#client.expect("sent", send);
    const list = { kind: "list_messages", payload: { with: to, limit: 2 } } as const;
    const messages = await this.#client.expect("messages", list);
    const [message, ...others] = messages;
    if (message?.id !== id || message.content !== content || others.length > 0) {
      throw new Error(`The canary sent ${id} and found ${JSON.stringify(messages)}`);
    }
    const { count } = await this.#client.expect("done", { kind: "delete_messages", payload: [id] });
    if (count !== 1) throw new Error(`The canary deleted ${count} messages for one`);
  }
}
