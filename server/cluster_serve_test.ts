/** What users see of several nodes: real nodes, real sockets. */

import { assert, assertEquals, assertGreaterOrEqual, assertMatch } from "@std/assert";
import { list, nextEvent } from "./testing/exchange.ts";
import { TestCluster } from "./testing/test_cluster.ts";
import { until } from "./testing/until.ts";
import { ClosedError, statusOf, WireClient } from "./testing/wire_client.ts";

const SUBSCRIBE = { kind: "subscribe", payload: {} } as const;

function send(to: string, content: string, key: string = crypto.randomUUID()) {
  return { kind: "send_message", payload: { to, content, key } } as const;
}

Deno.test("an account that was made on one node signs in on every other, by password and by token", async () => {
  await using cluster = await TestCluster.start();
  const first = await WireClient.connect(cluster.port("node1"));
  const { token, copies } = await first.signIn("alice");
  assertGreaterOrEqual(copies ?? 0, 2);
  await cluster.converged();
  const second = await WireClient.connect(cluster.port("node2"));
  assertEquals((await second.signIn("alice")).node, "node2");
  const third = await WireClient.resumed(cluster.port("node3"), { name: "alice", token });
  for (const client of [first, second, third]) client.close();
});

Deno.test("messages, read marks and deletions of one node are seen and told on the others", async () => {
  await using cluster = await TestCluster.start();
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  const bob = await WireClient.signedIn(cluster.port("node2"), "bob");
  await cluster.converged();
  const aliceToo = await WireClient.signedIn(cluster.port("node3"), "alice");
  for (const client of [alice, bob, aliceToo]) await client.expect("done", SUBSCRIBE);

  const { id, copies } = await alice.expect("sent", send("bob", "hello"));
  assertGreaterOrEqual(copies, 2);
  for (const client of [alice, bob, aliceToo]) {
    const { cursor: _, ...told } = await nextEvent(client, "message");
    assertEquals([told.id, told.sender, told.content, told.status], [
      id,
      "alice",
      "hello",
      "unread",
    ]);
  }
  const read = await bob.expect("done", { kind: "read_messages", payload: "alice" });
  assertEquals(read.count, 1);
  assertGreaterOrEqual(read.copies, 2);
  for (const client of [alice, bob, aliceToo]) {
    const { reader, ids } = await nextEvent(client, "read");
    assertEquals([reader, ids], ["bob", [id]]);
  }
  assertEquals((await aliceToo.expect("messages", list("bob")))[0]?.status, "read");
  const deleted = await aliceToo.expect("done", { kind: "delete_messages", payload: [id] });
  assertEquals(deleted.count, 1);
  for (const client of [alice, bob, aliceToo]) {
    assertEquals((await nextEvent(client, "deleted")).ids, [id]);
  }
  for (const client of [alice, bob]) {
    assertEquals(await client.expect("messages", list(client === alice ? "bob" : "alice")), []);
  }
  for (const client of [alice, bob, aliceToo]) client.close();
});

Deno.test("a request that is repeated on another node with its key is the same message", async () => {
  await using cluster = await TestCluster.start();
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  const bob = await WireClient.signedIn(cluster.port("node1"), "bob");
  await cluster.converged();
  const again = await WireClient.signedIn(cluster.port("node2"), "alice");
  // At once, on two nodes that have not heard of each other's.
  const replies = await Promise.all(
    [alice, again].map((client) => client.expect("sent", send("bob", "once", "key 1"))),
  );
  assertEquals(new Set(replies.map(({ id }) => id)).size, 1);
  await cluster.converged();
  const later = await again.expect("sent", send("bob", "once", "key 1"));
  assertEquals(later.id, replies[0]?.id);
  assertGreaterOrEqual(later.copies, 2);
  assertEquals((await bob.expect("messages", list("alice"))).length, 1);
  for (const client of [alice, bob, again]) client.close();
});

Deno.test("people are online on whatever node they are, until they are on none", async () => {
  await using cluster = await TestCluster.start();
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  const bob = await WireClient.signedIn(cluster.port("node2"), "bob");
  await cluster.converged();
  await alice.expect("sent", send("bob", "hello"));
  await alice.expect("done", SUBSCRIBE);
  const isOnline = async (name: string) => {
    const users = await alice.expect("users", { kind: "list_users", payload: { pattern: name } });
    return users[0]?.online;
  };
  await until(async () => await isOnline("bob") === true);
  const bobToo = await WireClient.signedIn(cluster.port("node3"), "bob");
  bob.close();
  // Nothing is told, as bob is still there; then he leaves.
  await until(async () => (await statusOf(cluster.port("node2"))).usersOnline === 0);
  bobToo.close();
  const { name, online } = await nextEvent(alice, "presence");
  assertEquals([name, online], ["bob", false]);
  assertEquals(await isOnline("bob"), false);
  alice.close();
});

Deno.test("a changed password and a deleted account end sessions and tokens on every node", async () => {
  await using cluster = await TestCluster.start();
  const first = await WireClient.connect(cluster.port("node1"));
  const { token } = await first.signIn("alice");
  await cluster.converged();
  const other = await WireClient.resumed(cluster.port("node2"), { name: "alice", token });
  const changed = await first.expect("done", {
    kind: "change_password",
    payload: ["correct horse", "battery staple"],
  });
  assertGreaterOrEqual(changed.copies, 2);
  await other.closed;
  await cluster.converged();
  const stale = await WireClient.connect(cluster.port("node3"));
  const resume = { kind: "resume", payload: ["alice", token] } as const;
  assertEquals((await stale.request(resume)).kind, "login_failed");
  const second = await WireClient.signedIn(cluster.port("node2"), "alice", "battery staple");
  await first.expect("done", { kind: "delete_account", payload: null });
  await second.closed;
  for (const client of [first, other, stale, second]) client.close();
});

Deno.test("copies tells the truth as nodes go, and nobody waits for those who are gone", async () => {
  await using cluster = await TestCluster.start({ copies: 3, copyTimeoutMs: 60_000 });
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  assertEquals((await alice.expect("sent", send("alice", "three"))).copies, 3);
  await cluster.stopNode("node3");
  assertEquals((await alice.expect("sent", send("alice", "two"))).copies, 2);
  await cluster.stopNode("node2");
  assertEquals((await alice.expect("sent", send("alice", "one"))).copies, 1);
  const [first] = await alice.expect("messages", list("alice"));
  const deleted = await alice.expect("done", {
    kind: "delete_messages",
    payload: [first?.id ?? ""],
  });
  assertEquals(deleted.copies, 1);
  await cluster.startNode("node2");
  await cluster.startNode("node3");
  await cluster.connected();
  assertEquals((await alice.expect("sent", send("alice", "three again"))).copies, 3);
  await cluster.converged();
  alice.close();
});

Deno.test("a name that two people claimed apart is the earlier one's, and the other is told an alias", async () => {
  await using cluster = await TestCluster.start();
  const [node1, node2] = ["node1", "node2"];
  // Two lone nodes: each is all there is.
  for (const name of ["node1", "node2", "node3"]) await cluster.stopNode(name);
  await cluster.startNode(node1);
  const early = await WireClient.signedIn(cluster.port(node1), "sam", "first password");
  early.close();
  await cluster.stopNode(node1);
  await cluster.startNode(node2);
  const late = await WireClient.signedIn(cluster.port(node2), "sam", "second password");
  await late.expect("done", SUBSCRIBE);
  await cluster.startNode(node1);
  const { from, to } = await nextEvent(late, "renamed");
  assertEquals(from, "sam");
  assertMatch(to, /^sam~[0-9a-z]{6}$/);
  await cluster.converged();
  for (const node of [node1, node2]) {
    const winner = await WireClient.connect(cluster.port(node));
    assertEquals((await winner.signIn("sam", "first password")).user, "sam");
    // Who lost the name may know nothing else: it still leads to the own mailbox.
    const loser = await WireClient.connect(cluster.port(node));
    assertEquals((await loser.signIn("sam", "second password")).user, to);
    const byAlias = await WireClient.connect(cluster.port(node));
    assertEquals((await byAlias.signIn(to, "second password")).user, to);
    const nobody = await WireClient.connect(cluster.port(node));
    await nobody.request({ kind: "login_name", payload: "sam" });
    const failed = await nobody.request({ kind: "login_password", payload: "a third password" });
    assertEquals(failed.kind, "login_failed");
    for (const client of [winner, loser, byAlias, nobody]) client.close();
  }
  late.close();
});

Deno.test("a cursor is good on every node: nothing is missed, and nothing told twice", async () => {
  await using cluster = await TestCluster.start();
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  const bob = await WireClient.connect(cluster.port("node2"));
  const { token } = await bob.signIn("bob");
  await cluster.converged();
  let cursor = (await bob.expect("done", SUBSCRIBE)).cursor ?? "";
  const seen: string[] = [];
  let listener = bob;
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 5; i++) {
      await alice.expect("sent", send("bob", `${round}.${i}`));
      // Leaves in the middle of a round.
      if (i > round % 5) continue;
      const event = await nextEvent(listener, "message");
      seen.push(event.content);
      cursor = event.cursor;
    }
    listener.close();
    const node = ["node3", "node1", "node2"][round % 3] ?? "";
    listener = await WireClient.resumed(cluster.port(node), { name: "bob", token });
    const resumed = { kind: "subscribe", payload: { since: cursor } } as const;
    const { count } = await listener.expect("done", resumed);
    // What this node does not have yet comes when it has it.
    for (let i = 0; i < 4 - round % 5; i++) {
      const event = await nextEvent(listener, "message");
      seen.push(event.content);
      cursor = event.cursor;
    }
    assert(count <= 4 - round % 5);
  }
  assertEquals(listener.eventsWaiting, 0);
  const all = Array.from({ length: 6 }, (_, round) => [0, 1, 2, 3, 4].map((i) => `${round}.${i}`));
  assertEquals(seen, all.flat());
  alice.close();
  listener.close();
});

Deno.test("a node whose directory was wiped has everything before it serves again", async () => {
  await using cluster = await TestCluster.start();
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  for (let i = 0; i < 100; i++) await alice.expect("sent", send("alice", `${i}`));
  await cluster.stopNode("node1");
  await assertClosed(alice);
  await Deno.remove(cluster.dataOf("node1"), { recursive: true });
  await cluster.startNode("node1");
  const again = await WireClient.signedIn(cluster.port("node1"), "alice");
  assertEquals((await again.expect("messages", list("alice"))).length, 100);
  const { copies } = await again.expect("sent", send("alice", "more"));
  assertGreaterOrEqual(copies, 2);
  await cluster.converged();
  again.close();
});

Deno.test("a copied directory, or an old one put back, is no fork: all nodes end up equal", async () => {
  await using cluster = await TestCluster.start();
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  await alice.expect("sent", send("alice", "before"));
  alice.close();
  await cluster.converged();
  await cluster.stopNode("node1");
  const [data, kept] = [cluster.dataOf("node1"), `${cluster.directory}/kept`];
  await copy(data, kept);
  await cluster.startNode("node1");
  const more = await WireClient.signedIn(cluster.port("node1"), "alice");
  const { id } = await more.expect("sent", send("alice", "after"));
  await more.expect("sent", send("alice", "deleted"));
  const [, , last] = await more.expect("messages", list("alice"));
  await more.expect("done", { kind: "delete_messages", payload: [last?.id ?? ""] });
  more.close();
  await cluster.converged();
  await cluster.stopNode("node1");
  // Over the files that are there, so that nothing of the directory tells that it is old.
  await copy(kept, data);
  await cluster.startNode("node1");
  const back = await WireClient.signedIn(cluster.port("node1"), "alice");
  assertEquals((await back.expect("messages", list("alice"))).map(({ content }) => content), [
    "before",
    "after",
  ]);
  const newer = await back.expect("sent", send("alice", "newest"));
  assert(newer.id !== id);
  await cluster.converged();
  assertEquals((await back.expect("messages", list("alice"))).length, 3);
  back.close();
});

Deno.test("a node whose journal lost its end gets it back, whether it notices by itself or not", async () => {
  await using cluster = await TestCluster.start();
  const journal = `${cluster.dataOf("node1")}/journal-00000001.jsonl`;
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  alice.close();
  for (const cutAtLine of [false, true]) {
    // Started again, as what was there at a start is known to have been synced.
    await cluster.stopNode("node1");
    await cluster.startNode("node1");
    await cluster.connected();
    const client = await WireClient.signedIn(cluster.port("node1"), "alice");
    for (let i = 0; i < 5; i++) await client.expect("sent", send("alice", `${cutAtLine} ${i}`));
    client.close();
    await cluster.converged();
    await cluster.stopNode("node1");
    const bytes = await Deno.readFile(journal);
    const end = cutAtLine ? bytes.lastIndexOf(0x0a, bytes.length - 2) + 1 : bytes.length - 10;
    await Deno.truncate(journal, end);
    await cluster.startNode("node1");
    const again = await WireClient.signedIn(cluster.port("node1"), "alice");
    await again.expect("sent", send("alice", `${cutAtLine} more`));
    await cluster.converged();
    const found = await again.expect("messages", list("alice"));
    assertEquals(found.filter(({ content }) => content.startsWith(`${cutAtLine}`)).length, 6);
    again.close();
  }
});

async function assertClosed(client: WireClient): Promise<void> {
  await client.closed.catch((error) => assert(error instanceof ClosedError));
}

async function copy(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", {
    args: ["-r", ...(await exists(to)) ? [`${from}/.`, to] : [from, to]],
  }).output();
  assert(success);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
