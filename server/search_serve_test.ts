import { assert, assertEquals } from "@std/assert";
import type { FoundMessages, RequestPayload } from "../codec/message.ts";
import { testServer } from "./testing/test_server.ts";
import { WireClient } from "./testing/wire_client.ts";

type Search = RequestPayload<"search_messages">;

function send(to: string, content: string) {
  return { kind: "send_message", payload: { to, content } } as const;
}

function search(payload: Search) {
  return { kind: "search_messages", payload } as const;
}

async function sendAll(client: WireClient, to: string, contents: readonly string[]) {
  await client.send(...contents.map((content) => send(to, content)));
  const ids: string[] = [];
  for (let left = contents.length; left > 0; left--) {
    const reply = await client.reply();
    assert(reply.kind === "sent");
    ids.push(reply.payload.id);
  }
  return ids;
}

async function pages(client: WireClient, payload: Search): Promise<FoundMessages[]> {
  const all: FoundMessages[] = [];
  let next: string | undefined;
  do {
    const position = next === undefined ? {} : { before: next };
    const page = await client.expect("found", search({ ...payload, ...position }));
    all.push(page);
    next = page.next;
  } while (next !== undefined);
  return all;
}

async function contents(client: WireClient, payload: Search): Promise<string[]> {
  return (await pages(client, payload)).flatMap(({ messages }) =>
    messages.map(({ content }) => content)
  );
}

Deno.test("SEARCH_MESSAGES finds one's own messages, newest first over all conversations, and no stranger's", async () => {
  await using server = await testServer();
  const [alice, bob, carol] = await Promise.all(
    ["alice", "bob", "carol"].map((name) => WireClient.signedIn(server.port, name)),
  );
  assert(alice && bob && carol);
  await alice.expect("sent", send("bob", "Lunch on FRIDAY?"));
  await carol.expect("sent", send("alice", "friday: brunch"));
  await bob.expect("sent", send("carol", "Lunch on Friday, without Alice"));
  await alice.expect("sent", send("alice", "note: lunch, friday"));
  const [note, brunch, lunch] = ["note: lunch, friday", "friday: brunch", "Lunch on FRIDAY?"];
  assertEquals(await contents(alice, { text: "fri unch" }), [note, brunch, lunch]);
  assertEquals(await contents(alice, { text: " LUNCH\u3000friday\n" }), [note, lunch]);
  assertEquals(await contents(alice, { text: "friday", with: "bob" }), [lunch]);
  assertEquals(await contents(alice, { text: "friday", with: "alice" }), [note]);
  assertEquals(await contents(bob, { text: "friday", with: "bob" }), []);
  assertEquals(await contents(carol, { text: "note" }), []);
  const [found] = (await alice.expect("found", search({ text: "brunch" }))).messages;
  assertEquals([found?.sender, found?.recipient, found?.status], ["carol", "alice", "unread"]);
  for (const client of [alice, bob, carol]) client.close();
});

Deno.test("SEARCH_MESSAGES never finds what was deleted, and goes on from it", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  await WireClient.signedIn(server.port, "bob").then((bob) => bob.close());
  const ids = await sendAll(alice, "bob", ["apple 1", "apple 2", "apple 3", "apple 4"]);
  const first = await alice.expect("found", search({ text: "apple", limit: 2 }));
  assertEquals([first.messages.map(({ id }) => id), first.next], [[ids[3], ids[2]], ids[2]]);
  const gone = { kind: "delete_messages", payload: [ids[2] ?? "", ids[1] ?? ""] } as const;
  assertEquals((await alice.expect("done", gone)).count, 2);
  assertEquals(await contents(alice, { text: "apple", before: ids[2] ?? "" }), ["apple 1"]);
  assertEquals(await contents(alice, { text: "apple" }), ["apple 4", "apple 1"]);
  assertEquals(await contents(alice, { text: "2" }), []);
  alice.close();
});

Deno.test("SEARCH_MESSAGES cuts at 1,000 and at 1 MiB, and `next` leads to each of the rest once", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  await WireClient.signedIn(server.port, "bob").then((bob) => bob.close());
  const short = Array.from({ length: 1500 }, (_, index) => `short ${index}`);
  for (const [to, odd] of [["alice", 1], ["bob", 0]] as const) {
    await sendAll(alice, to, short.filter((_, index) => index % 2 === odd));
  }
  const found = await pages(alice, { text: "SHORT", limit: 5000 });
  assertEquals(found.map(({ messages }) => messages.length), [1000, 500]);
  const all = found.flatMap(({ messages }) => messages);
  assertEquals(new Set(all.map(({ content }) => content)), new Set(short));
  assertEquals(all.map(({ time }) => time), all.map(({ time }) => time).toSorted((a, b) => b - a));
  const one = await alice.expect("found", search({ text: "short", limit: 1 }));
  assertEquals(one.messages.map(({ content }) => content), ["short 1498"]);

  await sendAll(
    alice,
    "alice",
    Array.from({ length: 40 }, (_, at) => `${at} ` + "y".repeat(60_000)),
  );
  const long = await pages(alice, { text: "yyyy" });
  // So much text may take another page, that finds nothing more.
  assertEquals(long.map(({ messages }) => messages.length).slice(0, 3), [17, 17, 6]);
  assert(long.slice(3).every(({ messages }) => messages.length === 0));
  alice.close();
});

Deno.test("SEARCH_MESSAGES refuses what is no query, no friend and no message of one's own", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const bob = await WireClient.signedIn(server.port, "bob");
  const { id } = await bob.expect("sent", send("bob", "secret"));
  const refusal = (payload: Search) => alice.refusal(search(payload));
  const words = (count: number) => Array.from({ length: count }, (_, at) => `w${at}`).join(" ");
  for (const text of ["", " \t\u00a0", "x".repeat(257), words(17)]) {
    assertEquals(await refusal({ text }), "bad_query");
  }
  for (const text of ["x".repeat(256), words(16), "a ".repeat(128), "\ufdfa".repeat(14)]) {
    assertEquals((await alice.expect("found", search({ text }))).messages, []);
  }
  assertEquals(await refusal({ text: "x", limit: 0 }), "bad_query");
  assertEquals(await refusal({ text: "x", with: "nobody" }), "no_such_user");
  assertEquals(await refusal({ text: "x", before: id }), "no_such_message");
  assertEquals(await refusal({ text: "x", before: "nonsense" }), "no_such_message");
  const stranger = await WireClient.connect(server.port);
  assertEquals(await stranger.refusal(search({ text: "x" })), "not_signed_in");
  for (const client of [alice, bob, stranger]) client.close();
});

Deno.test("LIST_CONVERSATIONS has whom one has messages with, the latest first", async () => {
  await using server = await testServer();
  const [alice, bob, carol] = await Promise.all(
    ["alice", "bob", "carol"].map((name) => WireClient.signedIn(server.port, name)),
  );
  assert(alice && bob && carol);
  const listed = (client: WireClient, payload: { limit?: number } = {}) =>
    client.expect("conversations", { kind: "list_conversations", payload });
  assertEquals(await listed(alice), []);
  const { time: noted } = await alice.expect("sent", send("alice", "note"));
  const { time: told } = await carol.expect("sent", send("alice", "one"));
  const [first = "", last = ""] = await sendAll(bob, "alice", ["two", "three"]);
  const all = await listed(alice);
  assertEquals(all.map(({ name, unread }) => [name, unread]), [
    ["bob", 2],
    ["carol", 1],
    ["alice", 1],
  ]);
  assertEquals(all.slice(1).map(({ time }) => time), [told, noted]);
  assert(all.every(({ online }) => online));
  assertEquals((await listed(bob)).map(({ name, unread }) => [name, unread]), [["alice", 0]]);
  assertEquals(await listed(alice, { limit: 2 }), all.slice(0, 2));
  assertEquals(await listed(alice, { limit: 0 }), []);
  assertEquals((await listed(alice, { limit: 5000 })).length, 3);

  const [{ time } = { time: 0 }] = await alice.expect("messages", {
    kind: "list_messages",
    payload: { with: "bob", limit: 1, before: last },
  });
  await alice.expect("done", { kind: "delete_messages", payload: [last] });
  const left = await listed(alice);
  assertEquals([left[0]?.name, left[0]?.time, left[0]?.unread], ["bob", time, 1]);
  await alice.expect("done", { kind: "delete_messages", payload: [first] });
  await carol.expect("done", { kind: "delete_account", payload: null });
  assertEquals((await listed(alice)).map(({ name }) => name), ["alice"]);
  for (const client of [alice, bob, carol]) client.close();
});

Deno.test("LIST_MESSAGES goes on after a message, from the beginning on, also after a deleted one", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const total = 1050;
  const ids = await sendAll(alice, "alice", Array.from({ length: total }, (_, at) => `${at}`));
  const from = async (after: string, limit?: number) => {
    const payload = { with: "alice", after, ...limit !== undefined && { limit } };
    const page = await alice.expect("messages", { kind: "list_messages", payload });
    return page.map(({ id }) => id);
  };
  const first = await from("");
  assertEquals(first, ids.slice(0, 1000));
  assertEquals(await from(first.at(-1) ?? ""), ids.slice(1000));
  assertEquals(await from(ids.at(-1) ?? ""), []);
  assertEquals(await from("", 2), ids.slice(0, 2));
  const gone = { kind: "delete_messages", payload: ids.slice(1, 4) } as const;
  await alice.expect("done", gone);
  assertEquals(await from(ids[2] ?? "", 2), ids.slice(4, 6));
  assertEquals(await from("", 2), [ids[0] ?? "", ids[4] ?? ""]);
  const before = { with: "alice", before: ids[2] ?? "" };
  const older = await alice.expect("messages", { kind: "list_messages", payload: before });
  assertEquals(older.map(({ id }) => id), ids.slice(0, 1));

  const refusal = (payload: RequestPayload<"list_messages">) =>
    alice.refusal({ kind: "list_messages", payload });
  assertEquals(await refusal({ ...before, after: "" }), "bad_request");
  assertEquals(await refusal({ with: "alice", after: "nonsense" }), "no_such_message");

  const bob = await WireClient.signedIn(server.port, "bob");
  const long = await sendAll(bob, "bob", Array.from({ length: 20 }, () => "x".repeat(60_000)));
  const payload = { with: "bob", after: "" };
  const page = await bob.expect("messages", { kind: "list_messages", payload });
  assertEquals(page.map(({ id }) => id), long.slice(0, 17));
  bob.close();
  alice.close();
});
