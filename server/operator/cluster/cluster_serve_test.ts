/** A node with the files that `chat cluster` made for it, and users with its invites. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { chat, type Finished } from "../../../client/testing/chat_process.ts";
import { Scratch } from "../../testing/scratch.ts";
import { fromSource, ServerProcess, unusedPort } from "../../testing/server_process.ts";

Deno.test("an invite with an invitation makes an account, and the configuration alone does not", async () => {
  await using scratch = await Scratch.make();
  const lab = scratch.path("lab");
  await done("cluster", "init", lab, "--nodes", `node1=127.0.0.1:${unusedPort()}:${unusedPort()}`);
  const master = join(lab, "servers.json");
  const config = JSON.parse(await Deno.readTextFile(master));
  await Deno.writeTextFile(master, JSON.stringify({ registration: "invite", ...config }));
  await done("cluster", "renew", lab);
  const folder = join(lab, "node1");
  const node = ServerProcess.launch(fromSource, {
    ...{ node: "node1", config: join(folder, "servers.json"), data: join(folder, "data") },
  });
  try {
    await node.listening;
    const refused = await as("alice", "--create", "--config", master);
    assertEquals(refused.code, 4);
    assertStringIncludes(refused.stderr, "invitation_needed");
    const made = await as("alice", "--create", "--invite", join(lab, "invite"));
    assertEquals(made.code, 0, made.stderr);
    const invite = (await done("cluster", "invite", lab, "--days", "1")).stdout.trim();
    assertEquals((await as("bob", "--create", "--invite", invite)).code, 0);
    // One of another cluster does not so much as find its node.
    const other = scratch.path("other");
    await done("cluster", "init", other, "--nodes", "node1=127.0.0.1");
    await Deno.copyFile(join(other, "ca.crt"), join(lab, "ca.crt"));
    const foreign = await as("alice", "--config", master);
    assertEquals(foreign.code, 3);
    assertMatch(foreign.stderr, /its certificate is of another cluster/);
  } finally {
    await node.stop();
  }
});

async function as(user: string, ...args: readonly string[]): Promise<Finished> {
  const env = { CHAT_PASSWORD: "correct horse" };
  return await chat(["inbox", "--user", user, ...args], { env });
}

async function done(...args: readonly string[]): Promise<Finished> {
  const finished = await chat(args);
  assertEquals(finished.code, 0, finished.stderr);
  return finished;
}
