/** What an operator of one node does to accounts, on the others: real nodes, real sockets. */

import { assert, assertEquals } from "@std/assert";
import { operatorAsks, tokenFor } from "./testing/operator_asks.ts";
import { tryPassword, tryRedeem, tryResume } from "./testing/sign_in_tries.ts";
import { TestAuthority } from "./testing/test_authority.ts";
import { TestCluster } from "./testing/test_cluster.ts";
import { testServer } from "./testing/test_server.ts";
import { WireClient } from "./testing/wire_client.ts";

const OLD = "correct horse";
const NEW = "battery staple";
const HOUR_MS = 3_600_000;
const NODES = ["node1", "node2", "node3"] as const;

Deno.test("a disabling ends sessions on every node at once, and keeps everybody out until an enabling", async () => {
  await using cluster = await TestCluster.start({ copies: 3 });
  const sessions: { name: string; client: WireClient; token: string }[] = [];
  for (const name of NODES) {
    const client = await WireClient.connect(cluster.port(name));
    const { token } = await client.signIn("alice", OLD);
    sessions.push({ name, client, token });
    await cluster.converged();
  }
  const name = "alice";
  const disabled = await operatorAsks(cluster.dataOf("node2"), {
    command: "account_disable",
    name,
  });
  assertEquals(disabled, { name, isNew: true, copies: 3 });
  // No connection is ended by anything else: none of them is idle for long enough.
  for (const { client } of sessions) await client.closed;
  for (const session of sessions) {
    const port = cluster.port(session.name);
    for (const { token } of sessions) {
      assertEquals(await tryResume(port, "alice", token), "login_failed");
    }
    assertEquals(await tryPassword(port, "alice", OLD), "account_disabled");
    assertEquals(await tryPassword(port, "alice", NEW), "login_failed");
  }
  await operatorAsks(cluster.dataOf("node3"), { command: "account_enable", name });
  await cluster.converged();
  for (const node of NODES) {
    assertEquals(await tryPassword(cluster.port(node), "alice", OLD), "login_success");
  }
});

Deno.test("a token that one node gave is good on every node, and once on all of them", async () => {
  await using cluster = await TestCluster.start({ copies: 3, registration: "closed" });
  const token = await tokenFor(cluster.dataOf("node1"), "account_add", "carol");
  for (const node of NODES) {
    assertEquals(await tryPassword(cluster.port(node), "carol", token), "choose_password");
    assertEquals(await tryPassword(cluster.port(node), "dora", OLD), "registration_closed");
  }
  assertEquals(await tryRedeem(cluster.port("node2"), "carol", token, NEW), "login_success");
  for (const node of NODES) {
    const port = cluster.port(node);
    assertEquals(await tryRedeem(port, "carol", token, "another one"), "login_failed");
    assertEquals(await tryPassword(port, "carol", NEW), "login_success");
  }
});

Deno.test("what the operator did on one side of a partition outranks what happened on the other", async () => {
  await using cluster = await TestCluster.start({ copyTimeoutMs: 200 });
  for (const name of ["alice", "bob", "carol"]) {
    (await WireClient.signedIn(cluster.port("node1"), name, OLD)).close();
  }
  await cluster.converged();
  await cluster.stopNode("node3");
  const far = cluster.dataOf("node1");
  await operatorAsks(far, { command: "account_disable", name: "alice" });
  const token = await tokenFor(far, "account_reset", "bob");
  await operatorAsks(far, { command: "account_disable", name: "carol" });
  for (const name of ["node1", "node2"]) await cluster.stopNode(name);

  // Later, and more often, on the side that knows nothing of it.
  await cluster.startNode("node3");
  for (const name of ["alice", "bob"]) {
    const client = await WireClient.signedIn(cluster.port("node3"), name, OLD);
    for (const [old, password] of [[OLD, NEW], [NEW, "a third one"], ["a third one", NEW]]) {
      await client.expect("done", {
        kind: "change_password",
        payload: [old ?? "", password ?? ""],
      });
    }
    client.close();
  }
  for (const password of [NEW, "a third one"]) {
    const other = await tokenFor(cluster.dataOf("node3"), "account_reset", "carol");
    assertEquals(await tryRedeem(cluster.port("node3"), "carol", other, password), "login_success");
  }
  const client = await WireClient.signedIn(cluster.port("node3"), "alice", NEW);

  for (const name of ["node1", "node2"]) await cluster.startNode(name);
  await client.closed;
  await cluster.converged();
  for (const node of NODES) {
    const port = cluster.port(node);
    assertEquals(await tryPassword(port, "alice", OLD), "account_disabled");
    assertEquals(await tryPassword(port, "alice", NEW), "login_failed");
    assertEquals(await tryPassword(port, "bob", NEW), "login_failed");
    assertEquals(await tryPassword(port, "bob", token), "choose_password");
    assertEquals(await tryPassword(port, "carol", OLD), "account_disabled");
    assertEquals(await tryPassword(port, "carol", "a third one"), "login_failed");
  }
});

Deno.test("an invitation makes accounts on every node where it takes one, each name once", async () => {
  const [authority, others] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  await using cluster = await TestCluster.start({ authority, copies: 3, registration: "invite" });
  const invitation = await authority.invite(Date.now() + HOUR_MS);
  const [first, second, third] = NODES.map((node) => cluster.door(node));
  assert(first !== undefined && second !== undefined && third !== undefined);
  assertEquals(await tryPassword(first, "alice", OLD), "invitation_needed");
  assertEquals(await tryRedeem(first, "alice", invitation, OLD), "login_success");
  assertEquals(await tryRedeem(second, "alice", invitation, NEW), "name_taken");
  assertEquals(await tryRedeem(second, "bob", invitation, "short"), "bad_password");
  assertEquals(await tryRedeem(second, "bob~a1b2c3", invitation, NEW), "bad_name");
  assertEquals(await tryRedeem(second, "bob", invitation, NEW), "login_success");
  assertEquals(await tryPassword(third, "alice", OLD), "login_success");
  assertEquals(await tryPassword(third, "bob", NEW), "login_success");
  const expired = await authority.invite(Date.now() - 1);
  for (const bad of [expired, await others.invite(Date.now() + HOUR_MS), `${invitation}x`]) {
    assertEquals(await tryRedeem(third, "carol", bad, NEW), "bad_invitation");
  }
});

Deno.test("an invitation is taken where anybody may make an account, and not where nobody may", async () => {
  const authority = await TestAuthority.make();
  const invitation = await authority.invite(Date.now() + HOUR_MS);
  {
    await using cluster = await TestCluster.start({ authority });
    const door = cluster.door("node1");
    assertEquals(await tryRedeem(door, "alice", invitation, OLD), "login_success");
    assertEquals(await tryPassword(door, "bob", OLD), "login_success");
  }
  await using cluster = await TestCluster.start({ authority, registration: "closed" });
  const door = cluster.door("node1");
  assertEquals(await tryRedeem(door, "alice", invitation, OLD), "registration_closed");
  assertEquals(await tryPassword(door, "alice", OLD), "registration_closed");
  await using plain = await testServer();
  assertEquals(await tryRedeem(plain.port, "alice", invitation, OLD), "bad_invitation");
});

Deno.test("of two who sign up by an invitation at once, one gets the name", async () => {
  const authority = await TestAuthority.make();
  await using cluster = await TestCluster.start({ authority, registration: "invite" });
  const invitation = await authority.invite(Date.now() + HOUR_MS);
  const outcomes = await Promise.all(
    [OLD, NEW].map((one) => tryRedeem(cluster.door("node1"), "alice", invitation, one)),
  );
  assertEquals(outcomes.sort(), ["login_success", "name_taken"]);
});
