import { Commit } from "../commit.ts";
import { apply } from "../core/apply.ts";
import { HybridClock } from "../core/hybrid_clock.ts";
import { messageIdOf } from "../core/message_id.ts";
import type { Fact } from "../core/operation.ts";
import { recordsOf } from "../core/snapshot.ts";
import { type Entry, NO_PLACE } from "../core/state_record.ts";
import { ChatState } from "../core/state.ts";
import { OwnOrigin } from "../own_origin.ts";
import { Cluster } from "../sync/cluster.ts";
import type { Membership } from "../sync/membership.ts";
import { ManualTimer } from "./manual_timer.ts";
import { MemoryJournal } from "./memory_journal.ts";
import { MemoryNetwork, nextTurn } from "./memory_network.ts";

export interface MemoryNode {
  readonly name: string;
  readonly state: ChatState;
  readonly journal: MemoryJournal;
  readonly commit: Commit;
  readonly origin: OwnOrigin;
  readonly cluster: Cluster;
  /** What it told its operator. */
  readonly log: string[];
  /** What it heard of who is signed in on others. */
  readonly heard: string[];
  /** What it heard of passwords that were tried on others. */
  readonly attempts: string[];
}

export interface MemoryNodeOptions {
  readonly epoch?: string;
  /** What it had before: kept when a node comes back, in the order of its journal. */
  readonly entries?: readonly Entry[];
  readonly epochConfirmed?: boolean;
  /** The names in its configuration, if they are not those of all nodes. */
  readonly knows?: readonly string[];
  readonly copies?: number;
}

/** Real nodes but for disk, network, clock and clients, which stand still until a test moves them. */
export class MemoryCluster {
  readonly network = new MemoryNetwork();
  readonly timer = new ManualTimer();
  readonly #names: readonly string[];
  readonly #nodes = new Map<string, MemoryNode>();
  #epochs = 0;
  #wallMs = 1_795_000_000_000;

  constructor(...names: readonly string[]) {
    this.#names = names;
  }

  /** Starts a node, and returns once it has met those that it can reach. */
  async start(name: string, options: MemoryNodeOptions = {}): Promise<MemoryNode> {
    const node = await this.begin(name, options);
    await this.network.quiet();
    return node;
  }

  /** Starts a node, and returns at once. */
  async begin(name: string, options: MemoryNodeOptions = {}): Promise<MemoryNode> {
    const node = await this.#make(name, options);
    this.#nodes.set(name, node);
    this.network.listen(name, (stream) => node.cluster.welcome(stream));
    node.cluster.start();
    return node;
  }

  async startAll(): Promise<MemoryNode[]> {
    const nodes: MemoryNode[] = [];
    for (const name of this.#names) nodes.push(await this.start(name));
    return nodes;
  }

  /** Kills a node; returns what was durable there. */
  async kill(node: MemoryNode): Promise<readonly Entry[]> {
    this.network.crash(node.name);
    this.#nodes.delete(node.name);
    await node.cluster.stop();
    await this.network.quiet();
    return node.journal.entries;
  }

  /** Lets so much time pass in small steps, with all that follows from it. */
  async pass(ms: number, stepMs = 100): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      this.timer.pass(stepMs);
      this.#wallMs += stepMs;
      await this.network.quiet();
    }
  }

  async stop(): Promise<void> {
    for (const node of [...this.#nodes.values()]) await this.kill(node);
  }

  async #make(name: string, options: MemoryNodeOptions): Promise<MemoryNode> {
    const { epoch = `e${++this.#epochs}`, entries = [], epochConfirmed = false } = options;
    const { knows = this.#names, copies = 2 } = options;
    const [state, journal, log] = [new ChatState(), new MemoryJournal(), [] as string[]];
    for (const entry of entries) apply(state, entry);
    if (entries.length > 0) await journal.writeBatch(entries);
    const origin = new OwnOrigin({
      node: name,
      epoch,
      confirmed: entries.length === 0 || epochConfirmed,
      newEpoch: () => `e${++this.#epochs}`,
      record: () => Promise.resolve(),
      onRenewed: (why) => log.push(`new epoch: ${why}`),
    });
    const commit = new Commit({
      state,
      log: journal,
      clock: new HybridClock(),
      nowMs: () => this.#wallMs,
      timer: this.timer,
      nextTurn,
      origin,
      copies,
      copyTimeoutMs: 1000,
      onFailure: (reason) => {
        throw reason;
      },
    });
    const heard: string[] = [];
    const attempts: string[] = [];
    const membership: Membership = {
      node: name,
      copies,
      copyTimeoutMs: 1000,
      registration: "open",
      nodes: knows.map((one) => ({ name: one, addresses: one })),
    };
    const cluster = new Cluster({
      membership,
      peers: knows.filter((one) => one !== name).map((one) => ({ name: one, address: one })),
      version: "0.0.0",
      process: `process ${name} ${epoch}`,
      transport: this.network.transportOf(name),
      commit,
      origin,
      log: journal,
      timer: this.timer,
      wallMs: () => this.#wallMs,
      random: () => 0.5,
      nextTurn,
      presence: {
        local: () => [`user of ${name}`],
        changed: (node, { online, offline }) => {
          heard.push(`${node} +${online.join(",")} -${offline.join(",")}`);
        },
        lost: (node) => void heard.push(`lost ${node}`),
      },
      attempts: {
        all: () => ({ fromScratch: true, accounts: [{ key: name, count: 1 }], addresses: [] }),
        heard: ({ fromScratch, accounts }) => {
          const said = accounts.map(({ key, count }) => `${key} ${count}`).join();
          attempts.push(`${fromScratch ? "all" : "more"} ${said}`);
        },
      },
      onStateMerged: () => log.push("merged a state"),
      tell: (line) => log.push(line),
    });
    commit.replicateWith(cluster);
    return { name, state, journal, commit, origin, cluster, log, heard, attempts };
  }
}

/** Puts a node's state in the place of the operations that led to it. */
export function compact({ state, journal }: MemoryNode): void {
  const records = [...recordsOf(state)].filter((record) => record !== undefined);
  const vector = new Map(state.vector.entries());
  const clock = { timeMs: 0, tick: 0 };
  journal.compact([...records, { kind: "coverage", ...NO_PLACE, vector, clock }]);
}

export const ALICE = "alicealiceal";
export const BOB = "bobbobbobbob";
let keys = 0;

/** A message that nobody else sent. */
export function message(content = "hello"): Fact {
  return {
    kind: "message_sent",
    id: messageIdOf(ALICE, `key ${++keys}`),
    sender: "alice",
    recipient: "bob",
    recipientAccount: BOB,
    content,
  };
}
