import { createHash } from "node:crypto";
import type { ServerConfig } from "../../config.ts";
import { StorageError } from "../../journal/files.ts";
import { ChatNode } from "../../node.ts";
import type { Outside } from "../../outside.ts";
import type { Passwords } from "../../requests/context.ts";
import { uuidOf } from "../people/person.ts";
import type { Random } from "../random.ts";
import type { SimulatedDisk } from "./disk.ts";
import type { SimulatedNetwork } from "./network.ts";
import { Process, type Scheduler } from "./scheduler.ts";
import type { WallClock } from "./wall_clock.ts";
import type { Witness } from "./witness.ts";

export interface MachineParts {
  readonly name: string;
  readonly config: ServerConfig;
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  readonly clock: WallClock;
  readonly random: Random;
  readonly witness: Witness;
  /** Something that must not happen. */
  readonly report: (violation: string) => void;
  /** Something that a run is to have in it. */
  readonly count: (what: Milestone) => void;
}

/** What shows that a node was in trouble, and how it got out. */
export const MILESTONES = {
  "torn tails cut": /^cut an unfinished batch/,
  "epochs renewed": /^(started|begins) a new epoch/,
  "journals begun anew": /^started an empty journal/,
  "streams between nodes": /^in sync with/,
  "ends by a failing disk": undefined,
  "states merged": undefined,
} as const;
export type Milestone = keyof typeof MILESTONES;

/** Where its node keeps its data, on a disk of its own. */
export const DATA = "/data/node";
/** The longest that the event loop takes to come round, in µs. */
const TURN_US = 60;
/** How late a timer may be, in µs. */
const TIMER_LATE_US = 1500;
/** How long a password takes to be hashed, in µs. */
const HASHING_US = { min: 2_000, end: 20_000 };

/** One machine of the cluster, and the node that runs on it, if it runs. */
export class Machine {
  readonly name: string;
  readonly disk: SimulatedDisk;
  readonly clock: WallClock;
  readonly #parts: MachineParts;
  #process: Process | undefined;
  #node: ChatNode | undefined;
  #isServing = false;
  #isStopping = false;
  /** Whether a node that ends by itself is started again, as a supervisor does. */
  isSupervised = false;
  /** The next node starts on a disk that was put back or replaced. */
  #isDiskReplaced = false;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.disk = parts.disk;
    this.clock = parts.clock;
  }

  /** The node, once it has read its disk, as long as it runs. */
  get node(): ChatNode | undefined {
    return this.#node;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  get isPaused(): boolean {
    return this.#process?.isPaused ?? false;
  }

  /** Whether clients are served. */
  get isServing(): boolean {
    return this.#isServing;
  }

  /** Of several, as while a cluster is being upgraded. */
  get #version(): string {
    return this.#parts.random.pick(["0.9.0-sim", "1.0.0-sim", "1.1.0-sim"]);
  }

  /** Unless it runs. One that is about to stop is not waited for. */
  start(): void {
    if (this.#isStopping) this.kill();
    if (this.#process !== undefined) return;
    this.#parts.network.machineIsUp(this.name);
    const process = new Process(this.name);
    this.#process = process;
    this.#run(process).catch((error) => this.#exit(process, error));
  }

  /** With SIGKILL: the system goes on, with what was written. */
  kill(): void {
    this.#end(false);
  }

  /** The machine is off: whatever was not synced may be lost, and nobody is told. */
  losePower(): void {
    this.#end(true);
    this.disk.losePower();
  }

  pause(): void {
    this.#process?.pause();
  }

  resume(timersFirst: boolean): void {
    if (this.#process?.isPaused) this.#parts.scheduler.resume(this.#process, timersFirst);
  }

  /** With SIGTERM, as an operator does it. */
  async stop(): Promise<void> {
    const [node, process] = [this.#node, this.#process];
    if (node === undefined || process === undefined || !this.#isServing) return this.kill();
    this.#isServing = false;
    this.#isStopping = true;
    this.#parts.network.refuseClients(process);
    await node.drain();
    await node.directory.close();
    if (this.#process === process) this.kill();
  }

  /** Kills the node and changes its disk behind its back. */
  replaceDisk(replace: () => void): void {
    this.kill();
    replace();
    this.#isDiskReplaced = true;
  }

  #end(isMachineDown: boolean): void {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    this.#node = undefined;
    this.#isServing = false;
    this.#isStopping = false;
    process.end();
    this.#parts.network.ended(process, isMachineDown);
    this.disk.processEnded();
  }

  async #run(process: Process): Promise<void> {
    const { config, name, network, witness } = this.#parts;
    const outside = this.#outsideOf(process);
    const node = await ChatNode.open({
      ...{ config, node: config.getCurrentNode(name), dataDirectory: DATA, version: this.#version },
      passwords: this.#passwordsOf(process),
      log: (line) => this.#say(process, line),
    }, outside);
    node.failed.catch((error) => this.#exit(process, error));
    if (this.#isDiskReplaced) witness.wasReplaced(name, node.state.vector);
    else witness.opened(name, node.state.vector);
    this.#isDiskReplaced = false;
    this.#node = node;
    await node.joinCluster({
      transport: network.transportOf(process),
      listen(cluster) {
        network.listenForNodes(process, (stream) => cluster.welcome(stream));
        return Promise.resolve({ servingChanged() {}, close: () => Promise.resolve() });
      },
    });
    node.beginServing();
    this.#isServing = true;
    network.listenForClients(process, (connection) => node.welcome(connection));
  }

  /** The program ends by itself, which only a disk that failed explains. */
  #exit(process: Process, error: unknown): void {
    if (process !== this.#process) return;
    const isExcused = error instanceof StorageError && this.disk.isToBlame;
    const why = error instanceof Error ? isExcused ? error.message : error.stack : String(error);
    this.#parts.scheduler.note(this.name, `exits: ${why}`);
    if (isExcused) this.#parts.count("ends by a failing disk");
    else this.#parts.report(`${this.name} ended by itself: ${why}`);
    this.kill();
    if (this.isSupervised) this.start();
  }

  #say(process: Process, line: string): void {
    if (!process.isAlive) return;
    this.#parts.scheduler.note(this.name, `says: ${line}`);
    for (const [what, says] of Object.entries(MILESTONES)) {
      if (says?.test(line)) this.#parts.count(what as Milestone);
    }
    if (line.includes("a bug")) this.#parts.report(`${this.name} has a bug: ${line}`);
  }

  #outsideOf(process: Process): Outside {
    const { scheduler, disk, clock } = this.#parts;
    const random = this.#parts.random.fork();
    const startedMs = scheduler.nowMs;
    return {
      files: disk.filesOf(process),
      timer: {
        nowMs: () => scheduler.nowMs - startedMs,
        after: (delayMs, action) => {
          const delayUs = delayMs * 1000 + random.below(TIMER_LATE_US);
          return scheduler.after(process, delayUs, "timer", action, { isTimer: true });
        },
      },
      wallMs: () => clock.nowMs(),
      nextTurn: () =>
        new Promise((resolve) => {
          scheduler.after(process, random.below(TURN_US), "turn", resolve);
        }),
      random: () => random.fraction(),
      randomBytes: (count) => random.bytes(count),
      uuid: () => uuidOf(random),
    };
  }

  /** As quick as a password of no worth is, and as much after the fact. */
  #passwordsOf(process: Process): Passwords {
    const { scheduler } = this.#parts;
    const random = this.#parts.random.fork();
    const later = <T>(value: T) =>
      new Promise<T>((resolve) => {
        const delayUs = random.between(HASHING_US.min, HASHING_US.end);
        scheduler.after(process, delayUs, "hashed a password", () => resolve(value));
      });
    return {
      hash: (password) => later(hashOf(password)),
      matches: (password, stored) => later(stored === hashOf(password)),
    };
  }
}

/** In the form that journals take, at no cost. */
function hashOf(password: string): string {
  return `scrypt$2$1$1$AAAA$${createHash("sha256").update(password).digest("base64url")}`;
}
