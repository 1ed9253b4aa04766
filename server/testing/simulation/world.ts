import { ChatClient, type Host, type Outside } from "../../../client/connection.ts";
import { ServerConfig } from "../../config.ts";
import { History } from "../people/history.ts";
import { IMPATIENT, Person, uuidOf } from "../people/person.ts";
import { Random } from "../random.ts";
import type { Credentials } from "../wire_client.ts";
import { SimulatedDisk } from "./disk.ts";
import { Machine, type Milestone } from "./machine.ts";
import { SimulatedNetwork } from "./network.ts";
import type { Plan } from "./plan.ts";
import { Process, Scheduler } from "./scheduler.ts";
import { WallClock } from "./wall_clock.ts";
import { Witness } from "./witness.ts";

/** Something happened that must never happen. */
export class ViolationError extends Error {
  override readonly name = "ViolationError";
}

/** Messages that a person sends at once. */
const BURST_MAX = 5;
const PASSWORD = "a password of the simulation";
const NODES = ["node1", "node2", "node3"];

/** Far more than any world takes: something goes round and round. */
const STEPS_MAX = 200_000;

/** Three machines, the network between them, and people: real but for what they stand on. */
export class World {
  readonly plan: Plan;
  readonly scheduler = new Scheduler();
  readonly history: History;
  readonly machines: readonly Machine[];
  readonly network: SimulatedNetwork;
  readonly witness: Witness;
  /** For what is drawn besides the plan. */
  readonly random: Random;
  readonly #violations: string[] = [];
  readonly #milestones = new Map<Milestone, number>();
  readonly #equalCheckedAt = new Map<Machine, number>();
  readonly #clients = new Map<string, Process>();
  people: readonly Person[] = [];
  credentials: readonly Credentials[] = [];
  /** Machines that have lost their disk. */
  readonly lostDisks = new Set<Machine>();

  constructor(plan: Plan, seed: number) {
    this.plan = plan;
    this.random = new Random(seed);
    const { scheduler, random } = this;
    const { disksLost, networkSpeed, duplicateOneIn } = plan;
    const report = (violation: string) => this.report(violation);
    this.history = new History({
      nodes: NODES.length,
      safeCopies: 1 + disksLost,
      nowMs: () => scheduler.nowMs,
    });
    this.witness = new Witness(NODES, report);
    const { witness } = this;
    this.network = new SimulatedNetwork({
      ...{ scheduler, witness, duplicateOneIn, speed: networkSpeed },
      random: random.fork(),
    });
    const config = configOf(plan);
    const count = (what: Milestone) =>
      void this.#milestones.set(what, (this.#milestones.get(what) ?? 0) + 1);
    this.machines = NODES.map((name) =>
      new Machine({
        ...{ name, config, scheduler, witness, report, count },
        network: this.network,
        disk: new SimulatedDisk(name, {
          ...{ scheduler, witness, speed: plan.diskSpeed },
          random: random.fork(),
        }),
        clock: new WallClock(() => scheduler.nowMs),
        random: random.fork(),
      })
    );
    scheduler.onStep = () => {
      this.#checkEqual();
      if (scheduler.steps === STEPS_MAX) report(`no end after ${STEPS_MAX} steps`);
    };
  }

  /** What was found wrong so far. */
  get violations(): readonly string[] {
    const found = this.history.findings.list()
      .flatMap(([fault, what]) => what.map((one) => `${fault}: ${one}`));
    return [...this.#violations, ...found];
  }

  /** How often each was met. */
  get milestones(): ReadonlyMap<Milestone, number> {
    return this.#milestones.set("states merged", this.witness.statesMerged);
  }

  get isSound(): boolean {
    return this.#violations.length === 0 && this.history.findings.isEmpty;
  }

  /** Starts all nodes, signs everybody up, and subscribes them. */
  async begin(): Promise<void> {
    for (const machine of this.machines) machine.start();
    await this.converge(30_000);
    const names = Array.from({ length: this.plan.people }, (_, index) => `user${index}`);
    await this.within(30_000, "people who sign up", async () => {
      this.credentials = await Promise.all(names.map((name, index) => this.#signUp(name, index)));
    });
    await this.converge(20_000);
    await this.within(30_000, "people who sign in", async () => {
      const devices = this.plan.hasSecondDevice
        ? [...this.credentials, ...this.credentials.slice(0, 1)]
        : this.credentials;
      this.people = await Promise.all(devices.map((credentials, index) =>
        Person.join({
          credentials,
          hosts: this.hostsFrom(index),
          friends: names.filter((name) => name !== credentials.name),
          history: this.history,
          burstMax: BURST_MAX,
          outside: this.outsideOf(clientName(index)),
          timeouts: IMPATIENT,
        })
      ));
    });
  }

  /** What a person's machine is called. */
  clientNames(): string[] {
    return this.people.map((_, index) => clientName(index));
  }

  /** It sleeps: what is sent to it waits, and its timers are late. */
  sleep(client: string): void {
    this.#clients.get(client)?.pause();
  }

  wake(client: string): void {
    const process = this.#clients.get(client);
    if (process?.isPaused) this.scheduler.resume(process, true);
  }

  /** All hosts, beginning with one. */
  hostsFrom(index: number): Host[] {
    const first = index % NODES.length;
    return [...NODES.slice(first), ...NODES.slice(0, first)].map((host) => ({ host, port: 1 }));
  }

  /** Network, clock and randomness of a client. */
  outsideOf(name: string): Outside {
    const { scheduler, network } = this;
    const [process, random] = [new Process(name), this.random.fork()];
    this.#clients.set(name, process);
    return {
      connect: ({ host }, timeoutMs) => network.connect(process, host, timeoutMs),
      clock: {
        nowMs: () => scheduler.nowMs,
        after: (delayMs, action) =>
          scheduler.after(process, delayMs * 1000, "timer", action, { isTimer: true }),
      },
      random: () => random.fraction(),
      uuid: () => uuidOf(random),
    };
  }

  /** Lets time pass until `work` is done. Throws {@linkcode ViolationError}, also if that takes too long. */
  async within<T>(ms: number, what: string, work: () => Promise<T>): Promise<T> {
    let isOver = false;
    const result = work();
    const settle = () => void (isOver = true);
    result.then(settle, settle);
    const deadlineUs = this.scheduler.nowUs + ms * 1000;
    await this.scheduler.runUntil(() => isOver || !this.isSound, deadlineUs);
    this.check();
    if (!isOver) this.fail(`stuck: ${what}, after ${ms} ms`);
    return await result;
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    await this.scheduler.runUntil(() => !this.isSound, this.scheduler.nowUs + ms * 1000);
    this.check();
  }

  /** Throws if anything was found wrong. */
  check(): void {
    if (!this.isSound) throw new ViolationError(this.violations.join("\n"));
  }

  /** The world ends at the next step. */
  report(violation: string): void {
    this.#violations.push(violation);
  }

  fail(violation: string): never {
    this.report(violation);
    throw new ViolationError(violation);
  }

  /** All faults are over, but for machines that do not run. */
  heal(): void {
    this.network.heal();
    for (const client of this.#clients.keys()) this.wake(client);
    for (const machine of this.machines) {
      machine.clock.putRight();
      machine.disk.mend();
      // Who met a disk that failed may find out late.
      machine.isSupervised = machine.isRunning;
      machine.disk.speed = this.plan.diskSpeed;
      machine.resume(false);
    }
  }

  /** Lets time pass until all nodes run, and know the same. */
  async converge(ms: number): Promise<void> {
    const { scheduler, machines } = this;
    const deadlineUs = scheduler.nowUs + ms * 1000;
    const isOver = () => machines.every(({ isServing }) => isServing) && this.#areEqual();
    await scheduler.runUntil(() => isOver() || !this.isSound, deadlineUs);
    this.check();
    if (!isOver()) {
      const views = machines.map(({ name, node, isServing }) =>
        `\n    ${name}: ${isServing ? "serving" : "not serving"}, ${node?.state.vector ?? "off"}`
      );
      this.fail(`diverged for ${ms} ms:${views.join("")}`);
    }
  }

  async #signUp(name: string, index: number): Promise<Credentials> {
    await using client = new ChatClient({
      hosts: this.hostsFrom(index),
      outside: this.outsideOf(name),
      timeouts: IMPATIENT,
    });
    const { token } = await client.signIn({ user: name, password: PASSWORD, create: true });
    return { name, token };
  }

  #areEqual(): boolean {
    const [first, ...others] = this.machines.map(({ node }) => node);
    return others.every((node) =>
      node !== undefined && first !== undefined &&
      node.commit.durable.includes(first.commit.durable) &&
      first.commit.durable.includes(node.commit.durable) && node.state.digest === first.state.digest
    );
  }

  /** Nodes that know of the same operations show the same. */
  #checkEqual(): void {
    for (const machine of this.machines) {
      const { node } = machine;
      if (this.witness.isMerging(machine.name)) continue;
      if (node === undefined || node.commit.position === this.#equalCheckedAt.get(machine)) {
        continue;
      }
      this.#equalCheckedAt.set(machine, node.commit.position);
      for (const other of this.machines) {
        if (other === machine || other.node === undefined) continue;
        if (this.witness.isMerging(other.name)) continue;
        const [a, b] = [node.state, other.node.state];
        const isSame = a.vector.includes(b.vector) && b.vector.includes(a.vector);
        if (isSame && a.digest !== b.digest) {
          this.report(`${machine.name} and ${other.name} differ, and know the same`);
        }
      }
    }
  }
}

function clientName(index: number): string {
  return `client${index}`;
}

function configOf({ copies, copyTimeoutMs }: Plan): ServerConfig {
  const nodes = NODES.map((name) => ({
    name,
    tcp: { host: name, port: 1 },
    grpc: { host: name, port: 2 },
  }));
  return ServerConfig.parse(
    JSON.stringify({ cluster: { copies, copyTimeoutMs }, nodes }),
    "the simulation's configuration",
  );
}
