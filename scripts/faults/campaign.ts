import { ClusterProcesses } from "../../server/testing/cluster_processes.ts";
import type { Program } from "../../server/testing/server_process.ts";
import { type Credentials, signUp } from "../../server/testing/wire_client.ts";
import { Random } from "../random.ts";
import { audit } from "./audit.ts";
import { Books } from "./books.ts";
import { Chaos, type Damage, within } from "./chaos.ts";
import { Person } from "./person.ts";

export interface FaultsOptions {
  readonly program: Program;
  /** Keeps the nodes' data and logs. */
  readonly directory: string;
  readonly kills: number;
  readonly clients: number;
  /** Whether a disk is lost in every round. What was on no other one may go with it. */
  readonly wipes?: boolean;
  readonly random: Random;
  readonly log: (line: string) => void;
}

export interface FaultsReport {
  readonly damage: Damage;
  readonly books: Books;
  readonly reconnects: number;
  readonly events: number;
  /** The longest from healing to the same state on all nodes, in ms. */
  readonly convergenceMs: number;
}

/** All is healed, settled and compared after every so many kills… */
const ROUND_KILLS = 25;
/** …and after these if a disk is lost: before the next is, all has to be on all others. */
const ROUND_KILLS_WIPING = 5;
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
  await using cluster = await ClusterProcesses.start({ program, directory });
  const campaign = await Campaign.begin(cluster, options);
  await campaign.run();
  return campaign.report();
}

class Campaign {
  readonly #cluster: ClusterProcesses;
  readonly #options: FaultsOptions;
  readonly #books: Books;
  readonly #users: readonly Credentials[];
  readonly #people: readonly Person[];
  readonly #chaos: Chaos;
  #convergenceMs = 0;

  private constructor(
    cluster: ClusterProcesses,
    options: FaultsOptions,
    books: Books,
    users: readonly Credentials[],
    people: readonly Person[],
  ) {
    this.#cluster = cluster;
    this.#options = options;
    this.#books = books;
    this.#users = users;
    this.#people = people;
    this.#chaos = new Chaos(cluster, options.random);
  }

  static async begin(cluster: ClusterProcesses, options: FaultsOptions): Promise<Campaign> {
    const books = new Books(cluster.nodes.length, options.wipes ? 2 : 1);
    const users = await signUpAll(cluster.node(0).port, options.clients);
    await cluster.converged(CONVERGENCE_MS_MAX);
    const people = await Promise.all(users.map((user, index) => {
      const first = index % cluster.nodes.length;
      const hosts = [...cluster.hosts.slice(first), ...cluster.hosts.slice(0, first)];
      const friends = users.map(({ name }) => name).filter((name) => name !== user.name);
      return Person.join(user, hosts, friends, books, new Random(options.random.below(2 ** 32)));
    }));
    return new Campaign(cluster, options, books, users, people);
  }

  async run(): Promise<void> {
    const { kills, wipes, log } = this.#options;
    const roundKills = wipes ? ROUND_KILLS_WIPING : ROUND_KILLS;
    try {
      for (let done = 0; done < kills && this.#books.faults.size === 0;) {
        const some = Math.min(roundKills, kills - done);
        await this.#round(some);
        done += some;
        const { acknowledged } = this.#books;
        log(`${done} of ${kills} kills: ${acknowledged} messages acknowledged`);
      }
    } finally {
      await Promise.all(this.#people.map((person) => person.leave()));
    }
    if (this.#books.faults.size === 0) await this.#startOver();
  }

  report(): FaultsReport {
    for (const node of this.#cluster.nodes) this.#books.report("mishap", ...node.takeMishaps());
    const total = (countOf: (person: Person) => number) =>
      this.#people.reduce((sum, person) => sum + countOf(person), 0);
    return {
      damage: this.#chaos.damage,
      books: this.#books,
      reconnects: total(({ connections }) => connections - 1),
      events: total(({ view }) => view.events),
      convergenceMs: this.#convergenceMs,
    };
  }

  async #round(kills: number): Promise<void> {
    let isOver = false;
    const working = Promise.all(this.#people.map((person) => person.work(() => isOver)));
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
      await within(SETTLING_MS_MAX, Promise.all(this.#people.map((person) => person.settle())));
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
      const told = this.#people.map((person) => person.upToDate());
      await within(SETTLING_MS_MAX, Promise.all(told));
      const mailboxes = await this.#audit();
      for (const { name, view } of this.#people) {
        const listed = [...mailboxes.get(name)?.values() ?? []].flat();
        if (this.#options.wipes) view.adopt(listed);
        else view.compare(listed);
      }
    });
    for (const node of this.#cluster.nodes) this.#books.report("mishap", ...node.takeMishaps());
  }

  /** Ends all nodes as an operator does; what they replay has to be the same again. */
  async #startOver(): Promise<void> {
    await Promise.all(this.#cluster.nodes.map((node) => node.stop()));
    await Promise.all(this.#cluster.nodes.map((node) => node.start()));
    if (await this.#converge(performance.now())) await this.#audit();
  }

  async #audit() {
    return await audit(this.#cluster.nodes.map(({ port }) => port), this.#users, this.#books);
  }

  /** Whether `work` succeeded: all that can fail here is what is looked for. */
  async #orReport(fault: "stuck" | "diverged", work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#books.report(fault, error instanceof Error ? error.message : String(error));
      return false;
    }
  }
}

async function signUpAll(port: number, count: number): Promise<Credentials[]> {
  const names = Array.from({ length: count }, (_, index) => `user${index}`);
  const users: Credentials[] = [];
  for (let at = 0; at < count; at += SIGN_UPS_AT_ONCE) {
    const some = names.slice(at, at + SIGN_UPS_AT_ONCE);
    users.push(...await Promise.all(some.map((name) => signUp(port, name, PASSWORD))));
  }
  return users;
}
