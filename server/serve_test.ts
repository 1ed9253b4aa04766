import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { RecoveryError } from "./journal/recovery.ts";
import { list, nextEvent } from "./testing/exchange.ts";
import { testServer } from "./testing/test_server.ts";
import { WireClient } from "./testing/wire_client.ts";

type Send = { to: string; content: string; key?: string };

function send(payload: Send) {
  return { kind: "send_message", payload } as const;
}

Deno.test("sign-in creates an account for a free name, and asks its password after that", async () => {
  await using server = await testServer();
  const first = await WireClient.connect(server.port);
  assertEquals(
    (await first.request({ kind: "login_name", payload: "alice" })).kind,
    "user_not_existing",
  );
  const { user, node, unread } = await first.expect("login_success", {
    kind: "login_password",
    payload: "correct horse",
  });
  assertEquals({ user, node, unread }, { user: "alice", node: "node1", unread: 0 });

  const second = await WireClient.connect(server.port);
  assertEquals(
    (await second.request({ kind: "login_name", payload: "alice" })).kind,
    "user_existing",
  );
  for (const wrong of ["wrong password", "short"]) {
    assertEquals(
      (await second.request({ kind: "login_password", payload: wrong })).kind,
      "login_failed",
    );
  }
  await second.expect("login_success", { kind: "login_password", payload: "correct horse" });
  first.close();
  second.close();
});

Deno.test("sign-in compares names in NFC and refuses what could be mistaken", async () => {
  await using server = await testServer();
  const client = await WireClient.signedIn(server.port, "Zo\u00eb");
  const again = await WireClient.connect(server.port);
  const decomposed = { kind: "login_name", payload: "Zoe\u0308" } as const;
  assertEquals((await again.request(decomposed)).kind, "user_existing");
  const bad = [
    "",
    " a",
    "a ",
    "a  b",
    "a\tb",
    "a\u00a0b",
    "a\u200bb",
    "\u202eabc",
    "a\0",
    "x".repeat(65),
  ];
  const mixed = ["\u0430lice", "p\u03b1ul", "\u0430\u03b1"];
  const inAnotherForm = ["\uff41lice", "\u{1d41a}lice", "\ufb01ona"];
  const others = ["al~a1b2c3", "\u3164", "a\u2028b", "\u2800"];
  for (const name of [...bad, ...others, ...mixed, ...inAnotherForm]) {
    assertEquals(
      await again.refusal({ kind: "login_name", payload: name }),
      "bad_name",
      JSON.stringify(name),
    );
  }
  for (
    const name of ["a b", "x".repeat(64), "日本", "a*b", "__proto__", "Ольга 2", "Ωμέγα", "Chloë"]
  ) {
    assertEquals(
      (await again.request({ kind: "login_name", payload: name })).kind,
      "user_not_existing",
    );
  }
  client.close();
  again.close();
});

Deno.test("a short or long password is refused before an account is made of it", async () => {
  await using server = await testServer();
  const client = await WireClient.connect(server.port);
  await client.request({ kind: "login_name", payload: "alice" });
  for (const password of ["1234567", "x".repeat(1025)]) {
    assertEquals(
      await client.refusal({ kind: "login_password", payload: password }),
      "bad_password",
    );
  }
  await client.expect("login_success", { kind: "login_password", payload: "12345678" });
  client.close();
});

Deno.test("requests are refused before sign-in, but for PING and STATUS", async () => {
  await using server = await testServer();
  const client = await WireClient.connect(server.port);
  assertEquals((await client.request({ kind: "ping", payload: null })).kind, "pong");
  const status = await client.expect("status", { kind: "status", payload: null });
  assertEquals(status.node, "node1");
  for (
    const request of [
      send({ to: "bob", content: "x" }),
      list("bob"),
      { kind: "read_messages", payload: "bob" },
      { kind: "list_users", payload: {} },
      { kind: "delete_messages", payload: [] },
      { kind: "delete_account", payload: null },
      { kind: "logout", payload: null },
      { kind: "change_password", payload: ["12345678", "12345678"] },
      { kind: "subscribe", payload: {} },
    ] as const
  ) {
    assertEquals(await client.refusal(request), "not_signed_in", request.kind);
  }
  assertEquals(
    await client.refusal({ kind: "login_password", payload: "12345678" }),
    "bad_request",
  );
  client.close();
});

Deno.test("a message is listed on both sides, read by its recipient, and told to all devices", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const phone = await WireClient.signedIn(server.port, "alice");
  const bob = await WireClient.signedIn(server.port, "bob");
  for (const client of [alice, phone, bob]) {
    await client.expect("done", { kind: "subscribe", payload: {} });
  }

  const { id, copies, time } = await alice.expect("sent", send({ to: "bob", content: "hé 👋" }));
  assertEquals(copies, 1);
  const message = { id, sender: "alice", recipient: "bob", content: "hé 👋", time };
  for (const client of [alice, phone, bob]) {
    const { cursor: _, ...told } = await nextEvent(client, "message");
    assertEquals(told, { ...message, status: "unread" });
  }
  assertEquals(await bob.expect("messages", list("alice")), [{ ...message, status: "unread" }]);
  assertEquals(await bob.expect("users", { kind: "list_users", payload: {} }), [
    { name: "alice", unread: 1, online: true },
    { name: "bob", unread: 0, online: true },
  ]);
  const { count } = await bob.expect("done", { kind: "read_messages", payload: "alice" });
  assertEquals(count, 1);
  for (const client of [alice, phone, bob]) {
    const { reader, ids } = await nextEvent(client, "read");
    assertEquals({ reader, ids }, { reader: "bob", ids: [id] });
  }
  assertEquals(await alice.expect("messages", list("bob")), [{ ...message, status: "read" }]);
  for (const client of [alice, phone, bob]) client.close();
});

Deno.test("only sender and recipient delete a message, for both", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const bob = await WireClient.signedIn(server.port, "bob");
  const eve = await WireClient.signedIn(server.port, "eve");
  const { id } = await alice.expect("sent", send({ to: "bob", content: "secret" }));
  const remove = { kind: "delete_messages", payload: [id, id, "nonsense"] } as const;
  assertEquals((await eve.expect("done", remove)).count, 0);
  assertEquals((await eve.expect("done", { kind: "read_messages", payload: [id] })).count, 0);
  assertEquals((await alice.expect("done", { kind: "read_messages", payload: [id] })).count, 0);
  await bob.expect("done", { kind: "subscribe", payload: {} });
  assertEquals((await alice.expect("done", remove)).count, 1);
  assertEquals((await nextEvent(bob, "deleted")).ids, [id]);
  assertEquals(await bob.expect("messages", list("alice")), []);
  for (const client of [alice, bob, eve]) client.close();
});

Deno.test("a key sent twice is one message with one id, also after it was deleted", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const bob = await WireClient.signedIn(server.port, "bob");
  const key = crypto.randomUUID();
  const first = await alice.expect("sent", send({ to: "bob", content: "once", key }));
  const second = await alice.expect("sent", send({ to: "bob", content: "once", key }));
  assertEquals(second, first);
  await alice.expect("done", { kind: "delete_messages", payload: [first.id] });
  assertEquals(await alice.expect("sent", send({ to: "bob", content: "once", key })), first);
  assertEquals(await alice.expect("messages", list("bob")), []);
  const others = await bob.expect("sent", send({ to: "alice", content: "mine", key }));
  assertNotEquals(others.id, first.id);
  alice.close();
  bob.close();
});

Deno.test("SEND_MESSAGE refuses what is no content, no key and no user", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const refusal = (payload: Send) => alice.refusal(send(payload));
  assertEquals(await refusal({ to: "alice", content: "" }), "bad_content");
  assertEquals(await refusal({ to: "alice", content: "a\0" }), "bad_content");
  assertEquals(await refusal({ to: "alice", content: "x".repeat(65_537) }), "bad_content");
  assertEquals(await refusal({ to: "alice", content: "é".repeat(32_769) }), "bad_content");
  assertEquals(await refusal({ to: "alice", content: "x", key: "" }), "bad_key");
  assertEquals(await refusal({ to: "alice", content: "x", key: "k".repeat(129) }), "bad_key");
  assertEquals(await refusal({ to: "nobody", content: "x" }), "no_such_user");
  await alice.expect("sent", send({ to: "alice", content: "é".repeat(32_768) }));
  alice.close();
});

Deno.test("LIST_MESSAGES pages back from a message, and cuts at 1,000", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const bob = await WireClient.signedIn(server.port, "bob");
  const total = 2050;
  await alice.send(
    ...Array.from({ length: total }, (_, i) => send({ to: "bob", content: `${i}` })),
  );
  for (let i = 0; i < total; i++) assertEquals((await alice.reply()).kind, "sent");
  const found: string[] = [];
  let before: string | undefined;
  for (const size of [1000, 1000, 50, 0]) {
    const payload = before === undefined ? { with: "alice" } : { with: "alice", before };
    const page = await bob.expect("messages", { kind: "list_messages", payload });
    assertEquals(page.length, size);
    found.unshift(...page.map(({ content }) => content));
    before = page[0]?.id ?? before;
  }
  assertEquals(found, Array.from({ length: total }, (_, i) => `${i}`));
  const few = { with: "alice", limit: 2 };
  const newest = await bob.expect("messages", { kind: "list_messages", payload: few });
  assertEquals(newest.map(({ content }) => content), ["2048", "2049"]);
  const wrong = { with: "alice", before: "nonsense" };
  assertEquals(await bob.refusal({ kind: "list_messages", payload: wrong }), "no_such_message");
  alice.close();
  bob.close();
});

Deno.test("LIST_MESSAGES cuts at 1 MiB", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const content = "x".repeat(60_000);
  await alice.send(...Array.from({ length: 40 }, () => send({ to: "alice", content })));
  for (let i = 0; i < 40; i++) assertEquals((await alice.reply()).kind, "sent");
  assertEquals((await alice.expect("messages", list("alice"))).length, 17);
  alice.close();
});

Deno.test("LIST_USERS knows wildcards and pages by name", async () => {
  await using server = await testServer();
  const names = ["al", "alice", "bob", "malice", "zoë"];
  const clients = await Promise.all(names.map((name) => WireClient.signedIn(server.port, name)));
  const [asker] = clients;
  assert(asker !== undefined);
  const matching = async (payload: { pattern?: string; after?: string; limit?: number }) =>
    (await asker.expect("users", { kind: "list_users", payload })).map(({ name }) => name);
  assertEquals(await matching({}), names);
  assertEquals(await matching({ pattern: "*" }), names);
  assertEquals(await matching({ pattern: "al*" }), ["al", "alice"]);
  assertEquals(await matching({ pattern: "*al*e" }), ["alice", "malice"]);
  assertEquals(await matching({ pattern: "*zoe\u0308" }), ["zoë"]);
  assertEquals(await matching({ pattern: "b.b" }), []);
  assertEquals(await matching({ after: "alice", limit: 2 }), ["bob", "malice"]);
  for (const client of clients) client.close();
});

Deno.test("a token signs in again, until the password changes or the account is deleted", async () => {
  await using server = await testServer();
  const alice = await WireClient.connect(server.port);
  const { token } = await alice.signIn("alice");
  const resume = (name: string, given: string) =>
    ({ kind: "resume", payload: [name, given] }) as const;
  const other = await WireClient.connect(server.port);
  for (
    const wrong of [
      "",
      "x",
      `${token}x`,
      token.slice(0, -1),
      `${token}.x`,
      token.replace(".", ".."),
    ]
  ) {
    assertEquals((await other.request(resume("alice", wrong))).kind, "login_failed", wrong);
  }
  assertEquals((await other.request(resume("bob", token))).kind, "login_failed");
  const { token: renewed } = await other.expect("login_success", resume("alice", token));
  await other.expect("done", { kind: "logout", payload: null });

  const change = { kind: "change_password", payload: ["correct horse", "battery staple"] } as const;
  const { token: fresh } = await alice.expect("done", change);
  assert(fresh !== undefined);
  await other.expect("login_success", resume("alice", fresh));
  await other.expect("done", { kind: "logout", payload: null });
  for (const old of [token, renewed]) {
    assertEquals((await other.request(resume("alice", old))).kind, "login_failed");
  }
  const { token: last } = await other.signIn("alice", "battery staple");
  await other.expect("done", { kind: "logout", payload: null });
  await alice.expect("done", { kind: "delete_account", payload: null });
  assertEquals((await other.request(resume("alice", last))).kind, "login_failed");
  alice.close();
  other.close();
});

Deno.test("a changed password ends the account's other sessions, and keeps this one", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const stolen = await WireClient.signedIn(server.port, "alice");
  const wrong = { kind: "change_password", payload: ["wrong password", "battery staple"] } as const;
  assertEquals(await alice.refusal(wrong), "wrong_password");
  const change = { kind: "change_password", payload: ["correct horse", "battery staple"] } as const;
  await alice.expect("done", change);
  await stolen.closed;
  assertEquals((await alice.request({ kind: "list_users", payload: {} })).kind, "users");
  alice.close();
});

Deno.test("a deleted account takes its messages and sessions with it; its name begins anew", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const phone = await WireClient.signedIn(server.port, "alice");
  const bob = await WireClient.signedIn(server.port, "bob");
  const { id } = await alice.expect("sent", send({ to: "bob", content: "from the first alice" }));
  await bob.expect("sent", send({ to: "alice", content: "to the first alice" }));
  await bob.expect("done", { kind: "subscribe", payload: {} });
  await alice.expect("done", { kind: "delete_account", payload: null });
  assertEquals(await alice.refusal({ kind: "list_users", payload: {} }), "not_signed_in");
  await phone.closed;
  assert((await nextEvent(bob, "deleted")).ids.includes(id));
  assertEquals(await bob.refusal(send({ to: "alice", content: "?" })), "no_such_user");

  const second = await WireClient.signedIn(server.port, "alice", "another password");
  assertEquals(await second.expect("messages", list("bob")), []);
  assertEquals(await bob.expect("messages", list("alice")), []);
  for (const client of [alice, bob, second]) client.close();
});

Deno.test("SUBSCRIBE with a cursor sends what was missed, none of it twice, also after a restart", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-test-" });
  let cursor: string;
  let seen: string;
  {
    await using server = await testServer({ directory });
    const alice = await WireClient.signedIn(server.port, "alice");
    const bob = await WireClient.signedIn(server.port, "bob");
    await bob.expect("done", { kind: "subscribe", payload: {} });
    await alice.expect("sent", send({ to: "bob", content: "seen" }));
    ({ cursor, id: seen } = await nextEvent(bob, "message"));
    bob.close();
    await bob.closed;
    await alice.expect("sent", send({ to: "bob", content: "missed" }));
    await alice.expect("done", { kind: "delete_messages", payload: [seen] });
    alice.close();
  }
  {
    await using server = await testServer({ directory });
    const bob = await WireClient.signedIn(server.port, "bob");
    const { count } = await bob.expect("done", { kind: "subscribe", payload: { since: cursor } });
    assertEquals(count, 2);
    const missed = await nextEvent(bob, "message");
    assertEquals(missed.content, "missed");
    const { ids, cursor: last } = await nextEvent(bob, "deleted");
    assertEquals(ids, [seen]);
    const again = await bob.expect("done", { kind: "subscribe", payload: { since: last } });
    assertEquals(again.count, 0);
    assertEquals(bob.eventsWaiting, 0);
    assertEquals(await bob.refusal({ kind: "subscribe", payload: { since: "?" } }), "bad_cursor");
    bob.close();
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("presence is told to those who share a conversation, and to nobody else", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const bob = await WireClient.signedIn(server.port, "bob");
  const eve = await WireClient.signedIn(server.port, "eve");
  await alice.expect("sent", send({ to: "bob", content: "hello" }));
  for (const client of [alice, eve]) {
    await client.expect("done", { kind: "subscribe", payload: {} });
  }
  const phone = await WireClient.signedIn(server.port, "bob");
  bob.close();
  await bob.closed;
  await phone.expect("done", { kind: "logout", payload: null });
  const { name, online } = await nextEvent(alice, "presence");
  assertEquals({ name, online }, { name: "bob", online: false });
  await eve.expect("pong", { kind: "ping", payload: null });
  assertEquals(eve.eventsWaiting, 0);
  for (const client of [alice, eve, phone]) client.close();
});

Deno.test("pipelined requests are answered in their order, whatever takes long", async () => {
  await using server = await testServer();
  const client = await WireClient.connect(server.port);
  await client.send(
    { kind: "login_name", payload: "alice" },
    { kind: "login_password", payload: "correct horse" },
    send({ to: "alice", content: "note" }),
    { kind: "ping", payload: null },
    list("alice"),
    { kind: "change_password", payload: ["correct horse", "battery staple"] },
    { kind: "list_users", payload: {} },
    { kind: "logout", payload: null },
    { kind: "list_users", payload: {} },
  );
  const kinds: string[] = [];
  for (let i = 0; i < 9; i++) kinds.push((await client.reply()).kind);
  const signIn = ["user_not_existing", "login_success"];
  assertEquals(kinds, [...signIn, "sent", "pong", "messages", "done", "users", "done", "error"]);
  client.close();
});

Deno.test("a journal in which a line is missing, moved or doubled is refused, and says where", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-test-" });
  {
    await using server = await testServer({ directory });
    const alice = await WireClient.signedIn(server.port, "alice");
    for (const content of ["one", "two", "three"]) {
      await alice.expect("sent", send({ to: "alice", content }));
    }
    alice.close();
  }
  const path = `${directory}/journal-00000001.jsonl`;
  const journal = await Deno.readTextFile(path);
  const [header, account, one, two, three] = journal.split("\n");
  const edits: [readonly (string | undefined)[], RegExp][] = [
    [[header, account, two, three], /operation 3 of .* where 2 is due at line 3/],
    [[header, account, two, one, three], /operation 3 of .* where 2 is due at line 3/],
    [[header, account, one, one, two, three], /operation 2 of .* a second time at line 4/],
  ];
  for (const [lines, says] of edits) {
    await Deno.writeTextFile(path, `${lines.join("\n")}\n`);
    const { message } = await assertRejects(() => testServer({ directory }), RecoveryError);
    assertMatch(message, says);
  }
  await Deno.writeTextFile(path, journal);
  await using server = await testServer({ directory });
  assertMatch(server.log.join("\n"), /read 4 records/);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("a restarted server has all that it acknowledged", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-test-" });
  const before = await testServer({ directory });
  const alice = await WireClient.signedIn(before.port, "alice");
  const { id } = await alice.expect("sent", send({ to: "alice", content: "kept" }));
  const { digest } = await alice.expect("status", { kind: "status", payload: null });
  await before.stop();
  await alice.closed;
  await assertRejects(() => alice.request({ kind: "ping", payload: null }));

  await using after = await testServer({ directory });
  assertMatch(after.log.join("\n"), /read 2 records/);
  const again = await WireClient.signedIn(after.port, "alice");
  assertEquals((await again.expect("status", { kind: "status", payload: null })).digest, digest);
  assertEquals((await again.expect("messages", list("alice"))).map((one) => one.id), [id]);
  again.close();
  await Deno.remove(directory, { recursive: true });
});
