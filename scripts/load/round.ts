import type { Limits } from "../../server/limits.ts";
import type { ServerProcess } from "../../server/testing/server_process.ts";
import { type Credentials, type Door, signUp } from "../../server/testing/wire_client.ts";
import { Sender } from "./sender.ts";

/** A few accounts send here what many people would. */
export const UNPACED: Partial<Limits> = {
  messageBurst: 1_000_000_000,
  messagesPerSecond: 1_000_000_000,
};

/** What is to be measured, and for how long. */
export interface Plan {
  readonly machineMs: number;
  readonly roundMs: number;
  readonly accounts: number;
  readonly idleConnections: number;
  readonly messages: number;
  /** Of which the time from sending on one node to the event on another is taken. */
  readonly timedEvents: number;
}

export const FULL: Plan = {
  machineMs: 3000,
  roundMs: 8000,
  accounts: 64,
  idleConnections: 1000,
  messages: 1_000_000,
  timedEvents: 5000,
};
export const QUICK: Plan = {
  machineMs: 300,
  roundMs: 500,
  accounts: 4,
  idleConnections: 100,
  messages: 10_000,
  timedEvents: 100,
};

/** Sign-ups at once: each keeps a core busy for 0.2 s. */
const SIGN_UPS_AT_ONCE = 4;
const PASSWORD = "a password of the load generator";

export async function signUpMany(door: Door, count: number): Promise<Credentials[]> {
  const names = Array.from(
    { length: count },
    (_, index) => `load${String(index).padStart(3, "0")}`,
  );
  const users: Credentials[] = [];
  for (let at = 0; at < names.length; at += SIGN_UPS_AT_ONCE) {
    const some = names.slice(at, at + SIGN_UPS_AT_ONCE);
    users.push(...await Promise.all(some.map((name) => signUp(door, name, PASSWORD))));
  }
  return users;
}

/** Whoever signs in as the `index`-th client. */
export function userOf(users: readonly Credentials[], index: number): Credentials {
  const user = users[index % users.length];
  if (user === undefined) throw new Error("Cannot sign in: nobody has signed up");
  return user;
}

/** Senders on these doors in turn, each of which sends to all users. */
export async function connectSenders(
  doors: readonly Door[],
  users: readonly Credentials[],
  clients: number,
  inFlight: number,
): Promise<Sender[]> {
  const recipients = users.map(({ name }) => name);
  return await Promise.all(Array.from({ length: clients }, (_, index) => {
    const first = index % recipients.length;
    const turned = [...recipients.slice(first), ...recipients.slice(0, first)];
    const door = doors[index % doors.length] ?? 0;
    return Sender.connect(door, userOf(users, index), inFlight, turned);
  }));
}

export interface RoundOptions {
  /** All whose CPU time is counted. Clients connect to these in turn… */
  readonly servers: readonly ServerProcess[];
  /** …unless this says to which. */
  readonly doors?: readonly Door[];
  readonly users: readonly Credentials[];
  readonly clients: number;
  readonly inFlight: number;
  /** It ends after so many, or after so long. */
  readonly messages?: number;
  readonly ms?: number;
}

export interface Round {
  readonly messages: number;
  readonly messagesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of each server. */
  readonly cpuMicrosPerMessage: readonly number[];
}

/** Closed loops: each client sends the next when one of those under way is answered. */
export async function runRound(options: RoundOptions): Promise<Round> {
  const { servers, users, clients, inFlight, messages = Infinity, ms = Infinity } = options;
  const doors = options.doors ?? servers.map(({ port }) => port);
  const senders = await connectSenders(doors, users, clients, inFlight);
  const cpuBefore = await cpuSeconds(servers);
  const startMs = performance.now();
  const budget = { left: messages };
  await Promise.all(senders.map((sender) => sender.run(budget, startMs + ms)));
  const seconds = (performance.now() - startMs) / 1000;
  const cpuAfter = await cpuSeconds(servers);
  for (const sender of senders) sender.close();
  const { count, p50Ms, p99Ms } = quantiles(senders.flatMap((sender) => sender.latenciesMs));
  return {
    messages: count,
    messagesPerSecond: count / seconds,
    p50Ms,
    p99Ms,
    cpuMicrosPerMessage: cpuAfter.map((after, index) =>
      (after - (cpuBefore[index] ?? 0)) * 1e6 / Math.max(1, count)
    ),
  };
}

export interface Quantiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export function quantiles(timesMs: readonly number[]): Quantiles {
  const sorted = Float64Array.from(timesMs).sort();
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0 };
}

async function cpuSeconds(servers: readonly ServerProcess[]): Promise<number[]> {
  return await Promise.all(servers.map((server) => server.cpuSeconds()));
}
