import { denoNodes } from "../deno_nodes.ts";
import { formatHost } from "../host.ts";
import type { RunningNode } from "../commands/demo.ts";

const MAIN = new URL("../../main.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const nodes = denoNodes(MAIN.href);

/** The words that run `chat` from source. */
export const CHAT: readonly [string, ...string[]] = [
  Deno.execPath(),
  ...["run", "--quiet", "--no-prompt", "--config", CONFIG, "-P", "--allow-run", MAIN.pathname],
];

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChatCall {
  readonly env?: Record<string, string>;
  readonly stdin?: string;
}

/** Runs `chat` as a process of its own, with nothing of the surroundings' configuration. */
export async function chat(args: readonly string[], call: ChatCall = {}): Promise<Finished> {
  const child = spawnChat(args, call.env);
  const writer = child.stdin.getWriter();
  // It may have ended without reading.
  await writer.write(new TextEncoder().encode(call.stdin ?? "")).catch(() => undefined);
  await writer.close().catch(() => undefined);
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Starts `chat`, with pipes for its streams. */
export function spawnChat(
  args: readonly string[],
  env: Record<string, string> = {},
): Deno.ChildProcess {
  const [program, ...first] = CHAT;
  return new Deno.Command(program, {
    args: [...first, ...args],
    clearEnv: true,
    env: { HOME: "/nonexistent", DENO_DIR: Deno.env.get("DENO_DIR") ?? denoDirectory(), ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Where this Deno keeps packages: a process without a home would fetch them anew. */
export function denoDirectory(): string {
  return `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
}

/** A real node with scratch data: it can be killed, and comes back at the same address. */
export class ScratchNode implements AsyncDisposable {
  readonly #scratch: string;
  #running: RunningNode;

  private constructor(scratch: string, running: RunningNode) {
    this.#scratch = scratch;
    this.#running = running;
  }

  static async start(): Promise<ScratchNode> {
    const scratch = await nodes.makeScratch();
    return new ScratchNode(scratch, await startAt(scratch, 0));
  }

  get address(): string {
    return formatHost(this.#running.host);
  }

  get scratch(): string {
    return this.#scratch;
  }

  async kill(): Promise<void> {
    await this.#running.end("SIGKILL");
  }

  async startAgain(): Promise<void> {
    this.#running = await startAt(this.#scratch, this.#running.host.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.end("SIGTERM");
    await nodes.removeScratch(this.#scratch);
  }
}

async function startAt(scratch: string, port: number): Promise<RunningNode> {
  const [tcp, grpc] = [{ host: "127.0.0.1", port }, { host: "127.0.0.1", port: 0 }];
  const config = { nodes: [{ name: "node1", tcp, grpc, desc: "for a test" }] };
  await nodes.writeTextFile(`${scratch}/servers.json`, JSON.stringify(config));
  const files = ["--config", `${scratch}/servers.json`, "--data", `${scratch}/data`];
  return await nodes.start(files);
}
