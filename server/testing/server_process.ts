import { TextLineStream } from "@std/streams";
import type { Limits } from "../limits.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const NODE = "node1";
const CLOCK_TICKS_PER_SECOND = 100;
/** Lines of its standard error that are kept. */
const LOG_LINES_MAX = 10_000;
const LISTENING = /listening on [^ "]*:(\d+)(?:"|$)/;

/** What is run: the executable, or the source with the Deno that runs this. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

export const fromSource: Program = {
  command: Deno.execPath(),
  args: ["run", "--quiet", "--no-prompt", "-P", `${ROOT}main.ts`],
};

/** The source, with a module that is run before it. */
export function fromSourceAfter(module: string): Program {
  const args = fromSource.args.toSpliced(-1, 0, "--preload", module);
  return { command: fromSource.command, args };
}

export function executable(path: string): Program {
  return { command: path, args: [] };
}

/** The source; or what has been built, if CHAT_PROGRAM says where that is. */
export function programUnderTest(): Program {
  const path = Deno.env.get("CHAT_PROGRAM");
  return path === undefined ? fromSource : executable(path);
}

/** Which node to run, by which configuration file, and where its data is. */
export interface Launch {
  readonly node: string;
  readonly config: string;
  readonly data: string;
  /** How it writes its log, if not as text. */
  readonly log?: "json";
}

/** A `chat serve` of its own process, whose directory the caller gives and removes. */
export class ServerProcess {
  /** Resolves with its port when the server listens. Rejects if it ends before. */
  readonly listening: Promise<number>;
  /** What it wrote to its standard error. */
  readonly log: readonly string[];
  /** Resolves when the process has ended and its standard error was read. */
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  #port: number | undefined;

  private constructor(child: Deno.ChildProcess, command: string) {
    const log: string[] = [];
    const listening = Promise.withResolvers<number>();
    const reading = readLog(child.stderr, log, (port) => {
      this.#port = port;
      listening.resolve(port);
    });
    this.#child = child;
    this.log = log;
    this.listening = listening.promise;
    // Whoever waits for it sees the failure.
    this.listening.catch(() => {});
    this.ended = Promise.all([child.status, reading]).then(([status]) => {
      listening.reject(new Error(`Cannot start ${command} serve:\n${log.join("\n")}`));
      return status;
    });
  }

  /** Starts one of several nodes, or of one, without waiting for it. */
  static launch(program: Program, { node, config, data, log }: Launch): ServerProcess {
    const options = ["--node", node, "--config", config, "--data", data];
    const child = new Deno.Command(program.command, {
      args: [...program.args, "serve", ...options, ...log === undefined ? [] : ["--log", log]],
      cwd: ROOT,
      stdin: "null",
      stdout: "inherit",
      stderr: "piped",
    }).spawn();
    return new ServerProcess(child, program.command);
  }

  /** A node alone, its configuration in `directory`. Resolves when it listens. Port 0 is any free port. */
  static async start(
    program: Program,
    directory: string,
    port = 0,
    { limits, ...options }: Pick<Launch, "log"> & { readonly limits?: Partial<Limits> } = {},
  ): Promise<ServerProcess> {
    const config = `${directory}/servers.json`;
    await Deno.writeTextFile(config, configText(port, limits));
    const launch: Launch = { node: NODE, config, data: `${directory}/data` };
    const server = ServerProcess.launch(program, { ...launch, ...options });
    await server.listening;
    return server;
  }

  /** Throws before it listens. */
  get port(): number {
    if (this.#port === undefined) throw new Error("Cannot tell the port: it does not listen yet");
    return this.#port;
  }

  get isListening(): boolean {
    return this.#port !== undefined;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Ends it and waits for that: SIGTERM lets it finish what it does, SIGKILL does not. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<Deno.CommandStatus> {
    this.#signal(signal);
    return await this.ended;
  }

  /** Stops it in the middle of whatever it does, until {@linkcode resume}. */
  pause(): void {
    this.#signal("SIGSTOP");
  }

  resume(): void {
    this.#signal("SIGCONT");
  }

  /** Tells it that its certificates are other ones. */
  hangUp(): void {
    this.#signal("SIGHUP");
  }

  /** CPU time so far, in s, of all its threads. */
  async cpuSeconds(): Promise<number> {
    const stat = await readProc(this.pid, "stat");
    // The name in parentheses may hold spaces; utime and stime are the 14th and 15th field.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  }

  /** Memory in use, in bytes. */
  async residentBytes(): Promise<number> {
    const status = await readProc(this.pid, "status");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  /** The most memory that was ever in use, in bytes. */
  async peakResidentBytes(): Promise<number> {
    const status = await readProc(this.pid, "status");
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  /** How the process was called, and with which environment. */
  async called(): Promise<string> {
    return await readProc(this.pid, "cmdline") + await readProc(this.pid, "environ");
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

/**
 * A port that nothing uses, outside of the range that the system hands out: a client that keeps
 * dialling a port of that range may otherwise end up connected to itself.
 */
export function unusedPort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** So many different ones. */
export function unusedPorts(count: number): number[] {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(unusedPort());
  return [...ports];
}

async function readLog(
  stderr: ReadableStream<Uint8Array<ArrayBuffer>>,
  log: string[],
  onListening: (port: number) => void,
): Promise<void> {
  const lines = stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    if (log.length < LOG_LINES_MAX) log.push(line);
    const port = LISTENING.exec(line)?.[1];
    if (port !== undefined) onListening(Number(port));
  }
}

function configText(port: number, limits: Partial<Limits> | undefined): string {
  const hostname = "127.0.0.1";
  const tcp = { host: hostname, port };
  const grpc = { host: hostname, port: 0 };
  return JSON.stringify({ limits, nodes: [{ name: NODE, tcp, grpc }] });
}

/** By a program, which `deno task` may run: Deno itself reads /proc only with all permissions. */
async function readProc(
  pid: number,
  file: "stat" | "status" | "cmdline" | "environ",
): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/${file}`] }).output();
  return new TextDecoder().decode(stdout);
}
