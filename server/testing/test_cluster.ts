import {
  type NodeConfig,
  type Registration,
  type RetentionConfig,
  ServerConfig,
} from "../config.ts";
import type { Limits } from "../limits.ts";
import type { RetentionTimes } from "../retention.ts";
import { type RunningServer, startServer } from "../serve.ts";
import { unusedPorts } from "./server_process.ts";
import type { TestAuthority } from "./test_authority.ts";
import { CHEAP, type ToldLine } from "./test_server.ts";
import { until } from "./until.ts";
import { type Door, statusOf } from "./wire_client.ts";

export interface TestClusterOptions {
  readonly copies?: number;
  readonly copyTimeoutMs?: number;
  readonly limits?: Partial<Limits>;
  readonly retention?: RetentionConfig;
  readonly registration?: Registration;
  readonly retentionTimes?: RetentionTimes;
  /** Issues the nodes' certificates: without, they talk in plain text. */
  readonly authority?: TestAuthority;
}

/** Three real nodes in this process, with real sockets and files, each on data of its own. */
export class TestCluster implements AsyncDisposable {
  readonly directory: string;
  readonly config: ServerConfig;
  /** What all nodes told their operators: the sentences, and all of it. */
  readonly log: string[] = [];
  readonly told: ToldLine[] = [];
  readonly #options: TestClusterOptions;
  readonly #running = new Map<string, RunningServer>();

  private constructor(directory: string, options: TestClusterOptions) {
    const tls = options.authority && { cert: "node.crt", key: "node.key", ca: "ca.crt" };
    this.directory = directory;
    this.#options = options;
    const host = "127.0.0.1";
    const ports = unusedPorts(3);
    const nodes = ["node1", "node2", "node3"].map((name, index) => ({
      name,
      tcp: { host, port: 0 },
      grpc: { host, port: ports[index] ?? 0 },
      tls,
    }));
    const { copies = 2, copyTimeoutMs = 1000, retention, registration } = options;
    const cluster = { copies, copyTimeoutMs };
    const text = JSON.stringify({ cluster, retention, registration, nodes });
    this.config = ServerConfig.parse(text, "the test's configuration");
  }

  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const directory = await Deno.makeTempDir({ prefix: "chat-test-" });
    const cluster = new TestCluster(directory, options);
    await Promise.all(cluster.config.nodes.map(({ name }) => cluster.startNode(name)));
    await cluster.connected();
    return cluster;
  }

  async startNode(name: string): Promise<void> {
    const node: NodeConfig = this.config.getCurrentNode(name);
    const server = await startServer({
      config: this.config,
      node,
      dataDirectory: this.dataOf(name),
      version: "0.0.0-test",
      log: (sentence, facts) => {
        this.log.push(`${name}: ${sentence}`);
        this.told.push({ sentence, ...facts });
      },
      limits: this.#options.limits ?? {},
      identity: await this.#options.authority?.issue(name),
      passwordCost: CHEAP,
      ...(this.#options.retentionTimes && { retentionTimes: this.#options.retentionTimes }),
    });
    this.#running.set(name, server);
  }

  async stopNode(name: string): Promise<void> {
    const server = this.#running.get(name);
    this.#running.delete(name);
    await server?.stop();
  }

  dataOf(name: string): string {
    return `${this.directory}/${name}`;
  }

  /** Where a node serves clients. */
  port(name: string): number {
    return this.running(name).port;
  }

  /** The same, for a client that talks TLS if the nodes do. */
  door(name: string): Door {
    return this.#doorOf(this.running(name));
  }

  running(name: string): RunningServer {
    const server = this.#running.get(name);
    if (server === undefined) throw new Error(`Cannot find the port of ${name}: it does not run`);
    return server;
  }

  /** Resolves once all running nodes have streams with each other. */
  async connected(): Promise<void> {
    await this.#untilAll(({ peers }) =>
      peers.filter(({ state }) => state === "connected").length === this.#running.size - 1
    );
  }

  /** Resolves once all running nodes have the same operations and the same state. */
  async converged(): Promise<void> {
    const seen = new Set<string>();
    await until(async () => {
      seen.clear();
      for (const server of this.#running.values()) {
        const { digest, vector } = await statusOf(this.#doorOf(server));
        seen.add(JSON.stringify([digest, [...vector].sort()]));
      }
      return seen.size === 1;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stopNode(name)));
    const bug = this.told.find(({ event }) => event === "bug");
    if (bug !== undefined) throw new Error(bug.sentence);
    await Deno.remove(this.directory, { recursive: true });
  }

  async #untilAll(
    holds: (status: Awaited<ReturnType<typeof statusOf>>) => boolean,
  ): Promise<void> {
    for (const server of this.#running.values()) {
      await until(async () => holds(await statusOf(this.#doorOf(server))));
    }
  }

  #doorOf({ port }: RunningServer): Door {
    const { authority } = this.#options;
    return authority === undefined ? port : { port, ca: authority.certificate };
  }
}
