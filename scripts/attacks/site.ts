import { type Credentials, type Door, signUp } from "../../server/testing/wire_client.ts";
import { ClusterProcesses } from "../../server/testing/cluster_processes.ts";
import type { Program } from "../../server/testing/server_process.ts";
import { TestAuthority } from "../../server/testing/test_authority.ts";
import type { NodeIdentity } from "../../server/tls/identity.ts";
import { importPast } from "./past.ts";

export interface SiteOptions {
  readonly program: Program;
  /** Takes all that the nodes write. The caller gives and removes it. */
  readonly directory: string;
  readonly nodes: 1 | 3;
  /** Whether nodes have certificates. */
  readonly tls?: boolean;
  /** Messages that the attackers have written to each other before. */
  readonly pastMessages: number;
}

/** Who sends while others attack, and who is told of it. */
export interface People {
  readonly senders: readonly Credentials[];
  readonly friend: Credentials;
}

/** How much a node has. */
export interface Holdings {
  readonly messages: number;
  readonly accounts: number;
}

export const PASSWORD = "a password of these attacks";
const SENDERS = ["alice", "bella", "carol", "daisy"] as const;
const FRIEND = "friend";
/** The first two have written to each other. */
export const ATTACKERS = ["mallory", "mallet"] as const;
/** Nobody signs in to it but who guesses its password. */
export const GUESSED = "guessed";
const CONVERGENCE_MS_MAX = 60_000;
/** How long a node that was started may need to be linked with all others. */
const LINK_MS_MAX = 20_000;
const POLL_MS = 50;

/** Real nodes with accounts of people and of attackers, under the limits that are on by default. */
export class Site implements AsyncDisposable {
  readonly processes: ClusterProcesses;
  readonly people: People;
  readonly attackers: readonly Credentials[];
  /** Where nodes talk TLS: see {@linkcode Orders}. */
  readonly certificates: { readonly ca: string; readonly stranger: NodeIdentity } | undefined;

  private constructor(
    processes: ClusterProcesses,
    people: People,
    attackers: readonly Credentials[],
    certificates: Site["certificates"],
  ) {
    this.certificates = certificates;
    this.processes = processes;
    this.people = people;
    this.attackers = attackers;
  }

  static async start(options: SiteOptions): Promise<Site> {
    const { program, directory, nodes, pastMessages } = options;
    const names = [...SENDERS, FRIEND, ...ATTACKERS, GUESSED];
    await importPast({
      ...{ program, names, password: PASSWORD, messages: pastMessages },
      between: ATTACKERS,
      data: `${directory}/node1`,
      file: `${directory}/past.jsonl`,
    });
    const authority = options.tls ? await TestAuthority.make() : undefined;
    const processes = await ClusterProcesses.start({
      ...{ program, directory, nodes, proxies: false },
      ...authority !== undefined && { authority },
    });
    try {
      await processes.converged(CONVERGENCE_MS_MAX);
      const { door } = processes.node(0);
      const signIn = (name: string) => signUp(door, name, PASSWORD);
      const [friend, ...others] = await Promise.all(
        [FRIEND, ...SENDERS, ...ATTACKERS].map(signIn),
      );
      if (friend === undefined) throw new Error("Cannot begin: nobody is there");
      const senders = others.splice(0, SENDERS.length);
      return new Site(processes, { senders, friend }, others, await certificatesOf(authority));
    } catch (error) {
      await processes.close();
      throw error;
    }
  }

  /** Where people connect. */
  get doors(): Door[] {
    return this.processes.nodes.map(({ door }) => door);
  }

  get ports(): number[] {
    return this.processes.nodes.map(({ port }) => port);
  }

  get peerPorts(): number[] {
    return this.processes.nodes.map(({ grpcPort }) => grpcPort);
  }

  /** Of the node that takes most, in bytes. */
  async residentBytes(): Promise<number> {
    return Math.max(...await this.#ofEach((process) => process.residentBytes()));
  }

  /** The most that any of the nodes has taken since it started, in bytes. */
  async peakResidentBytes(): Promise<number> {
    return Math.max(...await this.#ofEach((process) => process.peakResidentBytes()));
  }

  /** How much there is, on the first node. */
  async holdings(): Promise<Holdings> {
    const { messages, accounts } = await this.processes.node(0).status();
    return { messages, accounts };
  }

  /** What is wrong unless nodes come to be equal, reach each other, and have so much and no more. */
  async disagreements({ messages, accounts }: Holdings): Promise<string[]> {
    try {
      await this.processes.converged(CONVERGENCE_MS_MAX);
    } catch (error) {
      return [String(error)];
    }
    const all = await Promise.all(this.processes.nodes.map((node) => node.status()));
    return all.flatMap((status) => [
      ...status.messages === messages
        ? []
        : [`${status.node} has ${status.messages} messages, of ${messages}`],
      ...status.accounts === accounts
        ? []
        : [`${status.node} has ${status.accounts} accounts, of ${accounts}`],
      ...status.peers.filter(({ state }) => state !== "connected").map(({ name, state }) =>
        `${name} is ${state} to ${status.node}`
      ),
    ]);
  }

  /** Kills a node and starts it again: what is wrong if the others do not find it then. */
  async restart(index: number): Promise<string[]> {
    const node = this.processes.node(index);
    await node.stop("SIGKILL");
    const startMs = performance.now();
    // It serves only once it has heard from the others, or has given up on them.
    await node.start();
    for (;;) {
      const status = await node.status();
      if (status.peers.every(({ state }) => state === "connected")) return [];
      const waitedMs = performance.now() - startMs;
      if (waitedMs > LINK_MS_MAX) {
        const lost = status.peers.filter(({ state }) => state !== "connected");
        const why = lost.map((peer) => `${peer.name} is ${peer.state} (${peer.why})`).join(", ");
        return [`${status.node} came back and was alone for ${LINK_MS_MAX} ms: ${why}`];
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** What nodes said or did that no attack may bring them to. */
  mishaps(): string[] {
    const nodes = this.processes.nodes;
    const bugs = nodes.filter((node) => node.isRunning).flatMap(({ name, process }) =>
      process.log.filter((line) => line.includes("a bug,")).map((line) => `${name}: ${line}`)
    );
    return [...bugs, ...nodes.flatMap((node) => node.takeMishaps())];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.processes.close();
  }

  async #ofEach(
    measure: (process: ClusterProcesses["nodes"][number]["process"]) => Promise<number>,
  ): Promise<number[]> {
    const running = this.processes.nodes.filter((node) => node.isRunning);
    return await Promise.all(running.map((node) => measure(node.process)));
  }
}

async function certificatesOf(authority: TestAuthority | undefined): Promise<Site["certificates"]> {
  if (authority === undefined) return undefined;
  const others = await TestAuthority.make();
  return { ca: authority.certificate, stranger: await others.issue("node2") };
}
