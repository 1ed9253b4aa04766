import { assertEquals } from "@std/assert";
import { fromSource } from "../server/testing/server_process.ts";
import { Scratch } from "../server/testing/scratch.ts";
import { until } from "../server/testing/until.ts";
import { statusOf } from "../server/testing/wire_client.ts";
import type { Attack } from "./attacks/attack.ts";
import { PASSWORD, Site } from "./attacks/site.ts";
import { skirmish } from "./attacks/skirmish.ts";
import { ATTACKS } from "./attacks/table.ts";
import { Watch } from "./attacks/watch.ts";

/** Figures are the campaign's: `deno task test:attacks`. */
const MS = 300;
const PAST_MESSAGES = 2000;
const program = fromSource;

type Place = Pick<Attack, "nodes" | "tls">;

for (const { nodes, tls } of [{ nodes: 1 }, { nodes: 3 }, { nodes: 3, tls: true }] as Place[]) {
  const attacks = ATTACKS.filter((attack) => attack.nodes === nodes && attack.tls === tls);
  const where = `${nodes === 1 ? "a node" : "three nodes"}${tls ? " with TLS" : ""}`;
  Deno.test(`attacks on ${where} are met, and nobody else meets with anything`, async (t) => {
    await using scratch = await Scratch.make();
    const directory = scratch.path("site");
    await Deno.mkdir(directory);
    const place = { nodes, tls: tls ?? false, pastMessages: PAST_MESSAGES };
    await using site = await Site.start({ program, directory, ...place });
    const watch = await Watch.start(site.doors, site.people, PASSWORD);
    const [door = 0] = site.doors;
    const { connections } = await statusOf(door);
    for (const attack of attacks) {
      await t.step(attack.name, async () => {
        const { faults } = await skirmish({ attack, size: "touch", site, watch, ms: MS });
        assertEquals(faults, []);
        // None of theirs stays open.
        await until(async () => (await statusOf(door)).connections <= connections);
      });
    }
    watch.close();
  });
}
