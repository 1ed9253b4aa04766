import { StorageError } from "../../server/journal/files.ts";
import { askNode } from "../../server/operator/control.ts";
import type {
  ClusterProcesses,
  NodeProcess,
  ProcessEnd,
} from "../../server/testing/cluster_processes.ts";
import { Random } from "../../server/testing/random.ts";
import type { SmallDisk } from "./small_disk.ts";
import type { WallClock } from "./wall_clock.ts";

/** What is done to a cluster. */
export const DEEDS = [
  /** Of one node, with SIGKILL. */
  "single kill",
  /** Of two at once. */
  "double kill",
  /** Of nodes that were killed and lost their disk. */
  "lost disk",
  /** With SIGTERM, as an operator does it. */
  "restart",
  "pause",
  /** Of two nodes, or of one from both others, both ways or one way, for a while. */
  "cut",
  /** Of the connections of two nodes, which may dial again at once. */
  "reset",
  /** That was begun: a kill may have ended it. */
  "compaction",
  "full disk",
  /** Nodes that ended because their disk was full. */
  "end by full disk",
  /** Or that a clock stopped. */
  "clock jump",
] as const;
export type Deed = (typeof DEEDS)[number];

/** How often each was done. */
export type Damage = Record<Deed, number>;

/** What a campaign can break besides what any cluster has. */
export interface Tools {
  /** On which one node keeps its data. */
  readonly disk?: { readonly node: NodeProcess; readonly small: SmallDisk };
  /** Of all nodes, or of none. */
  readonly clocks: readonly WallClock[];
}

/** Every so many kills is one of two nodes at once. */
const DOUBLE_EVERY = 2;
/** All in ms, at most: how long clients work before a kill, and a node stays dead. */
const LIFE_MS = 250;
const DEATH_MS = 400;
/**
 * After this a restart may be killed again although it does not serve yet, in ms: one that cannot
 * reach the others, or is paused, takes longer.
 */
const START_PATIENCE_MS = 800;
/** Before one in so many kills, a node is stopped and started as an operator does it. */
const RESTART_EVERY = 6;
/** After one in so many kills, the next does not wait for a node that starts to serve. */
const HASTE = 3;
const PAUSE_EVERY_MS = 3000;
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 4000;
/** Often, so that many are met by a kill, and that nodes come back to a journal that is gone. */
const COMPACT_EVERY_MS = 1500;
const CUT_EVERY_MS = 4000;
const CUT_MS_MIN = 100;
const CUT_MS_MAX = 4000;
const FULL_EVERY_MS = 8000;
const FULL_MS_MIN = 200;
const FULL_MS_MAX = 4000;
/** How long a node that has met a full disk may take to end, in ms. */
const LAST_WORDS_MS = 1000;
const JUMP_EVERY_MS = 3000;
const JUMP_MS_MAX = 4000;
/** How long a node may take to serve when nothing is in its way, in ms. */
const RECOVERY_MS_MAX = 30_000;

/**
 * Kills, pauses and cuts off nodes, fills their disk and sets their clocks, each in its own time, so
 * that faults meet. The same seed gives the same choices; the moments they fall on are the machine's.
 */
export class Chaos {
  readonly damage: Damage = {
    ...{ "single kill": 0, "double kill": 0, "lost disk": 0, "restart": 0, "pause": 0, "cut": 0 },
    ...{ "reset": 0, "compaction": 0, "full disk": 0, "end by full disk": 0, "clock jump": 0 },
  };
  readonly #cluster: ClusterProcesses;
  readonly #tools: Tools;
  readonly #killing: Random;
  readonly #pausing: Random;
  readonly #compacting: Random;
  readonly #cutting: readonly Random[];
  readonly #filling: Random;
  readonly #jumping: Random;
  /** Killed, and to be started by who killed them. */
  readonly #dead = new Set<NodeProcess>();
  #roundOver = Promise.withResolvers<void>();
  #isRoundOver = false;

  constructor(cluster: ClusterProcesses, tools: Tools, random: Random) {
    const fork = () => new Random(random.below(2 ** 32));
    this.#cluster = cluster;
    this.#tools = tools;
    this.#killing = fork();
    this.#pausing = fork();
    this.#cutting = [fork(), fork()];
    this.#compacting = fork();
    this.#filling = fork();
    this.#jumping = fork();
    tools.disk?.node.expectEnd((end) => this.#isEndByFullDisk(end));
  }

  /** Processes so far. */
  get kills(): number {
    return this.damage["single kill"] + 2 * this.damage["double kill"];
  }

  /**
   * Resolves when at least so many processes were killed, with nodes dead, paused and cut off as they
   * may be. With `wipe`, one of the killed loses its disk.
   */
  async round(kills: number, wipe: boolean): Promise<void> {
    const end = this.kills + kills;
    let fatal = wipe ? this.kills + this.#killing.below(kills) : Infinity;
    this.#isRoundOver = false;
    this.#roundOver = Promise.withResolvers();
    const others = [
      this.#pauseNow(),
      this.#compactNow(),
      ...this.#cutting.map((random) => this.#cutNow(random)),
      this.#fillNow(),
      this.#jumpNow(),
    ];
    while (this.kills < end) {
      const isFatal = this.kills >= fatal;
      if (isFatal) fatal = Infinity;
      await this.#kill(isFatal);
    }
    this.#isRoundOver = true;
    this.#roundOver.resolve();
    await Promise.all(others);
  }

  /** Resolves when all nodes serve, all links are whole, disks have room and clocks are right. */
  async heal(): Promise<void> {
    const { nodes } = this.#cluster;
    const { disk, clocks } = this.#tools;
    for (const [a, b] of this.#pairs()) this.#cluster.mend(a, b);
    for (const node of nodes) node.resume();
    await Promise.all(clocks.map((clock) => clock.putRight()));
    // Who has met a full disk just now still has to say so, and to end.
    if (disk !== undefined) await pause(LAST_WORDS_MS);
    await Promise.all(nodes.map((node) => within(RECOVERY_MS_MAX, serve(node))));
    disk?.small.forgive();
  }

  async #kill(wipe: boolean): Promise<void> {
    if (this.#killing.oneIn(RESTART_EVERY)) await this.#restart();
    await pause(this.#killing.below(LIFE_MS));
    const { "single kill": single, "double kill": double } = this.damage;
    const count = (single + double + 1) % DOUBLE_EVERY === 0 ? 2 : 1;
    this.damage[count === 1 ? "single kill" : "double kill"]++;
    const first = this.#killing.below(this.#cluster.nodes.length);
    const victims = Array.from(
      { length: count },
      (_, index) => this.#cluster.node((first + index) % this.#cluster.nodes.length),
    );
    for (const node of victims) this.#dead.add(node);
    await Promise.all(victims.map((node) => node.stop("SIGKILL")));
    if (wipe) await this.#wipe(victims[0]);
    const starting = victims.map((node) => this.#startLater(node));
    if (this.#killing.oneIn(HASTE)) await Promise.all(starting);
    else await Promise.all(starting.map(async (start) => await (await start).listening));
  }

  async #restart(): Promise<void> {
    await pause(this.#killing.below(LIFE_MS));
    const node = this.#cluster.node(this.#killing.below(this.#cluster.nodes.length));
    if (!node.isServing) return;
    this.damage.restart++;
    this.#dead.add(node);
    await node.stop();
    await (await this.#startLater(node)).listening;
  }

  async #wipe(node: NodeProcess | undefined): Promise<void> {
    if (node === undefined) return;
    await node.wipe();
    this.damage["lost disk"]++;
  }

  /** Starts it in a while; the promise within is when it serves, or has had time enough to. */
  async #startLater(node: NodeProcess): Promise<{ readonly listening: Promise<unknown> }> {
    await pause(this.#killing.below(DEATH_MS));
    this.#dead.delete(node);
    const listening = node.start();
    // It may be killed before it listens; that it ends by itself is a mishap which the node notes.
    return { listening: within(START_PATIENCE_MS, listening).catch(() => {}) };
  }

  async #pauseNow(): Promise<void> {
    const random = this.#pausing;
    while (await this.#calm(random.below(PAUSE_EVERY_MS))) {
      const node = this.#cluster.node(random.below(this.#cluster.nodes.length));
      const pauseMs = between(random, PAUSE_MS_MIN, PAUSE_MS_MAX);
      if (!node.isRunning) continue;
      this.damage.pause++;
      node.pause();
      await this.#calm(pauseMs);
      node.resume();
    }
  }

  async #compactNow(): Promise<void> {
    const random = this.#compacting;
    while (await this.#calm(random.below(COMPACT_EVERY_MS))) {
      const node = this.#cluster.node(random.below(this.#cluster.nodes.length));
      if (!node.isServing || node.isPaused) continue;
      this.damage.compaction++;
      try {
        await Promise.race([askNode(node.data, { command: "compact" }), this.#roundOver.promise]);
      } catch (error) {
        // It was killed in the middle, or is stopping.
        if (!(error instanceof StorageError)) throw error;
      }
    }
  }

  async #fillNow(): Promise<void> {
    const [random, { disk }] = [this.#filling, this.#tools];
    if (disk === undefined) return;
    const { node, small } = disk;
    while (await this.#calm(random.below(FULL_EVERY_MS))) {
      if (!node.isServing) continue;
      this.damage["full disk"]++;
      await small.fill();
      await this.#calm(between(random, FULL_MS_MIN, FULL_MS_MAX));
      await small.free();
      // As its operator, who has made room.
      if (!node.isRunning && !this.#dead.has(node)) node.start().catch(() => {});
    }
  }

  #isEndByFullDisk(end: ProcessEnd): boolean {
    const isSo = this.#tools.disk?.small.explains(end) ?? false;
    if (isSo) this.damage["end by full disk"]++;
    return isSo;
  }

  async #jumpNow(): Promise<void> {
    const random = this.#jumping;
    while (await this.#calm(random.below(JUMP_EVERY_MS))) {
      const clock = random.pick(this.#tools.clocks);
      if (clock === undefined) return;
      this.damage["clock jump"]++;
      await clock.jump(random);
      await this.#calm(random.below(JUMP_MS_MAX));
      // Else it stays so until it jumps again, or all is healed.
      if (random.oneIn(2)) await clock.putRight();
    }
  }

  async #cutNow(random: Random): Promise<void> {
    while (await this.#calm(random.below(CUT_EVERY_MS))) {
      const cutMs = between(random, CUT_MS_MIN, CUT_MS_MAX);
      const pairs = this.#cut(random);
      this.damage[pairs.length > 0 ? "cut" : "reset"]++;
      await this.#calm(cutMs);
      for (const [a, b] of pairs) this.#cluster.mend(a, b);
    }
  }

  /** Returns whose links it cut. */
  #cut(random: Random): readonly (readonly [number, number])[] {
    const cluster = this.#cluster;
    const [a, b] = random.pick(this.#pairs()) ?? [0, 1];
    switch (random.below(5)) {
      case 0:
        cluster.cut(a, b);
        return [[a, b]];
      case 1:
        cluster.cutOneWay(a, b);
        return [[a, b]];
      case 2:
        // As by a firewall that resets: nodes dial again at once.
        for (const link of [cluster.link(a, b), cluster.link(b, a)]) link.reset();
        return [];
      case 3:
        return this.#isolate(a, (other) => cluster.cut(a, other));
      default:
        return this.#isolate(a, (other) => cluster.cutOneWay(other, a));
    }
  }

  #isolate(node: number, cut: (other: number) => void): readonly (readonly [number, number])[] {
    const others = this.#cluster.nodes.map((_, index) => index).filter((index) => index !== node);
    for (const other of others) cut(other);
    return others.map((other) => [node, other]);
  }

  /** All ordered pairs of nodes. */
  #pairs(): (readonly [number, number])[] {
    const indexes = this.#cluster.nodes.map((_, index) => index);
    return indexes.flatMap((a) => indexes.filter((b) => b !== a).map((b) => [a, b] as const));
  }

  /** Resolves after this time, or with false when the round is over. */
  async #calm(ms: number): Promise<boolean> {
    const waited = Promise.withResolvers<void>();
    const timer = setTimeout(waited.resolve, ms);
    await Promise.race([waited.promise, this.#roundOver.promise]);
    clearTimeout(timer);
    return !this.#isRoundOver;
  }
}

/** Resolves when it serves; starts it if it does not run. */
async function serve(node: NodeProcess): Promise<void> {
  if (!node.isRunning) await node.start();
  else await node.process.listening;
}

/** Rejects if `work` takes longer than this. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const overdue = Promise.withResolvers<never>();
  const timer = setTimeout(() => overdue.reject(new Error(`not within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, overdue.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function between(random: Random, min: number, max: number): number {
  return min + random.below(max - min);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
