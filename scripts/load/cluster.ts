import { ClusterProcesses } from "../../server/testing/cluster_processes.ts";
import type { Program } from "../../server/testing/server_process.ts";
import type { Credentials, Door } from "../../server/testing/wire_client.ts";
import { timeEvents } from "./event_time.ts";
import { type MachineLimits, measureMachine } from "./machine.ts";
import { print, printMachine, printQuantiles, printRound, printTitle, ratio } from "./print.ts";
import {
  type Plan,
  type Round,
  type RoundOptions,
  runRound,
  signUpMany,
  UNPACED,
} from "./round.ts";

/** How long nodes may take to have the same after a round, in ms. */
const CONVERGENCE_MS_MAX = 120_000;

/** Each number of copies that so many nodes can be asked for is measured in a cluster of its own. */
export async function measureClusters(
  program: Program,
  scratch: string,
  plan: Plan,
  nodes: number,
): Promise<void> {
  for (let copies = 1; copies <= nodes; copies++) {
    printTitle(`${nodes} nodes, acknowledged with ${copies} ${copies === 1 ? "copy" : "copies"}`);
    const directory = `${scratch}/copies${copies}`;
    await Deno.mkdir(directory);
    // Each time anew: a virtual machine is not the same for minutes.
    const machine = await measureMachine(directory, plan.machineMs);
    printMachine(machine);
    const cluster = await LoadedCluster.start({ program, directory, nodes, copies }, plan.accounts);
    try {
      await measure(cluster, plan, machine);
    } finally {
      await cluster.close();
      await Deno.remove(directory, { recursive: true });
    }
  }
}

async function measure(
  cluster: LoadedCluster,
  plan: Plan,
  machine: MachineLimits,
): Promise<void> {
  const ms = plan.roundMs;
  const doors = cluster.doors.slice(0, 1);
  // What has run only a few times is not compiled yet, on three nodes even less than on one.
  await cluster.round({ clients: 64, inFlight: 1, ms, doors });
  for (const [clients, inFlight] of [[1, 1], [64, 1], [64, 32]] as const) {
    const name = `${clients} clients, ${inFlight} in flight`;
    const round = await cluster.round({ clients, inFlight, ms, doors });
    printRound(name, round);
    if (clients > 1) {
      const share = round.messagesPerSecond / machine.pingPongsPerSecond64;
      print(`ratio: ${name} to 64 ping-pongs`, ratio(share));
    }
    await cluster.verify();
  }
  for (const inFlight of [1, 32]) {
    const round = await cluster.round({ clients: 64, inFlight, ms });
    printRound(`64 clients on all nodes, ${inFlight} in flight`, round);
    await cluster.verify();
  }
  const times = await cluster.timeEvents(plan.timedEvents);
  printQuantiles("from sending to the event on another node", times);
}

/** Nodes without proxies between them, what was acknowledged by them, and by whom. */
export class LoadedCluster {
  readonly processes: ClusterProcesses;
  readonly users: readonly Credentials[];
  #acknowledged = 0;

  private constructor(processes: ClusterProcesses, users: readonly Credentials[]) {
    this.processes = processes;
    this.users = users;
  }

  static async start(
    options: Omit<Parameters<typeof ClusterProcesses.start>[0], "proxies">,
    accounts: number,
  ): Promise<LoadedCluster> {
    const processes = await ClusterProcesses.start({ ...options, limits: UNPACED, proxies: false });
    try {
      const users = await signUpMany(processes.node(0).door, accounts);
      await processes.converged(CONVERGENCE_MS_MAX);
      return new LoadedCluster(processes, users);
    } catch (error) {
      await processes.close();
      throw error;
    }
  }

  /** Where clients find the nodes. */
  get doors(): Door[] {
    return this.processes.nodes.map(({ door }) => door);
  }

  /** Of the nodes that run. */
  async round(options: Omit<RoundOptions, "servers" | "users">): Promise<Round> {
    const servers = this.processes.nodes.filter((node) => node.isRunning)
      .map((node) => node.process);
    const round = await runRound({ servers, users: this.users, ...options });
    this.acknowledge(round.messages);
    return round;
  }

  /** Between the first two users, on the first two nodes, or on the only one. */
  async timeEvents(count: number) {
    const [from, to = from] = this.doors;
    const [sender, recipient] = this.users;
    if (from === undefined || to === undefined || sender === undefined || recipient === undefined) {
      throw new Error("Cannot time events between fewer than two users");
    }
    const times = await timeEvents({ from, to, sender, recipient, count });
    this.acknowledge(count);
    await this.verify();
    return times;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  acknowledge(messages: number): void {
    this.#acknowledged += messages;
  }

  /** All nodes have what was acknowledged, once each. */
  async verify(): Promise<void> {
    await this.processes.converged(CONVERGENCE_MS_MAX);
    for (const node of this.processes.nodes) {
      const { messages } = await node.status();
      if (messages === this.#acknowledged) continue;
      throw new Error(
        `Lost or doubled: ${this.#acknowledged} acknowledged, ${messages} on ${node.name}`,
      );
    }
  }

  /** Says what nodes should not have done: that explains what clients met with. */
  async close(): Promise<void> {
    await this.processes.close();
    for (const node of this.processes.nodes) {
      for (const mishap of node.takeMishaps()) console.error(mishap);
    }
  }
}
