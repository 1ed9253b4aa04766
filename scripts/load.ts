/**
 * Measures a real server process from a process of its own, and this machine's limits in the same
 * run, so that numbers of different machines can be compared by their ratios.
 *
 *     deno task bench:load [--chat ./chat | --source] [--quick] [--scratch DIR]
 *
 * `--source` runs main.ts instead of the executable, `--quick` takes seconds (for CI), `--scratch`
 * is where the data goes, on the disk that is to be measured.
 */

import { parseArgs } from "@std/cli/parse-args";
import {
  executable,
  fromSource,
  type Program,
  ServerProcess,
  unusedPort,
} from "../server/testing/server_process.ts";
import {
  ClosedError,
  type Credentials,
  signUp,
  statusOf,
  WireClient,
} from "../server/testing/wire_client.ts";
import { type MachineLimits, measureMachine } from "./load/machine.ts";
import { Sender } from "./load/sender.ts";

interface Plan {
  readonly machineMs: number;
  readonly roundMs: number;
  readonly accounts: number;
  readonly idleConnections: number;
  readonly messages: number;
}

const FULL: Plan = {
  machineMs: 3000,
  roundMs: 8000,
  accounts: 64,
  idleConnections: 1000,
  messages: 1_000_000,
};
const QUICK: Plan = {
  machineMs: 300,
  roundMs: 500,
  accounts: 4,
  idleConnections: 100,
  messages: 10_000,
};
/** Sign-ups at once: each keeps a core busy for 0.2 s. */
const SIGN_UPS_AT_ONCE = 4;
const PASSWORD = "a password of the load generator";
const RETRY_MS = 50;

interface Round {
  readonly messagesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerMessage: number;
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    boolean: ["quick", "source"],
    string: ["chat", "scratch"],
    default: { chat: "./chat" },
  });
  const program = flags.source ? fromSource : await builtProgram(flags.chat);
  const scratch = await Deno.makeTempDir({
    prefix: "chat-load-",
    ...flags.scratch !== undefined && { dir: flags.scratch },
  });
  try {
    const run = new LoadRun(program, scratch, flags.quick ? QUICK : FULL);
    await run.all();
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function builtProgram(path: string): Promise<Program> {
  try {
    return executable(await Deno.realPath(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error(`There is no ${path}: run \`deno task build\`, or use --source.`);
    Deno.exit(1);
  }
}

class LoadRun {
  readonly #program: Program;
  readonly #directory: string;
  readonly #plan: Plan;
  /** The same at every start, so that clients find the server again. */
  readonly #port = unusedPort();
  #server: ServerProcess | undefined;
  #users: readonly Credentials[] = [];
  #acknowledged = 0;

  constructor(program: Program, directory: string, plan: Plan) {
    this.#program = program;
    this.#directory = directory;
    this.#plan = plan;
  }

  async all(): Promise<void> {
    const machine = await measureMachine(this.#directory, this.#plan.machineMs);
    printMachine(machine);
    try {
      await this.#start();
      print("memory, 0 connections", megabytes(await this.#running.residentBytes()));
      this.#users = await this.#signUpAll();
      await this.#measureIdle();
      await this.#measureComeback();
      const rounds = await this.#measureRounds();
      await this.#fill();
      await this.#measureStart();
      printRatios(machine, rounds);
    } finally {
      await this.#server?.stop("SIGKILL");
    }
  }

  get #running(): ServerProcess {
    if (this.#server === undefined) throw new Error("Cannot measure: no server runs");
    return this.#server;
  }

  async #start(): Promise<void> {
    this.#server = await ServerProcess.start(this.#program, this.#directory, this.#port);
  }

  async #signUpAll(): Promise<Credentials[]> {
    const names = Array.from(
      { length: this.#plan.accounts },
      (_, index) => `load${String(index).padStart(3, "0")}`,
    );
    const users: Credentials[] = [];
    for (let at = 0; at < names.length; at += SIGN_UPS_AT_ONCE) {
      const some = names.slice(at, at + SIGN_UPS_AT_ONCE);
      users.push(...await Promise.all(some.map((name) => signUp(this.#port, name, PASSWORD))));
    }
    return users;
  }

  async #measureIdle(): Promise<void> {
    const clients = await this.#signInMany();
    const memory = megabytes(await this.#running.residentBytes());
    print(`memory, ${clients.length.toLocaleString("en")} idle connections`, memory);
    for (const client of clients) client.close();
  }

  async #measureRounds(): Promise<Round[]> {
    const rounds: Round[] = [];
    for (const [clients, inFlight] of [[1, 1], [16, 1], [64, 1], [64, 32]] as const) {
      const round = await this.#round(clients, inFlight, Infinity, this.#plan.roundMs);
      rounds.push(round);
      printRound(`${clients} clients, ${inFlight} in flight`, round);
    }
    return rounds;
  }

  /** Sends what is missing to the number of messages that memory and start-up are measured at. */
  async #fill(): Promise<void> {
    const missing = Math.max(0, this.#plan.messages - this.#acknowledged);
    const round = await this.#round(64, 32, missing, Infinity);
    const count = this.#acknowledged.toLocaleString("en");
    if (missing > 0) printRound(`64 clients, 32 in flight, up to ${count} messages`, round);
    print(`memory, ${count} messages`, megabytes(await this.#running.residentBytes()));
    await this.#verify();
  }

  async #measureStart(): Promise<void> {
    await this.#running.stop();
    const startMs = performance.now();
    await this.#start();
    await this.#verify();
    const seconds = (performance.now() - startMs) / 1000;
    const count = this.#acknowledged.toLocaleString("en");
    print(`start to STATUS, ${count} messages`, `${seconds.toFixed(2)} s`);
    print("memory after that start", megabytes(await this.#running.residentBytes()));
  }

  /** Kills the node under its clients, starts it again, and waits until all are back. */
  async #measureComeback(): Promise<void> {
    const clients = await this.#signInMany();
    const back = Promise.all(
      clients.map((client, index) => this.#comeBack(client, this.#user(index))),
    );
    // Looked at below: a failure before that must not end the process and leave the server behind.
    back.catch(() => {});
    const killedMs = performance.now();
    await this.#running.stop("SIGKILL");
    await this.#start();
    const listeningMs = performance.now();
    const returned = await back;
    const backMs = performance.now();
    print(
      `${returned.length.toLocaleString("en")} clients back after SIGKILL`,
      `${((backMs - killedMs) / 1000).toFixed(2)} s, ` +
        `${((backMs - listeningMs) / 1000).toFixed(2)} s after the node listened`,
    );
    await this.#verify();
    for (const client of returned) client.close();
  }

  async #comeBack(client: WireClient, user: Credentials): Promise<WireClient> {
    await client.closed;
    for (;;) {
      try {
        return await WireClient.resumed(this.#port, user);
      } catch (error) {
        if (!isAway(error)) throw error;
        await pause(RETRY_MS * (1 + Math.random()));
      }
    }
  }

  async #signInMany(): Promise<WireClient[]> {
    const users = Array.from({ length: this.#plan.idleConnections }, (_, it) => this.#user(it));
    return await Promise.all(users.map((user) => WireClient.resumed(this.#port, user)));
  }

  #user(index: number): Credentials {
    const user = this.#users[index % this.#users.length];
    if (user === undefined) throw new Error("Cannot sign in: nobody has signed up");
    return user;
  }

  async #round(clients: number, inFlight: number, messages: number, ms: number): Promise<Round> {
    const recipients = this.#users.map(({ name }) => name);
    const senders = await Promise.all(
      Array.from({ length: clients }, (_, index) => {
        const first = index % recipients.length;
        const turned = [...recipients.slice(first), ...recipients.slice(0, first)];
        return Sender.connect(this.#port, this.#user(index), inFlight, turned);
      }),
    );
    const cpuBefore = await this.#running.cpuSeconds();
    const startMs = performance.now();
    const budget = { left: messages };
    await Promise.all(senders.map((sender) => sender.run(budget, startMs + ms)));
    const seconds = (performance.now() - startMs) / 1000;
    const cpuSeconds = await this.#running.cpuSeconds() - cpuBefore;
    for (const sender of senders) sender.close();
    const latencies = Float64Array.from(senders.flatMap((it) => it.latenciesMs)).sort();
    this.#acknowledged += latencies.length;
    return {
      messagesPerSecond: latencies.length / seconds,
      p50Ms: latencies[Math.floor(latencies.length * 0.5)] ?? 0,
      p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
      cpuMicrosPerMessage: cpuSeconds * 1e6 / Math.max(1, latencies.length),
    };
  }

  /** What was acknowledged is there, once each. */
  async #verify(): Promise<void> {
    const { messages } = await statusOf(this.#port);
    if (messages !== this.#acknowledged) {
      throw new Error(`Lost or doubled: ${this.#acknowledged} acknowledged, ${messages} there`);
    }
  }
}

function printMachine(limits: MachineLimits): void {
  print("machine: fsyncs/s", perSecond(limits.fsyncsPerSecond));
  print("machine: TCP ping-pongs/s, 1 connection", perSecond(limits.pingPongsPerSecond1));
  print("machine: TCP ping-pongs/s, 64 connections", perSecond(limits.pingPongsPerSecond64));
}

function printRound(name: string, round: Round): void {
  print(
    name,
    `${perSecond(round.messagesPerSecond)} messages/s, p50 ${round.p50Ms.toFixed(2)} ms, ` +
      `p99 ${round.p99Ms.toFixed(2)} ms, CPU ${round.cpuMicrosPerMessage.toFixed(1)} µs/message`,
  );
}

function printRatios(machine: MachineLimits, [one, , many, pipelined]: readonly Round[]): void {
  const print64 = (name: string, round: Round | undefined) => {
    if (round === undefined) return;
    print(name, ratio(round.messagesPerSecond / machine.pingPongsPerSecond64));
  };
  if (one !== undefined) {
    print("ratio: 1 client to fsyncs", ratio(one.messagesPerSecond / machine.fsyncsPerSecond));
  }
  print64("ratio: 64 clients to 64 ping-pongs", many);
  print64("ratio: 64 clients, 32 in flight to 64 ping-pongs", pipelined);
}

function print(name: string, value: string): void {
  console.log(`${name.padEnd(48)} ${value}`);
}

function perSecond(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function ratio(value: number): string {
  return value.toFixed(2);
}

/** Whether a failure only says that the node is not there yet, or not any more. */
function isAway(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof ClosedError;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) await main();
