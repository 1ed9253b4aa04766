import { denoOutside } from "../../client/deno_outside.ts";
import { ClusterProcesses } from "../../server/testing/cluster_processes.ts";
import { audit } from "../../server/testing/people/audit.ts";
import type { Findings } from "../../server/testing/people/findings.ts";
import { History, type Tally } from "../../server/testing/people/history.ts";
import { IMPATIENT, Person } from "../../server/testing/people/person.ts";
import { Random } from "../../server/testing/random.ts";
import { fromSourceAfter, type Program } from "../../server/testing/server_process.ts";
import { TestAuthority } from "../../server/testing/test_authority.ts";
import { type Credentials, type Door, signUp } from "../../server/testing/wire_client.ts";
import { Chaos, type Damage, type Tools, within } from "./chaos.ts";
import { SmallDisk } from "./small_disk.ts";
import { WallClock } from "./wall_clock.ts";

/** What to run so that clocks can jump. */
export const withSetClock = fromSourceAfter(new URL("set_clock.ts", import.meta.url).pathname);

export interface FaultsOptions {
  readonly program: Program;
  /** Whether it runs set_clock.ts first: then wall clocks jump. */
  readonly clocks: boolean;
  /** Keeps the nodes' data and logs. */
  readonly directory: string;
  /** Processes to be killed, at least. */
  readonly kills: number;
  readonly clients: number;
  /** Whether a disk is lost in every round. What was on no other one may go with it. */
  readonly wipes?: boolean;
  /** Whether nodes and clients talk TLS. */
  readonly tls?: boolean;
  readonly random: Random;
  /** What there is so far, whenever all was healed, settled and compared. */
  readonly onRound?: (soFar: { readonly killed: number; readonly acknowledged: number }) => void;
}

export interface FaultsReport {
  readonly damage: Damage;
  /** Processes. */
  readonly kills: number;
  readonly tally: Tally;
  /** Changes that were acknowledged. */
  readonly acknowledged: number;
  /** How often a change was said to be on so many nodes. */
  readonly copies: ReadonlyMap<number, number>;
  readonly findings: Findings;
  readonly reconnects: number;
  readonly events: number;
  /** The longest from healing to the same state on all nodes, in ms. */
  readonly convergenceMs: number;
  /** Whether this system permitted a disk that can be filled. */
  readonly hadSmallDisk: boolean;
}

/** Between two things a person does, at most, in ms. */
const PACE_MS = 100;
/** Messages that a person sends at once: a campaign waits for copies more than it works. */
const BURST_MAX = 40;
/** All is healed, settled and compared after every so many kills… */
const ROUND_KILLS = 50;
/** …and after these if a disk is lost: before the next is, all has to be on all others. */
const ROUND_KILLS_WIPING = 5;
/** Whose disk is filled, where that is permitted. */
const FULL_NODE = "node3";
/** Sign-ups at once: each keeps a core busy for 0.2 s. */
const SIGN_UPS_AT_ONCE = 2;
const PASSWORD = "a password of the campaign";
/** Nodes have to agree so long after the last fault, in ms… */
const CONVERGENCE_MS_MAX = 10_000;
/** …but have at least so long after the last request. */
const CONVERGENCE_MS_MIN = 3_000;
/** Clients have to be answered so long after the last fault, in ms. */
const SETTLING_MS_MAX = 30_000;

/** Breaks a cluster under load, heals it, and compares what it has with what it acknowledged. */
export async function runFaults(options: FaultsOptions): Promise<FaultsReport> {
  const { program, directory } = options;
  await using small = await SmallDisk.mount(`${directory}/small-disk`);
  const dataOf = (node: string) =>
    `${node === FULL_NODE && small !== undefined ? small.path : directory}/${node}`;
  await using cluster = await ClusterProcesses.start({
    ...{ program, directory, dataOf },
    ...options.tls && { authority: await TestAuthority.make() },
  });
  const node = cluster.nodes.find(({ name }) => name === FULL_NODE);
  const tools: Tools = {
    clocks: options.clocks ? cluster.nodes.map((node) => new WallClock(node)) : [],
    ...(node !== undefined && small !== undefined && { disk: { node, small } }),
  };
  const campaign = await Campaign.begin(cluster, tools, options);
  await campaign.run();
  // With its file system all that it has would go.
  if (small !== undefined && campaign.hasFound) await small.keep(`${directory}/${FULL_NODE}`);
  return { ...campaign.report(), hadSmallDisk: small !== undefined };
}

class Campaign {
  readonly #cluster: ClusterProcesses;
  readonly #options: FaultsOptions;
  readonly #history: History;
  readonly #users: readonly Credentials[];
  readonly #people: readonly Worker[];
  readonly #chaos: Chaos;
  #convergenceMs = 0;

  private constructor(
    cluster: ClusterProcesses,
    tools: Tools,
    options: FaultsOptions,
    history: History,
    users: readonly Credentials[],
    people: readonly Worker[],
  ) {
    this.#cluster = cluster;
    this.#options = options;
    this.#history = history;
    this.#users = users;
    this.#people = people;
    this.#chaos = new Chaos(cluster, tools, options.random);
  }

  static async begin(
    cluster: ClusterProcesses,
    tools: Tools,
    options: FaultsOptions,
  ): Promise<Campaign> {
    const { clients, wipes, random } = options;
    const { nowMs } = denoOutside.clock;
    const safeCopies = wipes ? 2 : 1;
    const history = new History({ nodes: cluster.nodes.length, safeCopies, nowMs });
    const users = await signUpAll(cluster.node(0).door, clients);
    await cluster.converged(CONVERGENCE_MS_MAX);
    const people = await Promise.all(users.map(async (credentials, index) => {
      const own = new Random(random.below(2 ** 32));
      const first = index % cluster.nodes.length;
      const person = await Person.join({
        credentials,
        hosts: [...cluster.hosts.slice(first), ...cluster.hosts.slice(0, first)],
        friends: users.map(({ name }) => name).filter((name) => name !== credentials.name),
        history,
        burstMax: BURST_MAX,
        outside: { ...denoOutside, random: () => own.fraction() },
        timeouts: IMPATIENT,
      });
      return { person, random: own };
    }));
    return new Campaign(cluster, tools, options, history, users, people);
  }

  async run(): Promise<void> {
    const { kills, wipes, onRound } = this.#options;
    const roundKills = wipes ? ROUND_KILLS_WIPING : ROUND_KILLS;
    try {
      while (this.#chaos.kills < kills && this.#history.findings.isEmpty) {
        await this.#round(Math.min(roundKills, kills - this.#chaos.kills));
        onRound?.({ killed: this.#chaos.kills, acknowledged: this.#history.acknowledged });
      }
    } finally {
      await Promise.all(this.#people.map(({ person }) => person.leave()));
    }
    if (this.#history.findings.isEmpty) await this.#startOver();
  }

  get hasFound(): boolean {
    return !this.#history.findings.isEmpty;
  }

  report(): Omit<FaultsReport, "hadSmallDisk"> {
    this.#noteMishaps();
    const total = (countOf: (person: Person) => number) =>
      this.#people.reduce((sum, { person }) => sum + countOf(person), 0);
    return {
      damage: this.#chaos.damage,
      kills: this.#chaos.kills,
      tally: this.#history.tally,
      acknowledged: this.#history.acknowledged,
      copies: this.#history.copies,
      findings: this.#history.findings,
      reconnects: total(({ connections }) => connections - 1),
      events: total(({ view }) => view.events),
      convergenceMs: this.#convergenceMs,
    };
  }

  async #round(kills: number): Promise<void> {
    let isOver = false;
    const stopped = () => isOver;
    const working = Promise.all(
      this.#people.map(({ person, random }) => person.work({ random, paceMs: PACE_MS, stopped })),
    );
    // Looked at below; a failure before that must not end this process.
    working.catch(() => {});
    await this.#chaos.round(kills, this.#options.wipes ?? false);
    const ok = await this.#orReport("stuck", async () => {
      await this.#chaos.heal();
    });
    const healedMs = performance.now();
    isOver = true;
    if (!ok) return;
    const settled = await this.#orReport("stuck", async () => {
      await within(SETTLING_MS_MAX, working);
      await within(SETTLING_MS_MAX, Promise.all(this.#people.map(({ person }) => person.settle())));
    });
    if (settled && await this.#converge(healedMs)) await this.#compare();
  }

  async #converge(healedMs: number): Promise<boolean> {
    const leftMs = healedMs + CONVERGENCE_MS_MAX - performance.now();
    const converged = await this.#orReport("diverged", async () => {
      await this.#cluster.converged(Math.max(leftMs, CONVERGENCE_MS_MIN));
    });
    this.#convergenceMs = Math.max(this.#convergenceMs, performance.now() - healedMs);
    return converged;
  }

  async #compare(): Promise<void> {
    await this.#orReport("stuck", async () => {
      const told = this.#people.map(({ person }) => person.upToDate());
      await within(SETTLING_MS_MAX, Promise.all(told));
      const mailboxes = await this.#audit();
      for (const { person: { name, view } } of this.#people) {
        const listed = [...mailboxes.get(name)?.conversations.values() ?? []].flat();
        if (this.#options.wipes) view.adopt(listed);
        else view.compare(listed);
        view.forgetPast();
      }
      this.#history.forgetGone();
    });
    this.#noteMishaps();
  }

  /** Ends all nodes as an operator does; what they replay has to be the same again. */
  async #startOver(): Promise<void> {
    await Promise.all(this.#cluster.nodes.map((node) => node.stop()));
    await Promise.all(this.#cluster.nodes.map((node) => node.start()));
    if (await this.#converge(performance.now())) await this.#audit();
  }

  async #audit() {
    const { hosts } = this.#cluster;
    return await audit({
      hosts,
      people: this.#users,
      history: this.#history,
      outside: denoOutside,
    });
  }

  #noteMishaps(): void {
    for (const node of this.#cluster.nodes) {
      this.#history.findings.report("mishap", ...node.takeMishaps());
    }
  }

  /** Whether `work` succeeded: all that can fail here is what is looked for. */
  async #orReport(fault: "stuck" | "diverged", work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#history.findings.report(fault, error instanceof Error ? error.message : String(error));
      return false;
    }
  }
}

/** Someone, and the randomness that their acts come from. */
interface Worker {
  readonly person: Person;
  readonly random: Random;
}

async function signUpAll(door: Door, count: number): Promise<Credentials[]> {
  const names = Array.from({ length: count }, (_, index) => `user${index}`);
  const users: Credentials[] = [];
  for (let at = 0; at < count; at += SIGN_UPS_AT_ONCE) {
    const some = names.slice(at, at + SIGN_UPS_AT_ONCE);
    users.push(...await Promise.all(some.map((name) => signUp(door, name, PASSWORD))));
  }
  return users;
}
