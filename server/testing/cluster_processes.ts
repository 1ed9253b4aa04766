import { dirname, join } from "node:path";
import type { NodeStatus } from "../../codec/message.ts";
import type { Limits } from "../limits.ts";
import { type Program, ServerProcess, unusedPorts } from "./server_process.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import type { TestAuthority } from "./test_authority.ts";
import { type Door, statusOf } from "./wire_client.ts";

export interface ClusterOptions {
  readonly program: Program;
  /** Takes all that the nodes write, and their logs. The caller gives and removes it. */
  readonly directory: string;
  /** 3 unless said otherwise. */
  readonly nodes?: number;
  /** On how many nodes something is to be durable before it is acknowledged: 2 unless said otherwise. */
  readonly copies?: number;
  /** 1000 unless said otherwise. */
  readonly copyTimeoutMs?: number;
  /** Those of every node, where they are not the usual ones. */
  readonly limits?: Partial<Limits>;
  /** Without proxies, links cannot be cut and cost nothing. */
  readonly proxies?: boolean;
  /** Issues the nodes' certificates: without, they talk in plain text. */
  readonly authority?: TestAuthority;
  /** The data directory of a node: one named like it in `directory` unless said otherwise. */
  readonly dataOf?: (node: string) => string;
}

/** How a process ended that nobody told to. */
export interface ProcessEnd {
  readonly code: number;
  /** What it wrote to its standard error. */
  readonly log: readonly string[];
}

const POLL_MS = 50;
/** How long a node may take for STATUS, in ms. */
const STATUS_MS_MAX = 10_000;

/**
 * Nodes of one cluster, each a `chat serve` of its own process, on ports that stay the same however
 * often they are started. What a node dials to reach another goes through a proxy of that link alone.
 */
export class ClusterProcesses implements AsyncDisposable {
  readonly nodes: readonly NodeProcess[];
  /** By the names of the node that dials and of the one that is dialled. */
  readonly #links = new Map<string, TcpProxy>();
  readonly #options: ClusterOptions;

  private constructor(options: ClusterOptions) {
    const ports = unusedPorts(2 * (options.nodes ?? 3));
    this.#options = options;
    this.nodes = Array.from({ length: options.nodes ?? 3 }, (_, index) => {
      const [port = 0, grpcPort = 0] = ports.slice(2 * index);
      return new NodeProcess(`node${index + 1}`, port, grpcPort, options);
    });
  }

  /** Resolves when all nodes serve clients. */
  static async start(options: ClusterOptions): Promise<ClusterProcesses> {
    const cluster = new ClusterProcesses(options);
    if (options.proxies ?? true) cluster.#proxyLinks();
    await Promise.all(cluster.nodes.map((node) => node.certify()));
    await cluster.configure({});
    try {
      await Promise.all(cluster.nodes.map((node) => node.start()));
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  node(index: number): NodeProcess {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`Cannot find node ${index}: there is none`);
    return node;
  }

  /** Where clients find the nodes, in their order. */
  get hosts(): { readonly host: string; readonly port: number; readonly ca?: string }[] {
    const ca = this.#options.authority?.certificate;
    return this.nodes.map(({ port }) => {
      return { host: "127.0.0.1", port, ...ca === undefined ? {} : { ca } };
    });
  }

  /** All that one node dials to reach another one goes through this. */
  link(from: number, to: number): TcpProxy {
    const link = this.#links.get(linkName(this.node(from), this.node(to)));
    if (link === undefined) throw new RangeError(`Cannot find the link from ${from} to ${to}`);
    return link;
  }

  /** Cuts whatever two nodes say to each other, whoever dialled. */
  cut(a: number, b: number): void {
    for (const link of [this.link(a, b), this.link(b, a)]) link.mode = "blackhole";
  }

  /** Lets only what `to` says reach `from`, whoever dialled. */
  cutOneWay(from: number, to: number): void {
    this.link(from, to).mode = "blackhole_to_target";
    this.link(to, from).mode = "blackhole_to_dialer";
  }

  /** Lets two nodes talk again. */
  mend(a: number, b: number): void {
    for (const link of [this.link(a, b), this.link(b, a)]) link.mode = "pass";
  }

  /** Writes every node's configuration, for its next start. */
  async configure({ copies = this.#options.copies ?? 2 }: { copies?: number }): Promise<void> {
    const { copyTimeoutMs = 1000, limits } = this.#options;
    await Promise.all(this.nodes.map(async (own) => {
      const nodes = this.nodes.map((node) => {
        const link = node === own ? undefined : this.#links.get(linkName(own, node));
        const host = "127.0.0.1";
        const grpc = { host, port: link?.port ?? node.grpcPort };
        return { name: node.name, tcp: { host, port: node.port }, grpc, tls: node.tls };
      });
      await own.configure({ cluster: { copies, copyTimeoutMs }, limits, nodes });
    }));
  }

  /**
   * Resolves, with the time it took in ms, when all nodes have the same operations and the same
   * state. Throws what differs if they do not within `deadlineMs`.
   */
  async converged(deadlineMs: number): Promise<number> {
    const startMs = performance.now();
    for (;;) {
      const all = await Promise.all(this.nodes.map((node) => node.status()));
      const tookMs = performance.now() - startMs;
      if (new Set(all.map(knowledgeOf)).size === 1) return tookMs;
      if (tookMs > deadlineMs) {
        throw new Error(`Still different after ${deadlineMs} ms:\n${all.map(describe).join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Kills what still runs. */
  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop("SIGKILL")));
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #proxyLinks(): void {
    for (const from of this.nodes) {
      for (const to of this.nodes.filter((node) => node !== from)) {
        this.#links.set(linkName(from, to), TcpProxy.listen(to.grpcPort));
      }
    }
  }
}

/** One node, from one start to the next. */
export class NodeProcess {
  readonly name: string;
  /** For clients. */
  readonly port: number;
  /** For the other nodes. */
  readonly grpcPort: number;
  /** Its data directory. */
  readonly data: string;
  /** Of all its processes. */
  readonly logFile: string;
  readonly #mishaps: string[] = [];
  /** The file of its configuration. */
  readonly config: string;
  readonly #program: Program;
  readonly #authority: TestAuthority | undefined;
  #process: ServerProcess | undefined;
  /** Until the last process's log is written. */
  #following = Promise.resolve();
  #isPaused = false;
  #isExpectedEnd: (end: ProcessEnd) => boolean = () => false;

  constructor(
    name: string,
    port: number,
    grpcPort: number,
    { program, directory, dataOf, authority }: ClusterOptions,
  ) {
    this.name = name;
    this.port = port;
    this.grpcPort = grpcPort;
    this.data = dataOf?.(name) ?? `${directory}/${name}`;
    this.logFile = `${directory}/${name}.log`;
    this.#program = program;
    this.#authority = authority;
    this.config = `${directory}/${name}.json`;
  }

  /** Where its certificates are, beside its configuration; undefined if it has none. */
  get tls(): { readonly cert: string; readonly key: string; readonly ca: string } | undefined {
    if (this.#authority === undefined) return undefined;
    return { cert: `${this.name}.crt`, key: `${this.name}.key`, ca: `${this.name}.ca.crt` };
  }

  /** For clients: with TLS if it has certificates. */
  get door(): Door {
    const ca = this.#authority?.certificate;
    return ca === undefined ? this.port : { port: this.port, ca };
  }

  /** Writes new certificates for it; nothing if it talks in plain text. */
  async certify(authority = this.#authority): Promise<void> {
    const { tls } = this;
    if (authority === undefined || tls === undefined) return;
    const identity = await authority.issue(this.name);
    const directory = dirname(this.config);
    for (const field of ["cert", "key", "ca"] as const) {
      await Deno.writeTextFile(join(directory, tls[field]), identity[field], { mode: 0o600 });
    }
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** Whether it serves clients, or would if it were not paused. */
  get isServing(): boolean {
    return this.#process?.isListening ?? false;
  }

  /** Throws while it does not run. */
  get process(): ServerProcess {
    if (this.#process === undefined) throw new Error(`Cannot use ${this.name}: it does not run`);
    return this.#process;
  }

  /** What it should never have said or done: bugs, and ends that nobody asked for. Each is told once. */
  takeMishaps(): string[] {
    return this.#mishaps.splice(0);
  }

  /** From now on, ends that it comes to like this are no mishaps: `isExpected` is told of each. */
  expectEnd(isExpected: (end: ProcessEnd) => boolean): void {
    this.#isExpectedEnd = isExpected;
  }

  async configure(config: unknown): Promise<void> {
    await Deno.writeTextFile(this.config, JSON.stringify(config, null, 2));
  }

  /** Starts it. The promise is when it serves clients; it rejects if it ends before. */
  start(): Promise<void> {
    if (this.#process !== undefined) throw new Error(`Cannot start ${this.name}: it runs`);
    const launch = { node: this.name, config: this.config, data: this.data };
    const process = ServerProcess.launch(this.#program, launch);
    this.#process = process;
    this.#isPaused = false;
    this.#following = this.#follow(process);
    return process.listening.then(() => {});
  }

  /** Ends it, also in a pause, and waits for that. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const process = this.#process;
    if (process === undefined) return await this.#following;
    if (this.#isPaused && signal === "SIGTERM") this.resume();
    this.#process = undefined;
    const { code } = await process.stop(signal);
    await this.#following;
    if (signal === "SIGKILL" || code === 0 || this.#isExpectedEnd({ code, log: process.log })) {
      return;
    }
    this.#mishaps.push(`${this.name} ended with ${code}`);
  }

  /** Stops it in the middle of whatever it does. */
  pause(): void {
    this.process.pause();
    this.#isPaused = true;
  }

  /** Lets it go on, if it still runs. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#process?.resume();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Loses its disk. */
  async wipe(): Promise<void> {
    await Deno.remove(this.data, { recursive: true });
  }

  /** Throws if it does not answer. */
  async status(): Promise<NodeStatus> {
    const overdue = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => overdue.reject(new Error(`Cannot tell the status of ${this.name}: it does not answer`)),
      STATUS_MS_MAX,
    );
    try {
      return await Promise.race([statusOf(this.door), overdue.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #follow(process: ServerProcess): Promise<void> {
    const { code, signal } = await process.ended;
    if (this.#process === process) {
      this.#process = undefined;
      if (!this.#isExpectedEnd({ code, log: process.log })) {
        const last = process.log.at(-1) ?? "nothing";
        this.#mishaps.push(`${this.name} ended by itself with ${signal ?? code}, saying: ${last}`);
      }
    }
    for (const line of process.log) {
      if (line.includes("a bug,")) this.#mishaps.push(`${this.name}: ${line}`);
    }
    const text = [...process.log, `-- ended with ${signal ?? code}`].map((line) => `${line}\n`);
    await Deno.writeTextFile(this.logFile, text.join(""), { append: true });
  }
}

function linkName(from: NodeProcess, to: NodeProcess): string {
  return `${from.name} ${to.name}`;
}

/** What is equal on nodes that know the same. */
function knowledgeOf(status: NodeStatus): string {
  return `${status.digest} ${vectorOf(status)}`;
}

function vectorOf({ vector }: NodeStatus): string {
  return [...vector].map(([origin, seq]) => `${origin}:${seq}`).sort().join(",");
}

function describe(status: NodeStatus): string {
  const { node, digest, messages, peers, warnings } = status;
  const seen = peers.map(({ name, state, why }) =>
    `${name} ${state}${why === undefined ? "" : ` (${why})`}`
  );
  return [`  ${node}: ${messages} messages, ${digest}, ${vectorOf(status)}`, ...seen, ...warnings]
    .join("\n    ");
}
