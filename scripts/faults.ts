/**
 * Kills, pauses and cuts off the nodes of a cluster under load, and looks for what it lost.
 *
 *     deno task test:faults [--kills N] [--seed S] [--clients N] [--wipes] [--chat ./chat]
 *
 * With `--wipes`, one of 5 killed nodes loses its disk: then what was acknowledged with one copy
 * may be lost, and events are not looked at. The same seed gives the same choices at the same
 * moments, which are the machine's. `--chat` breaks that executable instead of the source.
 */

import { parseArgs } from "@std/cli/parse-args";
import { executable, fromSource } from "../server/testing/server_process.ts";
import { CLUSTER_FAULTS } from "./faults/books.ts";
import { type FaultsReport, runFaults } from "./faults/campaign.ts";
import { Random } from "./random.ts";

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
    "usage: deno task test:faults [--kills N] [--seed S] [--clients N] [--chat ./chat]",
  );
  Deno.exit(2);
}
const directory = await Deno.makeTempDir({ prefix: "chat-faults-" });
console.log(`${kills} kills, ${clients} clients, --seed ${seed}, data in ${directory}`);

const report = await runFaults({
  program: flags.chat === undefined ? fromSource : executable(await Deno.realPath(flags.chat)),
  directory,
  kills,
  clients,
  wipes: flags.wipes,
  random: new Random(seed),
  log: console.log,
});
printReport(report);
if (report.books.faults.size > 0) {
  console.log(`what the nodes have and said is left in ${directory}`);
  Deno.exit(1);
}
await Deno.remove(directory, { recursive: true });

function printReport({ damage, books, ...report }: FaultsReport): void {
  const { single, double, wipes, restarts, pauses, cuts, compactions } = damage;
  const copies = [...books.copies].sort(([a], [b]) => a - b)
    .map(([nodes, times]) => `${times} on ${nodes}`).join(", ");
  console.log(
    `${single} single and ${double} double kills, ${wipes} lost disks, ${restarts} restarts, ` +
      `${pauses} pauses, ${cuts} cuts, ${compactions} compactions`,
  );
  console.log(
    `${books.sent} messages sent, ${books.acknowledged} acknowledged, ${books.repeats} keys repeated, ` +
      `${books.changes} reads and deletes acknowledged`,
  );
  console.log(`copies when acknowledged: ${copies}`);
  console.log(
    `${report.reconnects} reconnects, ${report.events} events, ` +
      `${(report.convergenceMs / 1000).toFixed(1)} s from healing to equal nodes at most`,
  );
  for (const fault of CLUSTER_FAULTS) {
    const what = [...books.faults.get(fault) ?? []];
    const examples = what.slice(0, EXAMPLES_MAX).map((one) => `\n  ${one}`).join("");
    console.log(`${fault}: ${what.length}${examples}`);
  }
}
