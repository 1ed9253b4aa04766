import { type Program, ServerProcess, unusedPort } from "../../server/testing/server_process.ts";
import {
  ClosedError,
  type Credentials,
  statusOf,
  WireClient,
} from "../../server/testing/wire_client.ts";
import { type MachineLimits, measureMachine } from "./machine.ts";
import { megabytes, print, printMachine, printRound, ratio } from "./print.ts";
import { type Plan, type Round, runRound, signUpMany, UNPACED, userOf } from "./round.ts";

const RETRY_MS = 50;

/** Measures one node, and prints what it finds. */
export class OneNodeRun {
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
      this.#users = await signUpMany(this.#port, this.#plan.accounts);
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
    this.#server = await ServerProcess.start(this.#program, this.#directory, this.#port, {
      limits: UNPACED,
    });
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
      const round = await this.#round({ clients, inFlight, ms: this.#plan.roundMs });
      rounds.push(round);
      printRound(`${clients} clients, ${inFlight} in flight`, round);
    }
    return rounds;
  }

  /** Sends what is missing to the number of messages that memory and start-up are measured at. */
  async #fill(): Promise<void> {
    const missing = Math.max(0, this.#plan.messages - this.#acknowledged);
    const round = await this.#round({ clients: 64, inFlight: 32, messages: missing });
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
      clients.map((client, index) => this.#comeBack(client, userOf(this.#users, index))),
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
    const users = Array.from(
      { length: this.#plan.idleConnections },
      (_, it) => userOf(this.#users, it),
    );
    return await Promise.all(users.map((user) => WireClient.resumed(this.#port, user)));
  }

  async #round(options: { clients: number; inFlight: number; messages?: number; ms?: number }) {
    const round = await runRound({ servers: [this.#running], users: this.#users, ...options });
    this.#acknowledged += round.messages;
    return round;
  }

  /** What was acknowledged is there, once each. */
  async #verify(): Promise<void> {
    const { messages } = await statusOf(this.#port);
    if (messages !== this.#acknowledged) {
      throw new Error(`Lost or doubled: ${this.#acknowledged} acknowledged, ${messages} there`);
    }
  }
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

/** Whether a failure only says that the node is not there yet, or not any more. */
function isAway(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof ClosedError;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
