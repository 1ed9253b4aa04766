import { assertEquals } from "@std/assert";
import { fromSource } from "../server/testing/server_process.ts";
import { until } from "../server/testing/until.ts";
import { statusOf } from "../server/testing/wire_client.ts";
import { PASSWORD, Site } from "./attacks/site.ts";
import { skirmish } from "./attacks/skirmish.ts";
import { ATTACKS } from "./attacks/table.ts";
import { Watch } from "./attacks/watch.ts";

/** Figures are the campaign's: `deno task test:attacks`. */
const MS = 500;

for (const nodes of [1, 3] as const) {
  const attacks = ATTACKS.filter((attack) => attack.nodes === nodes);
  Deno.test(`people meet with nothing during attacks on ${nodes} nodes`, async (t) => {
    const directory = await Deno.makeTempDir({ prefix: "chat-attacks-" });
    const program = fromSource;
    await using site = await Site.start({ program, directory, nodes, pastMessages: 2000 });
    const watch = await Watch.start(site.ports, site.people, PASSWORD);
    const { connections } = await statusOf(site.ports[0] ?? 0);
    for (const attack of attacks) {
      await t.step(attack.name, async () => {
        const { faults } = await skirmish({ attack, size: "touch", site, watch, ms: MS });
        assertEquals(faults, []);
        await until(async () => {
          const status = await statusOf(site.ports[0] ?? 0);
          return status.connections <= connections;
        });
      });
    }
    watch.close();
    await Deno.remove(directory, { recursive: true });
  });
}
