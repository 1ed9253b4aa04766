import { assertEquals, assertGreater } from "@std/assert";
import { fromSource } from "../server/testing/server_process.ts";
import { runCampaign } from "./crash/campaign.ts";
import { Random } from "./random.ts";

Deno.test("a server that is killed under load has all that it acknowledged, once (3 kills)", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-crash-" });
  const random = new Random(Date.now());
  const report = await runCampaign({ program: fromSource, directory, kills: 3, random, log() {} });
  assertEquals([...report.faults], []);
  assertGreater(report.acknowledged, 0);
  await Deno.remove(directory, { recursive: true });
});
