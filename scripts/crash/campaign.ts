import { checkConversation } from "../../server/testing/people/explain.ts";
import { History } from "../../server/testing/people/history.ts";
import type { Random } from "../../server/testing/random.ts";
import { type Program, ServerProcess } from "../../server/testing/server_process.ts";
import { type Credentials, signUp } from "../../server/testing/wire_client.ts";
import { CrashClient } from "./client.ts";

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
  readonly history: History;
  readonly torn: number;
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
  const history = new History({ nodes: 1, safeCopies: 1, nowMs: () => performance.now() });
  const clients = await meet(server.port, options, history);
  let torn = 0;
  for (let kill = 1; kill <= kills; kill++) {
    await killUnderLoad(server, clients, random.below(LIFE_MS_MAX));
    server = await ServerProcess.start(program, directory);
    if (server.log.some((line) => line.includes("cut an unfinished batch"))) torn++;
    if (kill % CHECK_EVERY !== 0 && kill !== kills) continue;
    await Promise.all(clients.map((client) => client.settle(server.port)));
    for (const client of clients) {
      checkConversation(history, client.conversation, await client.listed(server.port), "it");
    }
    log(`${kill} of ${kills} kills: ${history.tally.send.ok} acknowledged`);
    if (!history.findings.isEmpty) break;
  }
  await server.stop();
  return { kills, history, torn };
}

async function meet(
  port: number,
  { clients = 8, random }: CampaignOptions,
  history: History,
): Promise<CrashClient[]> {
  const users: Credentials[] = await Promise.all(
    Array.from({ length: clients }, (_, i) => signUp(port, `user${i}`, "correct horse")),
  );
  const all = users.map((me, i) =>
    new CrashClient(me, users[(i + 1) % clients]?.name ?? me.name, history, random)
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
