import { StorageError } from "../../server/journal/files.ts";
import { askNode } from "../../server/operator/control.ts";
import type { ClusterProcesses, NodeProcess } from "../../server/testing/cluster_processes.ts";
import { Random } from "../random.ts";

/** What was done to a cluster. */
export interface Damage {
  /** Of one node, with SIGKILL. */
  single: number;
  /** Of two at once. */
  double: number;
  /** Of nodes that were killed and lost their disk. */
  wipes: number;
  /** With SIGTERM, as an operator does it. */
  restarts: number;
  pauses: number;
  cuts: number;
  /** That were begun: a kill may have ended some. */
  compactions: number;
}

/** Every so many kills is one of two nodes at once. */
const DOUBLE_EVERY = 3;
/** All in ms, at most: how long clients work before a kill, and a node stays dead. */
const LIFE_MS = 700;
const DEATH_MS = 1000;
/** After this a restart is killed again although it does not serve yet, in ms. */
const START_PATIENCE_MS = 3000;
/** Before one in so many kills, a node is stopped and started as an operator does it. */
const RESTART_EVERY = 4;
/** One in so many is killed again without waiting for it to serve. */
const HASTE = 4;
const PAUSE_EVERY_MS = 4000;
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 5000;
/** Often, so that many are met by a kill, and that nodes come back to a journal that is gone. */
const COMPACT_EVERY_MS = 1500;
const CUT_EVERY_MS = 4000;
const CUT_MS_MIN = 100;
const CUT_MS_MAX = 4000;
/** How long a node may take to serve when nothing is in its way, in ms. */
const RECOVERY_MS_MAX = 30_000;

/**
 * Kills, pauses and cuts off nodes, each in its own time, so that faults meet. The same seed gives
 * the same choices; the moments they fall on are the machine's.
 */
export class Chaos {
  readonly damage: Damage = {
    ...{ single: 0, double: 0, wipes: 0, restarts: 0, pauses: 0, cuts: 0 },
    compactions: 0,
  };
  readonly #cluster: ClusterProcesses;
  readonly #killing: Random;
  readonly #pausing: Random;
  readonly #compacting: Random;
  readonly #cutting: readonly Random[];
  #roundOver = Promise.withResolvers<void>();
  #isRoundOver = false;

  constructor(cluster: ClusterProcesses, random: Random) {
    const fork = () => new Random(random.below(2 ** 32));
    this.#cluster = cluster;
    this.#killing = fork();
    this.#pausing = fork();
    this.#cutting = [fork(), fork()];
    this.#compacting = fork();
  }

  /**
   * Resolves after so many kills, with nodes dead, paused and cut off as they may be. With `wipe`,
   * one of the killed loses its disk.
   */
  async round(kills: number, wipe: boolean): Promise<void> {
    const fatal = wipe ? this.#killing.below(kills) : undefined;
    this.#isRoundOver = false;
    this.#roundOver = Promise.withResolvers();
    const others = [
      this.#pauseNow(),
      this.#compactNow(),
      ...this.#cutting.map((random) => this.#cutNow(random)),
    ];
    for (let kill = 0; kill < kills; kill++) await this.#kill(kill === fatal);
    this.#isRoundOver = true;
    this.#roundOver.resolve();
    await Promise.all(others);
  }

  /** Resolves when all nodes serve and all links are whole. */
  async heal(): Promise<void> {
    const { nodes } = this.#cluster;
    for (const [a, b] of this.#pairs()) this.#cluster.mend(a, b);
    for (const node of nodes) node.resume();
    await Promise.all(nodes.map((node) => within(RECOVERY_MS_MAX, serve(node))));
  }

  async #kill(wipe: boolean): Promise<void> {
    if (this.#killing.oneIn(RESTART_EVERY)) await this.#restart();
    await pause(this.#killing.below(LIFE_MS));
    const { single, double } = this.damage;
    const count = (single + double + 1) % DOUBLE_EVERY === 0 ? 2 : 1;
    if (count === 1) this.damage.single++;
    else this.damage.double++;
    const first = this.#killing.below(this.#cluster.nodes.length);
    const victims = Array.from(
      { length: count },
      (_, index) => this.#cluster.node((first + index) % this.#cluster.nodes.length),
    );
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
    this.damage.restarts++;
    await node.stop();
    await (await this.#startLater(node)).listening;
  }

  async #wipe(node: NodeProcess | undefined): Promise<void> {
    if (node === undefined) return;
    await node.wipe();
    this.damage.wipes++;
  }

  /** Starts it in a while; the promise within is when it serves, or has had time enough to. */
  async #startLater(node: NodeProcess): Promise<{ readonly listening: Promise<unknown> }> {
    await pause(this.#killing.below(DEATH_MS));
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
      this.damage.pauses++;
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
      this.damage.compactions++;
      try {
        await Promise.race([askNode(node.data, "compact"), this.#roundOver.promise]);
      } catch (error) {
        // It was killed in the middle, or is stopping.
        if (!(error instanceof StorageError)) throw error;
      }
    }
  }

  async #cutNow(random: Random): Promise<void> {
    while (await this.#calm(random.below(CUT_EVERY_MS))) {
      const cutMs = between(random, CUT_MS_MIN, CUT_MS_MAX);
      const pairs = this.#cut(random);
      this.damage.cuts++;
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

/** Resolves when it serves; starts it if it does not run, also if it was ended meanwhile. */
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
