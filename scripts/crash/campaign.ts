import { type Program, ServerProcess } from "../../server/testing/server_process.ts";
import { type Credentials, signUp } from "../../server/testing/wire_client.ts";
import type { Random } from "../random.ts";
import { CrashClient } from "./client.ts";
import type { Fault } from "./ledger.ts";

export interface CampaignOptions {
  readonly program: Program;
  readonly directory: string;
  readonly kills: number;
  readonly random: Random;
  readonly clients?: number;
  readonly log: (line: string) => void;
}

export interface CampaignReport {
  readonly kills: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly torn: number;
  /** Each with what it was about; empty if all is well. */
  readonly faults: ReadonlyMap<Fault, readonly string[]>;
}

/** Conversations are read as a whole after every so many kills, and at the end. */
const CHECK_EVERY = 20;
/** A server is killed so long after clients went to work, in ms, at most. */
const LIFE_MS_MAX = 300;

/**
 * Kills a real server with SIGKILL at random moments under load, starts it again on the same data,
 * and compares what it has with what it acknowledged.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const { program, directory, kills, random, log } = options;
  let server = await ServerProcess.start(program, directory);
  const clients = await meet(server.port, options);
  const faults = new Map<Fault, string[]>();
  let torn = 0;
  for (let kill = 1; kill <= kills; kill++) {
    await killUnderLoad(server, clients, random.below(LIFE_MS_MAX));
    server = await ServerProcess.start(program, directory);
    if (server.log.some((line) => line.includes("cut an unfinished batch"))) torn++;
    if (kill % CHECK_EVERY !== 0 && kill !== kills) continue;
    await Promise.all(clients.map((client) => client.settle(server.port)));
    for (const client of clients) {
      for (const [fault, what] of client.ledger.check(await client.conversation(server.port))) {
        faults.set(fault, [...faults.get(fault) ?? [], ...what]);
      }
    }
    log(`${kill} of ${kills} kills: ${total(clients, "acknowledged")} acknowledged`);
    if (faults.size > 0) break;
  }
  await server.stop();
  const sent = total(clients, "size");
  return { kills, sent, acknowledged: total(clients, "acknowledged"), torn, faults };
}

async function meet(
  port: number,
  { clients = 8, random }: CampaignOptions,
): Promise<CrashClient[]> {
  const users: Credentials[] = await Promise.all(
    Array.from({ length: clients }, (_, i) => signUp(port, `user${i}`, "correct horse")),
  );
  const all = users.map((me, i) =>
    new CrashClient(me, users[(i + 1) % clients]?.name ?? me.name, random)
  );
  for (const [i, client] of all.entries()) client.admirer = all[(i + clients - 1) % clients];
  return all;
}

async function killUnderLoad(
  server: ServerProcess,
  clients: readonly CrashClient[],
  lifeMs: number,
): Promise<void> {
  let stopped = false;
  const working = Promise.all(clients.map((client) => client.work(server.port, () => stopped)));
  await new Promise((resolve) => setTimeout(resolve, lifeMs));
  await server.stop("SIGKILL");
  stopped = true;
  await working;
}

function total(clients: readonly CrashClient[], what: "size" | "acknowledged"): number {
  return clients.reduce((sum, { ledger }) => sum + ledger[what], 0);
}
