import { formatHost, type Host } from "../connection.ts";

/** A node that runs as a process of its own. */
export interface RunningNode {
  readonly pid: number;
  /** Resolves when it takes connections; rejects if it ends before. */
  readonly listening: Promise<void>;
  /** The newest lines that it wrote for its operator. */
  readonly log: readonly string[];
  /** Kills it, as `kill -9` does, if it lives; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** What the demo needs to run nodes. */
export interface Nodes {
  makeScratch(): Promise<string>;
  removeScratch(path: string): Promise<void>;
  writeTextFile(path: string, text: string): Promise<void>;
  /** So many ports of this machine that nothing uses. */
  unusedPorts(count: number): readonly number[];
  /** Starts `chat serve` with these arguments. */
  start(args: readonly string[]): RunningNode;
}

/** A node as the configuration has it. */
interface Member {
  readonly name: string;
  /** For clients. */
  readonly host: Host;
  /** For the other nodes. */
  readonly grpc: Host;
}

const NAMES = ["node1", "node2", "node3"];
/** On how many nodes a message is to be stored before it is acknowledged. */
const COPIES = 2;
const COPY_TIMEOUT_MS = 1_000;

/** Three nodes whose processes come and go, while their data and addresses stay. */
export class DemoSite {
  readonly scratch: string;
  readonly members: readonly Member[];
  readonly #nodes: Nodes;
  readonly #running = new Map<string, RunningNode>();
  #isOver = false;

  private constructor(nodes: Nodes, scratch: string, members: readonly Member[]) {
    this.#nodes = nodes;
    this.scratch = scratch;
    this.members = members;
  }

  /** Makes the directory and the configuration. */
  static async make(nodes: Nodes): Promise<DemoSite> {
    const members = choosePorts(nodes);
    const site = new DemoSite(nodes, await nodes.makeScratch(), members);
    try {
      await nodes.writeTextFile(site.configPath, JSON.stringify(site.#config(), null, 2));
    } catch (error) {
      await site.end();
      throw error;
    }
    return site;
  }

  get configPath(): string {
    return `${this.scratch}/servers.json`;
  }

  get hosts(): readonly Host[] {
    return this.members.map(({ host }) => host);
  }

  /** Starts all, or those with these names; resolves when they listen. */
  async start(...names: readonly string[]): Promise<void> {
    if (this.#isOver) return;
    const starting = (names.length === 0 ? NAMES : names).map((name) => this.#startOne(name));
    await Promise.all(starting);
  }

  async kill(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#running.get(name)?.kill()));
  }

  /** Kills all, and removes what they stored. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.kill(...this.#running.keys());
    await this.#nodes.removeScratch(this.scratch);
  }

  /** `node1  127.0.0.1:9001  kill -9 4711` for each. */
  describe(): string[] {
    return this.members.map(({ name, host }) =>
      `${name}  ${formatHost(host)}  kill -9 ${this.#running.get(name)?.pid ?? "?"}`
    );
  }

  /** What the nodes said last, for whoever has to find out what went wrong. */
  logLines(): string[] {
    return [...this.#running].flatMap(([name, { log }]) => log.map((line) => `${name}: ${line}`));
  }

  async #startOne(name: string): Promise<void> {
    const data = `${this.scratch}/${name}`;
    const args = ["--node", name, "--config", this.configPath, "--data", data];
    const node = this.#nodes.start(args);
    this.#running.set(name, node);
    await node.listening;
  }

  #config(): unknown {
    const nodes = this.members.map(({ name, host, grpc }) => ({ name, tcp: host, grpc }));
    return { cluster: { copies: COPIES, copyTimeoutMs: COPY_TIMEOUT_MS }, nodes };
  }
}

/** Before anything is started: each node must know where all the others will be. */
function choosePorts(nodes: Nodes): Member[] {
  const addresses = nodes.unusedPorts(2 * NAMES.length)
    .map((port): Host => ({ host: "127.0.0.1", port }))
    .values();
  return NAMES.flatMap((name) => {
    const [host, grpc] = addresses.take(2);
    return host === undefined || grpc === undefined ? [] : [{ name, host, grpc }];
  });
}
