import { TextLineStream } from "@std/streams";
import { NodeStartError } from "./commands/errors.ts";
import type { Nodes, RunningNode } from "./commands/demo_site.ts";

/** Lines of a node's standard error that are kept. */
const LOG_LINES_MAX = 20;
/**
 * Outside of the range that the system hands out: a client that keeps dialling a port of that range
 * may otherwise end up connected to itself.
 */
const PORTS = { min: 20_000, count: 10_000 };

/** Starts nodes as processes of this same program, whose module `mainUrl` is. */
export function denoNodes(mainUrl: string): Nodes {
  return {
    makeScratch,
    removeScratch,
    unusedPorts,
    run: (args) => run(mainUrl, args),
    start: (args) => start(mainUrl, args),
  };
}

/** Also of a demo that cannot end as it should, because its terminal was closed. */
const scratches = new Set<string>();

async function makeScratch(): Promise<string> {
  const path = await Deno.makeTempDir({ prefix: "chat-demo-" });
  if (scratches.size === 0) addEventListener("unload", removeScratches);
  scratches.add(path);
  return path;
}

async function removeScratch(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true });
  scratches.delete(path);
}

function removeScratches(): void {
  for (const path of scratches) Deno.removeSync(path, { recursive: true });
}

function unusedPorts(count: number): readonly number[] {
  const listeners = new Map<number, Deno.TcpListener>();
  // All at once, so that none is found twice.
  while (listeners.size < count) {
    const port = PORTS.min + Math.floor(Math.random() * PORTS.count);
    try {
      if (!listeners.has(port)) {
        listeners.set(port, Deno.listen({ hostname: "127.0.0.1", port }));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  for (const listener of listeners.values()) listener.close();
  return [...listeners.keys()];
}

async function run(mainUrl: string, args: readonly string[]): Promise<void> {
  const [program, ...first] = programOf(mainUrl);
  const { code, stderr } = await new Deno.Command(program, {
    args: [...first, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code === 0) return;
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot run chat ${args.join(" ")}: it ended with exit code ${code}: ${said}`);
}

function start(mainUrl: string, args: readonly string[]): RunningNode {
  const [program, ...first] = programOf(mainUrl);
  const child = new Deno.Command(program, {
    args: [...first, "serve", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const kill = () => killIfAlive(child);
  // No node outlives the demo, by whatever way that ends.
  addEventListener("unload", kill);
  const log: string[] = [];
  const listening = Promise.withResolvers<void>();
  listening.promise.catch(() => undefined);
  const ended = follow(child, log, listening);
  return {
    pid: child.pid,
    listening: listening.promise,
    log,
    async kill() {
      kill();
      await ended;
      removeEventListener("unload", kill);
    },
  };
}

function killIfAlive(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself, or by the same Ctrl+C as we.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The executable that this is; from source, Deno with the permissions that deno.json gives. */
function programOf(mainUrl: string): [string, ...string[]] {
  const executable = Deno.env.get("CHAT_EXECUTABLE");
  if (executable !== undefined) return [executable];
  if (Deno.build.standalone) return [Deno.execPath()];
  const config = new URL("deno.json", mainUrl).pathname;
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", "--config", config, "-P", mainUrl];
}

/** Reads what a node says, until it ends: it must never wait for a reader. */
async function follow(
  child: Deno.ChildProcess,
  log: string[],
  listening: PromiseWithResolvers<void>,
): Promise<void> {
  const lines = child.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    log.push(line);
    if (log.length > LOG_LINES_MAX) log.shift();
    if (/ listening on /.test(line)) listening.resolve();
  }
  const { code, signal } = await child.status;
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const said = log.join(" / ");
  listening.reject(new NodeStartError(`Cannot start a node: it ended ${how}, saying ${said}`));
}
