import {
  ChatClient,
  ClosedError,
  NoSuchAccountError,
  RefusedError,
  SessionEndedError,
  UnansweredError,
  UnknownOutcomeError,
  UnreachableError,
  WrongPasswordError,
} from "../../../client/connection.ts";
import { originOf } from "../../core/operation.ts";
import { StorageError } from "../../journal/files.ts";
import { CHOICE, IMPATIENT } from "../people/person.ts";
import { Random } from "../random.ts";
import type { Machine } from "./machine.ts";
import type { Deed, FaultKind } from "./plan.ts";
import { Process } from "./scheduler.ts";
import type { World } from "./world.ts";

/** How long a machine is off, paused or cut off, in ms. */
const SHORT_MS = 150;
const LONG_MS = 4_500;
/** Long enough for a node to give up waiting for others. */
const ALONE_MS = 6_000;
const SLOWNESS = 30;
const VISITORS = 3;
/** Whatever a client may be told by a cluster that is being broken. */
const EXPECTED = [
  ClosedError,
  NoSuchAccountError,
  RefusedError,
  SessionEndedError,
  UnansweredError,
  UnknownOutcomeError,
  UnreachableError,
  WrongPasswordError,
];

/** Does deeds to a world, each at its time. */
export class Doer {
  readonly #world: World;
  readonly #process = new Process("deeds");
  /** What people do, and have no answer to. */
  readonly #underWay = new Set<Promise<void>>();
  #isOver = false;
  readonly #ways: Record<FaultKind | "act", (random: Random) => string> = {
    act: (random) => this.#act(random),
    kill: (random) => this.#kill(random),
    "power cut": (random) => this.#cutPower(random),
    restart: (random) => this.#restart(random),
    pause: (random) => this.#pause(random),
    cut: (random) => this.#cut(random),
    isolate: (random) => this.#isolate(random),
    reset: (random) => this.#reset(random),
    "cut off": (random) => this.#cutOff(random),
    sleep: (random) => this.#sleep(random),
    compact: (random) => this.#compact(random),
    "slow disk": (random) => this.#slowDisk(random),
    "full disk": (random) => this.#fillDisk(random),
    "failing disk": (random) => this.#failDisk(random),
    clock: (random) => this.#disturbClock(random),
    "newer version": (random) => this.#tellNews(random),
    visitor: (random) => this.#visit(random),
    "lost disk": (random) => this.#loseDisk(random),
  };

  constructor(world: World) {
    this.#world = world;
  }

  /** Schedules all deeds, from now on. */
  schedule(deeds: readonly Deed[]): void {
    for (const { atMs, kind, seed, number } of deeds) {
      this.#world.scheduler.after(this.#process, atMs * 1000, `deed ${number}: ${kind}`, () => {
        const what = this.#ways[kind](new Random(seed));
        this.#world.scheduler.note(`#${number}`, what);
      });
    }
  }

  /** Nothing more is done. */
  stop(): void {
    this.#isOver = true;
    this.#process.end();
  }

  /** Resolves when all that people asked for is answered or given up. */
  async answered(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #act(random: Random): string {
    const person = random.pick(this.#world.people);
    const act = random.pick(CHOICE);
    if (person === undefined || act === undefined) return "nobody is there";
    this.#await(person.act(act, random));
    return `${person.name}: ${act}`;
  }

  #kill(random: Random): string {
    const machine = this.#machine(random);
    machine.kill();
    return `${machine.name} is killed, ${this.#startLater(machine, random)}`;
  }

  #cutPower(random: Random): string {
    const first = this.#machine(random);
    const victims = this.#world.machines.filter((one) => one === first || random.oneIn(3));
    const ends = victims.map((machine) => {
      // In the middle of its work, or when that is on disk the least.
      if (random.oneIn(2)) machine.losePower();
      else machine.disk.beforeNextSync = () => machine.losePower();
      return `${machine.name} loses power, ${this.#startLater(machine, random)}`;
    });
    return ends.join("; ");
  }

  #restart(random: Random): string {
    const machine = this.#machine(random);
    const later = this.#later(random, () => machine.start());
    // It may be killed before it is through.
    machine.stop().catch((error) => this.#unexpected(error));
    return `${machine.name} is stopped, and started ${later}`;
  }

  #pause(random: Random): string {
    const machine = this.#machine(random);
    machine.pause();
    const timersFirst = random.oneIn(2);
    return `${machine.name} stands still, until ${
      this.#later(random, () => machine.resume(timersFirst))
    }`;
  }

  #cut(random: Random): string {
    const [a, b] = this.#pair(random);
    const isOneWay = random.oneIn(2);
    return this.#cutBetween(random, isOneWay ? [[a, b]] : [[a, b], [b, a]]);
  }

  #isolate(random: Random): string {
    const { name } = this.#machine(random);
    const way = random.below(3);
    const pairs = this.#world.machines.filter((other) => other.name !== name)
      .flatMap((other): [string, string][] => {
        const both: [string, string][] = [[name, other.name], [other.name, name]];
        return way === 2 ? both : [both[way] ?? [name, other.name]];
      });
    return this.#cutBetween(random, pairs);
  }

  #reset(random: Random): string {
    const [a, b] = this.#pair(random);
    this.#world.network.reset(a, b);
    return `connections of ${a} and ${b} are reset`;
  }

  #cutOff(random: Random): string {
    const client = random.pick(this.#world.clientNames()) ?? "";
    const { name } = this.#machine(random);
    const way = random.below(3);
    const both: [string, string][] = [[client, name], [name, client]];
    return this.#cutBetween(random, way === 2 ? both : [both[way] ?? [client, name]]);
  }

  #sleep(random: Random): string {
    const client = random.pick(this.#world.clientNames()) ?? "";
    this.#world.sleep(client);
    return `${client} sleeps, until ${this.#later(random, () => this.#world.wake(client))}`;
  }

  #compact(random: Random): string {
    const { name, node } = this.#machine(random);
    node?.compact().catch((error) => {
      // It is stopping, or its disk fails.
      if (!(error instanceof StorageError)) this.#world.report(`${name} compacts: ${error}`);
    });
    return `${name} compacts`;
  }

  #slowDisk(random: Random): string {
    const { name, disk } = this.#machine(random);
    const { callUs, syncUs } = this.#world.plan.diskSpeed;
    disk.speed = { callUs: callUs * SLOWNESS, syncUs: syncUs * SLOWNESS };
    const until = this.#later(random, () => disk.speed = this.#world.plan.diskSpeed);
    return `the disk of ${name} is slow, until ${until}`;
  }

  #fillDisk(random: Random): string {
    const machine = this.#machine(random);
    machine.disk.isFull = true;
    const until = this.#later(random, () => {
      machine.disk.isFull = false;
      machine.start();
    });
    return `the disk of ${machine.name} is full, until ${until}`;
  }

  #failDisk(random: Random): string {
    const machine = this.#machine(random);
    machine.disk.failingSyncs = 1 + random.below(3);
    const until = this.#later(random, () => {
      machine.disk.failingSyncs = 0;
      machine.start();
    });
    return `the disk of ${machine.name} fails, until ${until}`;
  }

  #disturbClock(random: Random): string {
    const { name, clock } = this.#machine(random);
    return `the clock of ${name} ${clock.disturb(random)}`;
  }

  /** As if a node of a newer version, which is gone by now, had told of it. */
  #tellNews(random: Random): string {
    const { name, node, clock } = this.#machine(random);
    if (node === undefined) return `${name} is off`;
    const origin = originOf("node4", random.bytes(4).toHex());
    const stamp = { timeMs: clock.nowMs(), tick: 0 };
    const line = JSON.stringify({
      ...{ operation: "react", with: "👍", time: stamp.timeMs, tick: 0, origin, seq: 1 },
    });
    // Who is closing down takes nothing more.
    void node.commit.accept([{ kind: "unknown", line, ...stamp, origin, seq: 1 }]);
    return `${name} hears of what it does not understand`;
  }

  #visit(random: Random): string {
    const index = random.below(VISITORS);
    const host = random.below(this.#world.machines.length);
    this.#await(this.#stay(`visitor${index}`, host, random));
    return `visitor${index} comes to node${host + 1}`;
  }

  /** Among themselves: nobody else knows them. */
  async #stay(user: string, host: number, random: Random, giveUpMs = 1_000): Promise<void> {
    const client = new ChatClient({
      hosts: this.#world.hostsFrom(host).slice(0, 1),
      outside: this.#world.outsideOf(user),
      timeouts: { ...IMPATIENT, signInGiveUpMs: giveUpMs, giveUpMs },
    });
    try {
      const password = (version: number) => `the password ${version} of ${user}`;
      const version = random.below(2);
      await client.signIn({ user, password: password(version), create: true });
      await client.send(`visitor${random.below(VISITORS)}`, `from ${user}, ${random.below(1e6)}`);
      if (random.oneIn(3)) await client.changePassword(password(version), password(1 - version));
      if (random.oneIn(3)) await client.deleteAccount();
    } catch (error) {
      if (!EXPECTED.some((kind) => error instanceof kind)) throw error;
    } finally {
      await client.close();
    }
  }

  #loseDisk(random: Random): string {
    const machine = this.#machine(random);
    const { lostDisks, plan } = this.#world;
    // Nothing is promised for more.
    if (!lostDisks.has(machine) && lostDisks.size === plan.disksLost) return "all other disks hold";
    lostDisks.add(machine);
    const { disk, name } = machine;
    const way = random.below(3);
    const startAgain = random.oneIn(3)
      ? () => this.#startAlone(machine, random)
      : () => this.#startLater(machine, random);
    if (way === 0) {
      machine.replaceDisk(() => disk.wipe());
      return `the disk of ${name} is lost, ${startAgain()}`;
    }
    const asFiles = random.oneIn(2);
    const putBack = disk.copy(asFiles);
    const when = this.#later(random, () => {
      machine.replaceDisk(putBack);
      startAgain();
    });
    return `the disk of ${name} is put back ${asFiles ? "as files, " : ""}to what it was, ${when}`;
  }

  #cutBetween(random: Random, pairs: readonly (readonly [string, string])[]): string {
    for (const [from, to] of pairs) this.#world.network.cut(from, to);
    const until = this.#later(random, () => {
      for (const [from, to] of pairs) this.#world.network.mend(from, to);
    });
    const ways = pairs.map(([from, to]) => `${from} to ${to}`).join(", ");
    return `nothing comes from ${ways}, until ${until}`;
  }

  #startLater(machine: Machine, random: Random): string {
    return `and started ${this.#later(random, () => machine.start())}`;
  }

  /** Before anybody can tell it what it has lost, somebody signs up there. */
  #startAlone(machine: Machine, random: Random): string {
    const { machines, scheduler, network } = this.#world;
    const others = machines.filter((other) => other !== machine);
    for (const { name } of others) {
      network.cut(machine.name, name);
      network.cut(name, machine.name);
      scheduler.after(this.#process, ALONE_MS * 1000, "undo", () => {
        network.mend(machine.name, name);
        network.mend(name, machine.name);
      });
    }
    const when = this.#later(random, () => {
      machine.start();
      const visitor = `visitor${random.below(VISITORS)}`;
      this.#await(this.#stay(visitor, machines.indexOf(machine), random, ALONE_MS));
    });
    return `and started ${when}, while nothing comes from it and to it from other nodes`;
  }

  /** Unless all is over by then. */
  #later(random: Random, action: () => void): string {
    const delayMs = random.between(SHORT_MS, random.oneIn(3) ? LONG_MS : 1_000);
    const { scheduler } = this.#world;
    scheduler.after(this.#process, delayMs * 1000, "undo", action);
    return `${(scheduler.nowMs + delayMs).toFixed(0)} ms`;
  }

  #await(work: Promise<void>): void {
    const done = work.catch((error) => this.#unexpected(error)).finally(() =>
      this.#underWay.delete(done)
    );
    this.#underWay.add(done);
  }

  #unexpected(error: unknown): void {
    const what = error instanceof Error ? error.stack : String(error);
    if (!this.#isOver) this.#world.report(`nobody expects ${what}`);
  }

  #machine(random: Random): Machine {
    const { machines } = this.#world;
    return machines[random.below(machines.length)] as Machine;
  }

  #pair(random: Random): [string, string] {
    const first = random.below(3);
    const second = (first + 1 + random.below(2)) % 3;
    const nameOf = (index: number) => this.#world.machines[index]?.name ?? "";
    return [nameOf(first), nameOf(second)];
  }
}
