/**
 * Kills, pauses and cuts off the nodes of a cluster under load, fills a disk, sets clocks, and looks
 * for what the cluster lost: whatever its nodes have in the end has to be explained by what was asked
 * of them and what they answered.
 *
 *     deno task test:faults [--kills N] [--seed S] [--clients N] [--wipes] [--chat ./chat]
 *
 * `--kills` is how often a node is killed, or two at once, 500 unless said otherwise; pauses, cuts, full
 * disks and clock jumps go on meanwhile, one to every two or three kills. With `--wipes`, one of 5
 * killed nodes loses its disk: then what was acknowledged with one copy may be lost, and events are
 * not looked at. The same seed gives the same choices at the same moments, which are the machine's.
 * `--chat` breaks that executable instead of the source; its clock cannot be set. Disks are filled
 * where the system permits mounts, as in a user namespace.
 */

import { parseArgs } from "@std/cli/parse-args";
import { FAULTS } from "../server/testing/people/findings.ts";
import {
  OPERATION_KINDS,
  type OperationKind,
  type Tally,
} from "../server/testing/people/history.ts";
import { Random } from "../server/testing/random.ts";
import { executable, type Program } from "../server/testing/server_process.ts";
import { type FaultsReport, runFaults, withSetClock } from "./faults/campaign.ts";
import { DEEDS } from "./faults/chaos.ts";
import { runWithOwnMounts } from "./faults/own_mounts.ts";

/** Of each fault, so many are shown. */
const EXAMPLES_MAX = 5;

const flags = parseArgs(Deno.args, {
  string: ["kills", "seed", "clients", "chat"],
  boolean: ["wipes"],
});
const kills = Number(flags.kills ?? 500);
const clients = Number(flags.clients ?? 20);
const seed = Number(flags.seed ?? Date.now() % 1_000_000);
if (![kills, clients, seed].every(Number.isSafeInteger) || clients < 2) {
  console.error(
    "usage: deno task test:faults [--kills N] [--seed S] [--clients N] [--wipes] [--chat ./chat]",
  );
  Deno.exit(2);
}
const exitCode = await runWithOwnMounts(new URL(import.meta.url).pathname);
if (exitCode !== undefined) Deno.exit(exitCode);
const directory = await Deno.makeTempDir({ prefix: "chat-faults-" });
console.log(`${kills} kills, ${clients} clients, --seed ${seed}, data in ${directory}`);

const report = await runFaults({
  program: await programOf(flags.chat),
  clocks: flags.chat === undefined,
  directory,
  kills,
  clients,
  wipes: flags.wipes,
  random: new Random(seed),
  log: console.log,
});
printReport(report);
if (!report.history.findings.isEmpty) {
  console.log(`what the nodes have and said is left in ${directory}`);
  Deno.exit(1);
}
await Deno.remove(directory, { recursive: true });

async function programOf(chat: string | undefined): Promise<Program> {
  return chat === undefined ? withSetClock : executable(await Deno.realPath(chat));
}

function printReport({ damage, history, ...report }: FaultsReport): void {
  console.log(DEEDS.map((deed) => `${deed}: ${damage[deed]}`).join(", "));
  if (!report.hadSmallDisk) {
    console.log("full disks were not tried: mounting is not permitted here");
  }
  if (flags.chat !== undefined) console.log("clock jumps were not tried: they need the source");
  console.log("operations");
  for (const kind of OPERATION_KINDS) {
    console.log(`  ${kind}: ${describeEnds(history.tally[kind])}`);
  }
  const copies = [...history.copies].sort(([a], [b]) => a - b)
    .map(([nodes, times]) => `${times} on ${nodes}`).join(", ");
  console.log(`${history.acknowledged} changes acknowledged, ${copies}`);
  console.log(
    `${report.reconnects} reconnects, ${report.events} events, ` +
      `${(report.convergenceMs / 1000).toFixed(1)} s from healing to equal nodes at most`,
  );
  for (const fault of FAULTS) {
    const what = history.findings.of(fault);
    const examples = what.slice(0, EXAMPLES_MAX).map((one) => `\n  ${one}`).join("");
    console.log(`${fault}: ${what.length}${examples}`);
  }
}

function describeEnds({ ok, refused, unknown, open }: Tally[OperationKind]): string {
  return `${ok} ok, ${refused} refused, ${unknown} unknown` + (open > 0 ? `, ${open} open` : "");
}
