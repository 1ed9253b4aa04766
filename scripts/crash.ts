/**
 * Kills a server over and over under load, and looks for what it lost.
 *
 *     deno task test:crash [--kills N] [--seed S] [--chat ./chat]
 *
 * The same seed gives the same choices at the same moments, which are the machine's. `--chat` kills
 * that executable instead of the source.
 */

import { parseArgs } from "@std/cli/parse-args";
import { CONVERSATION_FAULTS } from "../server/testing/people/findings.ts";
import { Random } from "../server/testing/random.ts";
import { executable, fromSource } from "../server/testing/server_process.ts";
import { runCampaign } from "./crash/campaign.ts";

const flags = parseArgs(Deno.args, { string: ["kills", "seed", "chat"] });
const kills = Number(flags.kills ?? 200);
const seed = Number(flags.seed ?? Date.now() % 1_000_000);
if (!Number.isSafeInteger(kills) || !Number.isSafeInteger(seed)) {
  console.error("usage: deno task test:crash [--kills N] [--seed S] [--chat ./chat]");
  Deno.exit(2);
}
const directory = await Deno.makeTempDir({ prefix: "chat-crash-" });
console.log(`${kills} kills, --seed ${seed}, data in ${directory}`);

const { history, torn, ...report } = await runCampaign({
  program: flags.chat === undefined ? fromSource : executable(flags.chat),
  directory,
  kills,
  random: new Random(seed),
  log: console.log,
});
console.log(
  `${report.kills} kills, ${history.written} sent, ${history.tally.send.ok} acknowledged, ` +
    `${torn} torn batches cut`,
);
for (const fault of CONVERSATION_FAULTS) {
  const what = history.findings.of(fault);
  console.log(`${fault}: ${what.length}${what.slice(0, 5).map((one) => `\n  ${one}`).join("")}`);
}
if (!history.findings.isEmpty) {
  console.log(`what it has is left in ${directory}`);
  Deno.exit(1);
}
await Deno.remove(directory, { recursive: true });
