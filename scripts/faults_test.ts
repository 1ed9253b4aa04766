import { assertEquals, assertGreater } from "@std/assert";
import { fromSource } from "../server/testing/server_process.ts";
import { runFaults } from "./faults/campaign.ts";
import { Random } from "./random.ts";

Deno.test("a cluster that is killed, paused and cut under load has all that it acknowledged, once (6 kills)", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-faults-" });
  const random = new Random(Date.now());
  const { books, damage } = await runFaults({
    program: fromSource,
    directory,
    kills: 6,
    clients: 6,
    random,
    log() {},
  });
  assertEquals([...books.faults], [], `see ${directory}`);
  assertEquals([damage.single, damage.double], [4, 2]);
  for (const count of [damage.pauses, damage.cuts, books.acknowledged]) assertGreater(count, 0);
  await Deno.remove(directory, { recursive: true });
});
