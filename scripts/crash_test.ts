import { assertEquals, assertGreater } from "@std/assert";
import { Random } from "../server/testing/random.ts";
import { fromSource } from "../server/testing/server_process.ts";
import { runCampaign } from "./crash/campaign.ts";

Deno.test("a server that is killed under load has all that it acknowledged, once (3 kills)", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-crash-" });
  const random = new Random(Date.now());
  const options = { program: fromSource, directory, kills: 3, random, log() {} };
  const { history } = await runCampaign(options);
  assertEquals(history.findings.list(), []);
  assertGreater(history.tally.send.ok, 0);
  await Deno.remove(directory, { recursive: true });
});
