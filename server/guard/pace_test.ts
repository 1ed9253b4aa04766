import { assert, assertEquals, assertLess } from "@std/assert";
import { ChatClient } from "../../client/connection.ts";
import { denoOutside } from "../../client/deno_outside.ts";
import { encodeMessage, type Request, requests, writeRequest } from "../../codec/message.ts";
import type { Account } from "../core/account_table.ts";
import { Pace } from "./pace.ts";
import { testServer } from "../testing/test_server.ts";
import { WireClient } from "../testing/wire_client.ts";

const ALICE = {} as Account;
const BOB = {} as Account;

function send(to: string, content: string, key?: string): Request {
  return { kind: "send_message", payload: { to, content, ...(key !== undefined && { key }) } };
}

/** Sends all in one piece, so that however busy a machine is no time passes between them. */
async function sendAtOnce(client: WireClient, requests: readonly Request[]): Promise<void> {
  const bytes = requests.flatMap((request) => [...encodeMessage(writeRequest, request)]);
  await client.sendBytes(Uint8Array.from(bytes));
}

/** How long a client is told to wait by the next reply. */
async function toldMs(client: WireClient): Promise<number> {
  const reply = await client.reply();
  assert(reply.kind === "error", reply.kind);
  const { code, sentence } = reply.payload;
  assertEquals(code, "slow_down");
  return Number(/try again in (\d+) ms$/.exec(sentence)?.[1]);
}

Deno.test("Pace lets a burst pass, and then so much a second, over all connections of an account", () => {
  let nowMs = 0;
  const pace = new Pace({ messageBurst: 10, messagesPerSecond: 10 }, () => nowMs);
  const [one, other] = [{ slowUntilMs: 0 }, { slowUntilMs: 0 }];
  for (let count = 0; count < 10; count++) {
    assertEquals(pace.take(ALICE, count % 2 === 0 ? one : other, 1), 0);
  }
  assertEquals(pace.take(ALICE, one, 1), 250);
  assertEquals(pace.take(BOB, { slowUntilMs: 0 }, 1), 0);
  nowMs = 249;
  // Asked for before its time, it has to wait anew: nothing overtakes what was refused.
  assertEquals(pace.take(ALICE, one, 1), 250);
  assertEquals(pace.take(ALICE, other, 1), 0);
  nowMs += 250;
  for (let count = 0; count < 3; count++) assertEquals(pace.take(ALICE, one, 1), 0);
  assertEquals(pace.take(ALICE, one, 1), 250);
});

Deno.test("Pace takes whatever comes after a pause, and grants no more before it is paid for", () => {
  let nowMs = 0;
  const pace = new Pace({ messageBurst: 10, messagesPerSecond: 10 }, () => nowMs);
  const session = { slowUntilMs: 0 };
  assertEquals(pace.take(ALICE, session, 1_000_000), 0);
  const waitMs = pace.take(ALICE, session, 1);
  assertEquals(waitMs, 250);
  nowMs += waitMs;
  assertEquals(pace.take(ALICE, session, 1_000_000), 0);
  assertLess(pace.take(ALICE, session, 1), 1001);
});

Deno.test("an account that sends faster than it may is told when to go on, and nothing else suffers", async () => {
  const limits = { messageBurst: 5, messagesPerSecond: 2 };
  await using server = await testServer({ limits });
  const alice = await WireClient.signedIn(server.port, "alice");
  const bob = await WireClient.signedIn(server.port, "bob");
  await sendAtOnce(alice, [
    ...Array.from({ length: 5 }, () => send("bob", "hello")),
    send("bob", "too fast", "a key"),
    { kind: "delete_messages", payload: ["x"] },
    { kind: "read_messages", payload: "bob" },
  ]);
  for (let count = 0; count < 5; count++) assertEquals((await alice.reply()).kind, "sent");
  const waitMs = await toldMs(alice);
  assert(waitMs >= 250 && waitMs <= 500, `${waitMs}`);
  for (let count = 0; count < 2; count++) await toldMs(alice);
  const listed = { kind: "list_messages", payload: { with: "alice" } } as const;
  assertEquals((await bob.expect("messages", listed)).length, 5);
  await alice.expect("pong", { kind: "ping", payload: null });
  await alice.expect("messages", { kind: "list_messages", payload: { with: "bob" } });
  await bob.expect("sent", send("alice", "no hurry"));
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  await alice.expect("sent", send("bob", "too fast", "a key"));
  assertEquals((await bob.expect("messages", listed)).length, 7);
  for (const client of [alice, bob]) client.close();
});

Deno.test("who does not slow down is refused whatever they write, and goes on once they have waited", async () => {
  await using server = await testServer({ limits: { messageBurst: 1, messagesPerSecond: 1000 } });
  const alice = await WireClient.signedIn(server.port, "alice");
  await sendAtOnce(alice, [send("alice", "one"), send("alice", "two")]);
  assertEquals((await alice.reply()).kind, "sent");
  await toldMs(alice);
  // Not even looked at: it is no payload of such a request.
  const broken = encodeMessage(writeRequest, { kind: "list_users", payload: { pattern: "x" } });
  broken[7] = requests.send_message.type;
  await alice.sendBytes(broken);
  const waitMs = await toldMs(alice);
  // What costs nothing is answered.
  await alice.expect("pong", { kind: "ping", payload: null });
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  await alice.expect("sent", send("alice", "three"));
  await alice.sendBytes(broken);
  const refusal = await alice.reply();
  assertEquals(refusal.kind === "error" && refusal.payload.code, "bad_payload");
  alice.close();
});

Deno.test("a message that is told to many connections counts as many", async () => {
  await using server = await testServer({ limits: { messageBurst: 10, messagesPerSecond: 1 } });
  const bob = await WireClient.connect(server.port);
  const { token } = await bob.signIn("bob");
  const others = await Promise.all(
    Array.from({ length: 29 }, () => WireClient.resumed(server.port, { name: "bob", token })),
  );
  const alice = await WireClient.signedIn(server.port, "alice");
  // Of three each: the fourth is one too many.
  await sendAtOnce(alice, Array.from({ length: 5 }, (_, index) => send("bob", `hello ${index}`)));
  for (let count = 0; count < 4; count++) assertEquals((await alice.reply()).kind, "sent");
  await toldMs(alice);
  for (const client of [alice, bob, ...others]) client.close();
});

Deno.test("what costs as much as many messages counts as many", async () => {
  await using server = await testServer({ limits: { messageBurst: 40, messagesPerSecond: 1 } });
  const alice = await WireClient.signedIn(server.port, "alice");
  const ids = Array.from({ length: 1000 }, (_, index) => `id ${index}`);
  await sendAtOnce(alice, [{ kind: "delete_messages", payload: ids }, send("alice", "hello")]);
  assertEquals((await alice.reply()).kind, "done");
  await toldMs(alice);
  const bob = await WireClient.signedIn(server.port, "bob");
  await sendAtOnce(bob, [send("bob", "x".repeat(50_000)), send("bob", "hello")]);
  assertEquals((await bob.reply()).kind, "sent");
  await toldMs(bob);
  for (const client of [alice, bob]) client.close();
});

Deno.test("ChatClient that sends faster than it may gets slower, and loses and reorders nothing", async () => {
  const count = 600;
  await using server = await testServer({ limits: { messageBurst: 300, messagesPerSecond: 1000 } });
  await using client = new ChatClient({
    hosts: [{ host: server.hostname, port: server.port }],
    outside: denoOutside,
  });
  await client.signIn({ user: "alice", password: "correct horse", create: true });
  const texts = Array.from({ length: count }, (_, index) => `message ${index}`);
  await Promise.all(texts.map((text) => client.send("alice", text)));
  const kept = await client.history({ with: "alice" });
  assertEquals(kept.map(({ content }) => content), texts);
});
