import { assert, assertEquals } from "@std/assert";
import { TestCluster } from "./testing/test_cluster.ts";
import { WireClient } from "./testing/wire_client.ts";

const GUESSES = 10_000;
const CONNECTIONS_PER_NODE = 20;
const NAMES = ["node1", "node2", "node3"];

Deno.test("10,000 guesses spread over three nodes are throttled as one", async () => {
  const limits = { framesPerSecondAnonymousMax: 1_000_000, wrongPasswordsPerAddress: 100_000 };
  await using cluster = await TestCluster.start({ limits });
  const port = (index: number) => cluster.port(NAMES[index % NAMES.length] ?? "");
  for (const name of ["victim", "other"]) (await WireClient.signedIn(port(0), name)).close();
  await cluster.converged();
  const startMs = performance.now();
  const thieves = await Promise.all(
    Array.from({ length: NAMES.length * CONNECTIONS_PER_NODE }, async (_, index) => {
      const thief = await WireClient.connect(port(index));
      await thief.expect("user_existing", { kind: "login_name", payload: "victim" });
      return thief;
    }),
  );
  const guesses = Math.ceil(GUESSES / thieves.length);
  const outcomes = (await Promise.all(thieves.map(async (thief) => {
    const replies: string[] = [];
    for (let guess = 0; guess < guesses; guess++) {
      const reply = await thief.request({ kind: "login_password", payload: `guess ${guess}` });
      replies.push(reply.kind === "error" ? reply.payload.code : reply.kind);
    }
    return replies;
  }))).flat();
  const refills = Math.floor((performance.now() - startMs) / 10_000);
  const checked = outcomes.filter((outcome) => outcome === "login_failed").length;
  const refused = outcomes.filter((outcome) => outcome === "too_many_attempts").length;
  assert(outcomes.length >= GUESSES);
  assertEquals(checked + refused, outcomes.length);
  // With its 10 at each node it would be 30; some more than 10 are where a node hears of others late.
  assert(checked >= 3 && checked <= 20 + refills, `${checked} of ${outcomes.length} were checked`);
  // Nobody else waits for that.
  const other = await WireClient.signedIn(port(1), "other");
  for (const client of [...thieves, other]) client.close();
});

Deno.test("a node that was away hears of guesses that were made meanwhile", async () => {
  await using cluster = await TestCluster.start({ limits: { wrongPasswordsPerAccount: 3 } });
  (await WireClient.signedIn(cluster.port("node1"), "victim")).close();
  await cluster.converged();
  await cluster.stopNode("node3");
  const guess = { kind: "login_password", payload: "let me in now" } as const;
  const thief = await WireClient.connect(cluster.port("node1"));
  await thief.request({ kind: "login_name", payload: "victim" });
  for (let count = 0; count < 3; count++) {
    assertEquals((await thief.request(guess)).kind, "login_failed");
  }
  await cluster.startNode("node3");
  await cluster.connected();
  const again = await WireClient.connect(cluster.port("node3"));
  await again.request({ kind: "login_name", payload: "victim" });
  assertEquals(await again.refusal(guess), "too_many_attempts");
  for (const client of [thief, again]) client.close();
});
