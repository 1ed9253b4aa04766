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
  /** So many ports of this machine that nothing uses. */
  unusedPorts(count: number): readonly number[];
  /** Runs `chat` with these arguments; rejects unless its exit code is 0. */
  run(args: readonly string[]): Promise<void>;
  /** Starts `chat serve` with these arguments. */
  start(args: readonly string[]): RunningNode;
}

/** A node as the configuration has it. */
export interface Member {
  readonly name: string;
  /** For clients. */
  readonly host: Host;
}

/** Reads the nodes of a `servers.json`. */
export type ReadMembers = (path: string) => Promise<readonly Member[]>;

const NAMES = ["node1", "node2", "node3"];
const HOST = "127.0.0.1";

/** The nodes of a cluster, whose processes come and go, while their data and addresses stay. */
export class DemoSite {
  /** What `chat cluster init` made. */
  readonly directory: string;
  readonly members: readonly Member[];
  readonly #nodes: Nodes;
  /** What is removed in the end. */
  readonly #scratch: string | undefined;
  readonly #running = new Map<string, RunningNode>();
  #isOver = false;

  private constructor(
    nodes: Nodes,
    directory: string,
    members: readonly Member[],
    scratch?: string,
  ) {
    this.#nodes = nodes;
    this.directory = directory;
    this.members = members;
    this.#scratch = scratch;
  }

  /** The cluster that was made in a directory: what it stores is kept. */
  static async of(directory: string, nodes: Nodes, readMembers: ReadMembers): Promise<DemoSite> {
    return new DemoSite(nodes, directory, await readMembers(configIn(directory)));
  }

  /** Makes a cluster of three nodes, which goes with the demo. */
  static async make(nodes: Nodes, readMembers: ReadMembers): Promise<DemoSite> {
    const scratch = await nodes.makeScratch();
    try {
      const directory = `${scratch}/cluster`;
      await nodes.run(["cluster", "init", directory, "--nodes", chooseAddresses(nodes)]);
      return new DemoSite(nodes, directory, await readMembers(configIn(directory)), scratch);
    } catch (error) {
      await nodes.removeScratch(scratch);
      throw error;
    }
  }

  get isKept(): boolean {
    return this.#scratch === undefined;
  }

  get configPath(): string {
    return configIn(this.directory);
  }

  get invitePath(): string {
    return `${this.directory}/invite`;
  }

  get hosts(): readonly Host[] {
    return this.members.map(({ host }) => host);
  }

  /** Starts all, or those with these names; resolves when they listen. */
  async start(...names: readonly string[]): Promise<void> {
    if (this.#isOver) return;
    const starting = names.length === 0 ? this.members.map(({ name }) => name) : names;
    await Promise.all(starting.map((name) => this.#startOne(name)));
  }

  async kill(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#running.get(name)?.kill()));
  }

  /** Kills all, and removes what they stored unless it is to be kept. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.kill(...this.#running.keys());
    if (this.#scratch !== undefined) await this.#nodes.removeScratch(this.#scratch);
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
    const folder = `${this.directory}/${name}`;
    const args = ["--node", name, "--config", configIn(folder), "--data", `${folder}/data`];
    const node = this.#nodes.start(args);
    this.#running.set(name, node);
    await node.listening;
  }
}

function configIn(directory: string): string {
  return `${directory}/servers.json`;
}

/** Before anything is started: each node must know where all the others will be. */
function chooseAddresses(nodes: Nodes): string {
  const ports = nodes.unusedPorts(2 * NAMES.length);
  return NAMES.map((name, index) => [`${name}=${HOST}`, ...ports.slice(2 * index, 2 * index + 2)])
    .map((parts) => parts.join(":"))
    .join(",");
}
