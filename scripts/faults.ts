/**
 * Kills, pauses and cuts off the nodes of a cluster under load, fills a disk, sets clocks, and looks
 * for what the cluster lost: whatever its nodes have in the end has to be explained by what was asked
 * of them and what they answered.
 *
 *     deno task test:faults [--kills N] [--seed S] [--clients N] [--wipes] [--tls] [--chat ./chat]
 *
 * `--kills` is how many processes are killed, two of three of them together with another one, 500
 * unless said otherwise; pauses, cuts, full disks and clock jumps go on meanwhile, each in its own
 * time. Every 250 kills a new cluster takes over: nodes with a long history start slowly. With
 * `--wipes`, one of 5 killed nodes loses its disk: then what was acknowledged with one copy may be
 * lost, and events are not looked at. With `--tls` nodes and clients talk TLS. The same seed gives the same choices; the moments they fall on
 * are the machine's. `--chat` breaks that executable instead of the source; its clock cannot be set.
 * Disks are filled where the system permits mounts, as in a user namespace.
 */

import { parseArgs } from "@std/cli/parse-args";
import { Random } from "../server/testing/random.ts";
import { executable, type Program } from "../server/testing/server_process.ts";
import { type FaultsReport, runFaults, withSetClock } from "./faults/campaign.ts";
import { runWithOwnMounts } from "./faults/own_mounts.ts";
import { linesOf, sumOf } from "./faults/report.ts";

const CLUSTER_KILLS_MAX = 250;

const flags = parseArgs(Deno.args, {
  string: ["kills", "seed", "clients", "chat"],
  boolean: ["wipes", "tls"],
});
const kills = Number(flags.kills ?? 500);
const clients = Number(flags.clients ?? 24);
const seed = Number(flags.seed ?? Date.now() % 1_000_000);
if (![kills, clients, seed].every(Number.isSafeInteger) || clients < 2) {
  console.error(
    "usage: deno task test:faults [--kills N] [--seed S] [--clients N] [--wipes] [--tls] [--chat ./chat]",
  );
  Deno.exit(2);
}
const exitCode = await runWithOwnMounts(new URL(import.meta.url).pathname);
if (exitCode !== undefined) Deno.exit(exitCode);
const directory = await Deno.makeTempDir({ prefix: "chat-faults-" });
console.log(`${kills} kills, ${clients} clients, --seed ${seed}, data in ${directory}`);

const program = await programOf(flags.chat);
const random = new Random(seed);
const reports: FaultsReport[] = [];
let total = sumOf(reports);
while (total.kills < kills && total.findings.isEmpty) {
  const cluster = `${directory}/cluster${reports.length + 1}`;
  await Deno.mkdir(cluster);
  const before = total;
  reports.push(
    await runFaults({
      program,
      clocks: flags.chat === undefined,
      directory: cluster,
      kills: Math.min(CLUSTER_KILLS_MAX, kills - total.kills),
      clients,
      wipes: flags.wipes,
      tls: flags.tls,
      random,
      onRound: ({ killed, acknowledged }) =>
        console.log(
          `${before.kills + killed} of ${kills} kills: ` +
            `${before.acknowledged + acknowledged} changes acknowledged`,
        ),
    }),
  );
  total = sumOf(reports);
  if (total.findings.isEmpty) await Deno.remove(cluster, { recursive: true });
}
for (const line of linesOf(total)) console.log(line);
if (!total.hadSmallDisk) console.log("full disks were not tried: mounting is not permitted here");
if (flags.chat !== undefined) console.log("clock jumps were not tried: they need the source");
if (!total.findings.isEmpty) {
  console.log(`what the nodes have and said is left in ${directory}`);
  Deno.exit(1);
}
await Deno.remove(directory, { recursive: true });

async function programOf(chat: string | undefined): Promise<Program> {
  return chat === undefined ? withSetClock : executable(await Deno.realPath(chat));
}
