/**
 * Attacks a server with all that strangers and bad members may do to it, one attack after the other,
 * and looks at what it does to others: how long another user's messages take, and what memory.
 *
 *     deno task test:attacks [--only NAME]… [--quick] [--seconds N] [--chat ./chat]
 *
 * People send to a friend at a steady pace, for `--seconds` before each attack (10 unless said
 * otherwise) and as long while it is at its height; others come anew meanwhile. The attackers are
 * processes of their own that give way to the server (nice 10), because they share its machine: what is
 * measured is what the server lets them do to others. `--quick` attacks with a tenth; `--only` takes a
 * part of a name. `--chat` attacks that executable instead of the source.
 */

import { parseArgs } from "@std/cli/parse-args";
import { executable, fromSource } from "../server/testing/server_process.ts";
import type { Attack, Size } from "./attacks/attack.ts";
import { headingLines, RATIO_MAX, ratioOf, rowLine } from "./attacks/report.ts";
import { PASSWORD, Site } from "./attacks/site.ts";
import { type Skirmish, skirmish } from "./attacks/skirmish.ts";
import { ATTACKS } from "./attacks/table.ts";
import { type Seen, Watch } from "./attacks/watch.ts";

const PAST_MESSAGES = 20_000;
/** What has run only a few times is not compiled yet. */
const WARM_UP_MS = 3000;

const flags = parseArgs(Deno.args, {
  string: ["chat", "only", "seconds"],
  boolean: ["quick"],
  collect: ["only"],
  default: { seconds: "10" },
});
const ms = Number(flags.seconds) * 1000;
const attacks = ATTACKS.filter(({ name }) =>
  flags.only.length === 0 || flags.only.some((part) => name.includes(String(part)))
);
if (!(ms > 0) || attacks.length === 0) {
  console.error(
    "usage: deno task test:attacks [--only NAME]… [--quick] [--seconds N] [--chat ./chat]\n" +
      `attacks: ${ATTACKS.map(({ name }) => name).join(", ")}`,
  );
  Deno.exit(2);
}
const program = flags.chat === undefined ? fromSource : executable(await Deno.realPath(flags.chat));
let harmful = 0;
for (const line of headingLines()) console.log(line);
for (const attack of attacks) {
  const { before, came } = await attackOnce(attack, flags.quick ? "quick" : "full");
  const ratio = ratioOf(before, came.during);
  const faults = [
    ...before.faults,
    ...came.faults,
    ...ratio < RATIO_MAX ? [] : [`p99 is ${ratio.toFixed(1)} × the normal one`],
  ];
  console.log(rowLine(before, came, faults));
  for (const fault of new Set(faults)) console.error(`  ${attack.name}: ${fault}`);
  if (faults.length > 0) harmful++;
}
console.log(`${attacks.length} attacks, ${harmful} did harm`);
if (harmful > 0) Deno.exit(1);

/** On a site of its own: what one attack leaves must not count for the next. */
async function attackOnce(
  attack: Attack,
  size: Size,
): Promise<{ before: Seen; came: Skirmish }> {
  const directory = await Deno.makeTempDir({ prefix: "chat-attacks-" });
  const { nodes, tls = false, peopleSignInBy = "token" } = attack;
  const site = await Site.start({ program, directory, nodes, tls, pastMessages: PAST_MESSAGES });
  try {
    const watch = await Watch.start(site.doors, site.people, PASSWORD);
    await watch.until(pause(WARM_UP_MS), peopleSignInBy);
    const before = await watch.until(pause(ms), peopleSignInBy);
    const came = await skirmish({ attack, size, site, watch, ms });
    watch.close();
    return { before, came };
  } finally {
    await site[Symbol.asyncDispose]();
    await Deno.remove(directory, { recursive: true });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
