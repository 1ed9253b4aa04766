import { assertEquals, assertGreater } from "@std/assert";
import { Random } from "../server/testing/random.ts";
import { runFaults, withSetClock } from "./faults/campaign.ts";

Deno.test("a cluster that is killed, paused and cut under load has all that it acknowledged, once (6 kills)", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-faults-" });
  const random = new Random(Date.now());
  const { findings, damage, acknowledged } = await runFaults({
    program: withSetClock,
    clocks: true,
    directory,
    kills: 6,
    clients: 6,
    random,
  });
  assertEquals(findings.list(), [], `see ${directory}`);
  assertEquals([damage["single kill"], damage["double kill"]], [2, 2]);
  // Pauses, cuts and the rest come in their own time: so short a run need not have met any.
  assertGreater(acknowledged, 0);
  await Deno.remove(directory, { recursive: true });
});
