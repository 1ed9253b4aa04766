import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { testServer } from "../server/testing/test_server.ts";
import {
  type ConnectionState,
  InvalidInputError,
  NoSuchAccountError,
  RefusedError,
  SessionEndedError,
  UnansweredError,
  UnknownOutcomeError,
  UnreachableError,
  WrongPasswordError,
} from "./connection.ts";
import { alice, clientOf, signedInTo } from "./testing/scripted_client.ts";
import { messageFrom, ScriptedServer, signedIn } from "./testing/scripted_server.ts";

Deno.test("ChatClient.signIn() sends no password for an account that it may not create", async () => {
  using server = new ScriptedServer();
  await using client = clientOf([server.host]);
  const signIn = assertRejects(() => client.signIn(alice), NoSuchAccountError);
  const peer = await server.accept();
  await peer.expect("login_name");
  await peer.reply({ kind: "user_not_existing", payload: null });
  await signIn;
  assertEquals(await peer.next(), undefined);
});

Deno.test("ChatClient.signIn() creates an account when it is told to", async () => {
  using server = new ScriptedServer();
  await using client = clientOf([server.host]);
  const signIn = client.signIn({ ...alice, create: true });
  const peer = await server.accept();
  await peer.expect("login_name");
  await peer.reply({ kind: "user_not_existing", payload: null });
  assertEquals((await peer.expect("login_password")).payload, alice.password);
  await peer.reply(signedIn());
  assertEquals((await signIn).token, "t1");
});

Deno.test("ChatClient.signIn() tells a wrong password", async () => {
  using server = new ScriptedServer();
  await using client = clientOf([server.host]);
  const signIn = assertRejects(() => client.signIn(alice), WrongPasswordError);
  const peer = await server.accept();
  await peer.expect("login_name");
  await peer.reply({ kind: "user_existing", payload: null });
  await peer.expect("login_password");
  await peer.reply({ kind: "login_failed", payload: null });
  await signIn;
});

Deno.test("ChatClient.signIn() names every host and its trouble when none can be used", async () => {
  const gone = new ScriptedServer();
  gone[Symbol.dispose]();
  using full = new ScriptedServer();
  await using client = clientOf([gone.host, full.host]);
  const signIn = assertRejects(() => client.signIn(alice), UnreachableError);
  const peer = await full.accept();
  const payload = { code: "too_many_connections", sentence: "come back later" };
  await peer.reply({ kind: "error", payload });
  const { failures } = await signIn;
  assertEquals(failures.map(({ host }) => Number(host.split(":")[1])), [
    gone.host.port,
    full.host.port,
  ]);
  assertMatch(failures[0]?.why ?? "", /refused/i);
  assertEquals(failures[1]?.why, "come back later");
});

Deno.test("ChatClient takes replies in the order of its pipelined requests", async () => {
  using server = new ScriptedServer();
  const { client, peer } = await signedInTo(server);
  const answers = Promise.all([
    client.send("bob", "first"),
    client.history({ with: "bob" }),
    client.send("bob", "second"),
  ]);
  const asked = [await peer.next(), await peer.next(), await peer.next()];
  assertEquals(asked.map((request) => request?.kind), [
    "send_message",
    "list_messages",
    "send_message",
  ]);
  await peer.reply({ kind: "sent", payload: { id: "m1", time: 1, copies: 1 } });
  await peer.reply({ kind: "messages", payload: [messageFrom("bob", "hi")] });
  await peer.reply({ kind: "sent", payload: { id: "m2", time: 2, copies: 3 } });
  const [first, history, second] = await answers;
  assertEquals([first.id, history[0]?.content, second.id, second.copies], ["m1", "hi", "m2", 3]);
  await client.close();
});

Deno.test("ChatClient turns an ERROR reply into a RefusedError and stays connected", async () => {
  using server = new ScriptedServer();
  const { client, peer } = await signedInTo(server);
  const send = assertRejects(() => client.send("bbo", "hello"), RefusedError);
  await peer.expect("send_message");
  const payload = { code: "no_such_user", sentence: "there is no bbo" };
  await peer.reply({ kind: "error", payload });
  assertEquals((await send).code, "no_such_user");
  const ping = client.ping();
  await peer.expect("ping");
  await peer.reply({ kind: "pong", payload: null });
  await ping;
  await client.close();
});

Deno.test("ChatClient sends no more than inFlightMax requests before it has answers", async () => {
  using server = new ScriptedServer();
  const limits = { inFlightMax: 2, waitingMax: 1 };
  const { client, peer } = await signedInTo(server, [], { limits });
  const pings = [client.ping(), client.ping(), client.ping()];
  await assertRejects(() => client.ping(), Error, "1 are waiting already");
  await peer.expect("ping");
  await peer.expect("ping");
  await peer.reply({ kind: "pong", payload: null });
  await peer.expect("ping");
  await peer.reply({ kind: "pong", payload: null });
  await peer.reply({ kind: "pong", payload: null });
  await Promise.all(pings);
  await client.close();
});

for (const moment of ["before the server took it", "after the server took it"]) {
  Deno.test(`ChatClient sends again with the same key when a server dies ${moment}`, async () => {
    const first = new ScriptedServer();
    using second = new ScriptedServer();
    const states: ConnectionState[] = [];
    const onState = (state: ConnectionState) => void states.push(state);
    const { client, peer } = await signedInTo(first, [second.host], { onState });
    const sends = Promise.all([client.send("bob", "one"), client.send("bob", "two")]);
    const keys: (string | undefined)[] = [];
    if (moment.startsWith("after")) {
      keys.push((await peer.expect("send_message")).payload.key);
      keys.push((await peer.expect("send_message")).payload.key);
    }
    first[Symbol.dispose]();

    const next = await second.accept();
    assertEquals((await next.expect("resume")).payload, ["alice", "t1"]);
    await next.reply(signedIn());
    const again = [await next.expect("send_message"), await next.expect("send_message")];
    assertEquals(again.map(({ payload }) => payload.content), ["one", "two"]);
    if (keys.length > 0) assertEquals(again.map(({ payload }) => payload.key), keys);
    await next.reply({ kind: "sent", payload: { id: "m1", time: 1, copies: 1 } });
    await next.reply({ kind: "sent", payload: { id: "m2", time: 2, copies: 1 } });
    assertEquals((await sends).map(({ id }) => id), ["m1", "m2"]);
    assertEquals(states.map(({ state }) => state), ["connected", "lost", "connected"]);
    await client.close();
  });
}

Deno.test("ChatClient keeps the order of requests that two servers in turn leave unanswered", async () => {
  const first = new ScriptedServer();
  const second = new ScriptedServer();
  using third = new ScriptedServer();
  const hosts = [second.host, third.host];
  const { client, peer } = await signedInTo(first, hosts, { limits: { inFlightMax: 2 } });
  const sends = Promise.all(["1", "2", "3"].map((content) => client.send("bob", content)));
  await peer.expect("send_message");
  first[Symbol.dispose]();
  const next = await second.acceptSignIn();
  await next.expect("send_message");
  second[Symbol.dispose]();
  const last = await third.acceptSignIn();
  for (const content of ["1", "2", "3"]) {
    assertEquals((await last.expect("send_message")).payload.content, content);
    await last.reply({ kind: "sent", payload: { id: content, time: 1, copies: 1 } });
  }
  assertEquals((await sends).map(({ id }) => id), ["1", "2", "3"]);
  await client.close();
});

Deno.test("ChatClient does not repeat what must not be done twice", async () => {
  const first = new ScriptedServer();
  using second = new ScriptedServer();
  const { client, peer } = await signedInTo(first, [second.host]);
  const change = assertRejects(
    () => client.changePassword("old password", "new password"),
    UnknownOutcomeError,
  );
  await peer.expect("change_password");
  first[Symbol.dispose]();
  await change;

  // Whichever password it is now, and with the token gone.
  const next = await second.accept();
  await next.expect("login_name");
  await next.reply({ kind: "user_existing", payload: null });
  assertEquals((await next.expect("login_password")).payload, "new password");
  await next.reply({ kind: "login_failed", payload: null });
  await next.expect("login_name");
  await next.reply({ kind: "user_existing", payload: null });
  assertEquals((await next.expect("login_password")).payload, "old password");
  await next.reply(signedIn());
  const status = client.ping();
  await next.expect("ping");
  await next.reply({ kind: "pong", payload: null });
  await status;
  await client.close();
});

Deno.test("ChatClient.changePassword() goes on with the token of the new password", async () => {
  const first = new ScriptedServer();
  using second = new ScriptedServer();
  const { client, peer } = await signedInTo(first, [second.host]);
  const change = client.changePassword("old password", "new password");
  await peer.expect("change_password");
  await peer.reply({ kind: "done", payload: { count: 1, copies: 2, token: "t2" } });
  assertEquals(await change, { count: 1, copies: 2 });
  assertEquals(client.session.token, "t2");
  first[Symbol.dispose]();

  const next = await second.accept();
  assertEquals((await next.expect("resume")).payload, ["alice", "t2"]);
  await client.close();
});

Deno.test("ChatClient.changePassword() makes a server take the new token, and no longer the old", async () => {
  await using server = await testServer();
  const hosts = [{ host: "127.0.0.1", port: server.port }];
  await using client = clientOf(hosts);
  const { token: old } = await client.signIn({ ...alice, create: true });
  await client.changePassword(alice.password, "battery staple");
  await client.send("alice", "still here");

  await using again = clientOf(hosts);
  await assertRejects(() => again.signIn({ user: "alice", token: old }), SessionEndedError);
  const { token } = client.session;
  assertEquals((await again.signIn({ user: "alice", token })).user, "alice");
});

Deno.test("ChatClient gives up a request over which connection after connection is lost", async () => {
  using server = new ScriptedServer();
  const limits = { triesMax: 2 };
  const { client, peer } = await signedInTo(server, [], { limits });
  const poison = assertRejects(() => client.send("bob", "poison"), UnansweredError);
  const harmless = client.send("bob", "harmless");
  await peer.expect("send_message");
  peer.close();
  const next = await server.acceptSignIn();
  await next.expect("send_message");
  next.close();
  await poison;
  const last = await server.acceptSignIn();
  assertEquals((await last.expect("send_message")).payload.content, "harmless");
  await last.reply({ kind: "sent", payload: { id: "m1", time: 1, copies: 1 } });
  assertEquals((await harmless).id, "m1");
  await client.close();
});

Deno.test("ChatClient refuses what no server can take before it sends anything", async () => {
  using server = new ScriptedServer();
  const { client, peer } = await signedInTo(server);
  for (const content of ["", "a\0b", "\ud800", "x".repeat(65_537)]) {
    await assertRejects(() => client.send("bob", content), InvalidInputError);
  }
  for (const name of ["", " bob", "b\nb", "x".repeat(65)]) {
    await assertRejects(() => client.send(name, "hello"), InvalidInputError);
  }
  const largest = client.send("x".repeat(64), "x".repeat(65_536));
  await peer.expect("send_message");
  await peer.reply({ kind: "sent", payload: { id: "m1", time: 1, copies: 1 } });
  await largest;
  await client.close();
});

Deno.test("ChatClient.deleteMessages() asks for 1,000 at a time", async () => {
  using server = new ScriptedServer();
  const { client, peer } = await signedInTo(server);
  const deleted = client.deleteMessages(Array.from({ length: 1001 }, (_, n) => `m${n}`));
  for (const count of [1000, 1]) {
    assertEquals((await peer.expect("delete_messages")).payload.length, count);
    await peer.reply({ kind: "done", payload: { count, copies: 3 - count % 2 } });
  }
  assertEquals(await deleted, { count: 1001, copies: 2 });
  await client.close();
});

Deno.test("ChatClient.readMessages() asks also about no ids: only a server knows the copies", async () => {
  using server = new ScriptedServer();
  const { client, peer } = await signedInTo(server);
  const read = client.readMessages([]);
  assertEquals((await peer.expect("read_messages")).payload, []);
  await peer.reply({ kind: "done", payload: { count: 0, copies: 2 } });
  assertEquals(await read, { count: 0, copies: 2 });
  await client.close();
});

Deno.test("ChatClient asks for a page of a search, for conversations, and for history from the beginning", async () => {
  using server = new ScriptedServer();
  const { client, peer } = await signedInTo(server);
  const search = client.search({ text: "hi", with: "Zoe\u0308", before: "m3", limit: 2 });
  assertEquals((await peer.expect("search_messages")).payload, {
    text: "hi",
    with: "Zo\u00eb",
    before: "m3",
    limit: 2,
  });
  const found = { messages: [messageFrom("bob", "hi")], next: "m1" };
  await peer.reply({ kind: "found", payload: found });
  assertEquals(await search, found);
  await assertRejects(() => client.search({ text: "hi", with: "" }), InvalidInputError);

  const conversations = client.conversations();
  assertEquals((await peer.expect("list_conversations")).payload, {});
  const listed = [{ name: "bob", unread: 1, online: true, time: 1_700_000_000_000 }];
  await peer.reply({ kind: "conversations", payload: listed });
  assertEquals(await conversations, listed);

  const history = client.history({ with: "bob", after: "" });
  assertEquals((await peer.expect("list_messages")).payload, { with: "bob", after: "" });
  await peer.reply({ kind: "messages", payload: found.messages });
  assertEquals(await history, found.messages);
  await client.close();
});

Deno.test("ChatClient.historyFromNewest() pages until there is nothing older", async () => {
  using server = new ScriptedServer();
  const { client, peer } = await signedInTo(server);
  const all = Array.fromAsync(client.historyFromNewest("bob"), ({ id }) => id);
  const pages: [string | undefined, string[]][] = [
    [undefined, ["m3", "m4"]],
    ["m3", ["m1", "m2"]],
    ["m1", []],
  ];
  for (const [before, page] of pages) {
    assertEquals((await peer.expect("list_messages")).payload.before, before);
    await peer.reply({ kind: "messages", payload: page.map((id) => messageFrom("bob", id)) });
  }
  assertEquals(await all, ["m4", "m3", "m2", "m1"]);
  await client.close();
});
