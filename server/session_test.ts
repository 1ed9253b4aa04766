import { assert, assertEquals, assertLess, fail } from "@std/assert";
import { encodeMessage, type Request, writeRequest } from "../codec/message.ts";
import { ChatState } from "./core/state.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { Presence } from "./presence.ts";
import { SessionRegistry } from "./registry.ts";
import type { RequestContext } from "./requests/context.ts";
import { WaitingTotal } from "./guard/waiting_total.ts";
import { type Connection, Session, type SessionParts } from "./session.ts";
import { SessionLog } from "./session_log.ts";
import { ManualTimer } from "./testing/manual_timer.ts";
import { commitTo, quickLog } from "./testing/test_commit.ts";
import { testServer } from "./testing/test_server.ts";
import { WireClient } from "./testing/wire_client.ts";
import { Turns } from "./guard/turns.ts";

const LONG = "x".repeat(60_000);

function send(to: string, content: string): Request {
  return { kind: "send_message", payload: { to, content } };
}

/** A frame's header, whatever it claims. */
function header(type: number, payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(type));
  view.setUint32(8, payloadBytes);
  return bytes;
}

function frame(type: number, ...payload: number[]): Uint8Array {
  return Uint8Array.from([...header(type, payload.length), ...payload]);
}

Deno.test("a frame over the limit gets one clear error, then the connection is closed", async () => {
  await using server = await testServer();
  const stranger = await WireClient.connect(server.port);
  await stranger.sendBytes(header(1, 4097));
  const refusal = await stranger.reply();
  assertEquals(refusal.kind === "error" && refusal.payload.code, "frame_too_large");
  await stranger.closed;

  const longwinded = await WireClient.connect(server.port);
  await longwinded.sendBytes(Uint8Array.from([...header(1, 4097), ...new Uint8Array(200_000)]));
  const answered = await longwinded.reply();
  assertEquals(answered.kind === "error" && answered.payload.code, "frame_too_large");
  longwinded.close();

  const web = await WireClient.connect(server.port);
  await web.sendBytes(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: chat\r\n\r\n"));
  const answer = await web.reply();
  assertEquals(answer.kind === "error" && answer.payload.code, "frame_too_large");
  await web.closed;
});

Deno.test("the limit of frames is 4 KiB before sign-in and 1 MiB after, and 4 KiB again after LOGOUT", async () => {
  await using server = await testServer();
  const client = await WireClient.connect(server.port);
  const name = "x".repeat(4096 - 5);
  assertEquals(await client.refusal({ kind: "login_name", payload: name }), "bad_name");
  await client.signIn("alice");
  const ids = Array.from({ length: 26_000 }, () => "y".repeat(35));
  const large = encodeMessage(writeRequest, { kind: "read_messages", payload: ids });
  assertLess(1_000_000, large.length);
  await client.sendBytes(large);
  assertEquals((await client.reply()).kind, "done");
  await client.expect("done", { kind: "logout", payload: null });
  await client.sendBytes(large);
  assertEquals((await client.reply()).kind, "error");
  await client.closed;
});

Deno.test("a broken payload in a whole frame gets an error, and the connection goes on", async () => {
  await using server = await testServer();
  const client = await WireClient.connect(server.port);
  const broken: [Uint8Array, string][] = [
    [frame(1, 9), "bad_value"],
    [frame(1, 1, 0, 0, 0, 9, 65), "bad_value"],
    [frame(1, 1, 0, 0, 0, 1, 0xff), "bad_value"],
    [frame(12, 0), "bad_payload"],
    [frame(6, 3, 0, 0, 0, 0, 7), "bad_value"],
    [frame(3, 2, 0, 0, 0, 0), "bad_payload"],
    [frame(57), "unknown_type"],
    [frame(-1), "unknown_type"],
  ];
  for (const [bytes, code] of broken) {
    await client.sendBytes(bytes);
    const reply = await client.reply();
    assertEquals(reply.kind === "error" && reply.payload.code, code, bytes.toString());
  }
  assertEquals((await client.request({ kind: "ping", payload: null })).kind, "pong");
  client.close();
});

Deno.test("requests are understood however the network cuts them", async () => {
  await using server = await testServer();
  const client = await WireClient.connect(server.port);
  const bytes = encodeMessage(writeRequest, { kind: "login_name", payload: "alice" });
  for (const byte of bytes) await client.sendBytes(Uint8Array.of(byte));
  assertEquals((await client.reply()).kind, "user_not_existing");
  client.close();
});

Deno.test("a client that closes its own side at once still gets its replies", async () => {
  await using server = await testServer();
  const client = await WireClient.signedIn(server.port, "alice");
  await client.send(send("alice", "last words"));
  await client.closeWrite();
  assertEquals((await client.reply()).kind, "sent");
  await client.closed;
});

Deno.test("a connection that does not sign in by its deadline is closed", async () => {
  await using server = await testServer({ limits: { signInDeadlineMs: 1 } });
  const stranger = await WireClient.connect(server.port);
  await stranger.closed;
});

Deno.test("an address that has its share of connections is told so and turned away", async () => {
  await using server = await testServer({ limits: { connectionsPerAddressMax: 2 } });
  const first = await WireClient.connect(server.port);
  const second = await WireClient.connect(server.port);
  for (const client of [first, second]) await client.request({ kind: "ping", payload: null });
  const third = await WireClient.connect(server.port);
  const reply = await third.reply();
  assertEquals(reply.kind === "error" && reply.payload.code, "too_many_connections");
  await third.closed;
  first.close();
  second.close();
});

Deno.test("a subscriber that reads nothing is disconnected, and harms nobody", async () => {
  await using server = await testServer({
    limits: { outboxPauseBytes: 100_000, outboxBytesMax: 300_000 },
  });
  const alice = await WireClient.signedIn(server.port, "alice");
  const deaf = await WireClient.connectDeaf(server.port);
  for (
    const request of [
      { kind: "login_name", payload: "deaf" },
      { kind: "login_password", payload: "correct horse" },
      { kind: "subscribe", payload: {} },
    ] satisfies Request[]
  ) await deaf.write(encodeMessage(writeRequest, request));
  const online = async () => {
    const users = await alice.expect("users", { kind: "list_users", payload: { pattern: "deaf" } });
    return users[0]?.online ?? false;
  };
  while (!(await online()));
  // What the kernel buffers is its business: send until the server has had enough.
  for (let sent = 0; await online(); sent++) {
    assertLess(sent, 2000);
    await alice.expect("sent", send("deaf", LONG));
  }
  deaf.close();
  alice.close();
});

Deno.test("a client that reads no replies is read no further, and gets all of them once it reads", async () => {
  await using server = await testServer({ limits: { outboxPauseBytes: 100_000 } });
  const alice = await WireClient.signedIn(server.port, "alice");
  for (let i = 0; i < 17; i++) await alice.expect("sent", send("alice", LONG));
  const lists = 60;
  for (let i = 0; i < lists; i++) {
    await alice.send({ kind: "list_messages", payload: { with: "alice" } });
  }
  for (let i = 0; i < lists; i++) {
    const reply = await alice.reply();
    assertEquals(reply.kind === "messages" && reply.payload.length, 17);
  }
  alice.close();
});

/** A session of this connection, alone on its server. */
function sessionOf(
  connection: Pick<Connection, "read" | "write">,
  parts: Pick<SessionParts, "nowMs" | "sleep" | "reportBug">,
): Session {
  const state = new ChatState();
  const registry = new SessionRegistry();
  return new Session(
    { address: "here", endWriting: () => Promise.resolve(), close() {}, ...connection },
    {
      ...{ state, registry, limits: DEFAULT_LIMITS },
      commit: commitTo(quickLog, { state }),
      presence: new Presence({ state, registry, timer: new ManualTimer(), tell() {} }),
      isWhole: () => true,
      told: new SessionLog(() => {}),
      turns: new Turns(parts),
      outboxTotal: new WaitingTotal(DEFAULT_LIMITS.outboxBytesTotalMax, () => fail("full")),
      frameTotal: new WaitingTotal(DEFAULT_LIMITS.frameBytesTotalMax, () => fail("full")),
      contextOf: (it) => ({ session: it } as RequestContext),
      ...parts,
    },
    new Set(),
  );
}

Deno.test("a connection that keeps the process busy lets others have their turn", async () => {
  const pings = 100;
  const ping = encodeMessage(writeRequest, { kind: "ping", payload: null });
  const chunks = [Uint8Array.from(Array.from({ length: pings }, () => [...ping]).flat())];
  let writtenBytes = 0;
  let turns = 0;
  let lookedMs = 0;
  const connection = {
    read(into: Uint8Array) {
      const chunk = chunks.shift();
      into.set(chunk ?? []);
      return Promise.resolve(chunk?.length ?? null);
    },
    write(bytes: Uint8Array) {
      writtenBytes += bytes.length;
      return Promise.resolve(bytes.length);
    },
  };
  await sessionOf(connection, {
    // Every look at the clock finds that a millisecond has passed.
    nowMs: () => lookedMs++,
    sleep() {
      turns++;
      return Promise.resolve();
    },
    reportBug: (error) => fail(String(error)),
  }).run();
  assertEquals(writtenBytes, pings * 12);
  assertLess(5, turns);
});

Deno.test("a connection that breaks off while it is told what it broke ends, and nothing else does", async () => {
  const chunks = [header(1, 4097)];
  const bugs: string[] = [];
  const connection = {
    read(into: Uint8Array) {
      const chunk = chunks.shift();
      if (chunk === undefined) return Promise.reject(new Error("No route to host"));
      into.set(chunk);
      return Promise.resolve(chunk.length);
    },
    write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
  };
  await sessionOf(connection, {
    nowMs: () => 0,
    sleep: () => Promise.resolve(),
    reportBug: (error) => bugs.push(String(error)),
  }).run();
  assertEquals(bugs, ["Error: No route to host"]);
});

Deno.test("a missed megabyte is sent at the speed of its reader", async () => {
  await using server = await testServer({
    limits: { outboxPauseBytes: 100_000, outboxBytesMax: 300_000 },
  });
  const alice = await WireClient.signedIn(server.port, "alice");
  for (let i = 0; i < 50; i++) await alice.expect("sent", send("alice", LONG));
  const { count } = await alice.expect("done", { kind: "subscribe", payload: { since: "" } });
  assertEquals(count, 50);
  for (let i = 0; i < 50; i++) assertEquals((await alice.event()).kind, "message");
  await alice.expect("sent", send("alice", "live"));
  const event = await alice.event();
  assertEquals(event.kind === "message" && event.payload.content, "live");
  alice.close();
});

for (const lostAfterMs of [0, 60_000]) {
  const when = lostAfterMs === 0 ? "once that counts as lost" : "which may still come";
  Deno.test(`presence is told with what its client has of other nodes in its cursor, ${when}`, () =>
    tellsPresence(lostAfterMs));
}

async function tellsPresence(lostAfterMs: number): Promise<void> {
  await using server = await testServer({ limits: { lostAfterMs } });
  const bob = await WireClient.signedIn(server.port, "bob");
  const alice = await WireClient.signedIn(server.port, "alice");
  await alice.expect("sent", send("bob", "hello"));
  bob.close();
  await alice.expect("done", { kind: "subscribe", payload: { since: "node9.x:7" } });
  assertEquals((await alice.event()).kind, "message");
  const back = await WireClient.signedIn(server.port, "bob");
  let event = await alice.event();
  while (event.kind !== "presence" || !event.payload.online) event = await alice.event();
  const bound = lostAfterMs === 0 ? "" : "/0";
  assert(event.payload.cursor.split(",").includes(`node9.x:7${bound}`), event.payload.cursor);
  back.close();
  alice.close();
}

Deno.test("wrong passwords make an account wait, and the right one of others not", async () => {
  await using server = await testServer({ limits: { wrongPasswordsPerAccount: 3 } });
  await WireClient.signedIn(server.port, "bob").then((client) => client.close());
  await WireClient.signedIn(server.port, "alice").then((client) => client.close());
  const thief = await WireClient.connect(server.port);
  await thief.request({ kind: "login_name", payload: "alice" });
  const guess: Request = { kind: "login_password", payload: "let me in now" };
  for (let i = 0; i < 3; i++) assertEquals((await thief.request(guess)).kind, "login_failed");
  assertEquals(await thief.refusal(guess), "too_many_attempts");
  const bob = await WireClient.signedIn(server.port, "bob");
  thief.close();
  bob.close();
});

Deno.test("an address that guesses at many accounts has to wait", async () => {
  await using server = await testServer({ limits: { wrongPasswordsPerAddress: 2 } });
  const thief = await WireClient.connect(server.port);
  for (const name of ["alice", "bob", "carol"]) {
    await WireClient.signedIn(server.port, name).then((client) => client.close());
  }
  const guess: Request = { kind: "login_password", payload: "let me in now" };
  const codes: string[] = [];
  for (const name of ["alice", "bob", "carol"]) {
    await thief.request({ kind: "login_name", payload: name });
    codes.push((await thief.request(guess)).kind);
  }
  assertEquals(codes, ["login_failed", "login_failed", "error"]);
  thief.close();
});

Deno.test("more passwords than can be hashed at once get `busy`, and nothing else suffers", async () => {
  await using server = await testServer({ limits: { hashesAtOnce: 1, hashQueueMax: 1 } });
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => WireClient.connect(server.port)),
  );
  const outcomes = await Promise.all(clients.map(async (client, i) => {
    await client.request({ kind: "login_name", payload: `user${i}` });
    const reply = await client.request({ kind: "login_password", payload: "correct horse" });
    return reply.kind === "error" ? reply.payload.code : reply.kind;
  }));
  assert(outcomes.every((outcome) => outcome === "login_success" || outcome === "busy"));
  assert(outcomes.includes("login_success"));
  for (const client of clients) client.close();
});

Deno.test("a connection that sends too fast is slowed down, and every request is answered", async () => {
  await using server = await testServer({ limits: { framesPerSecondAnonymousMax: 10 } });
  const client = await WireClient.connect(server.port);
  await client.send(
    ...Array.from({ length: 25 }, () => ({ kind: "ping", payload: null }) as const),
  );
  for (let i = 0; i < 25; i++) assertEquals((await client.reply()).kind, "pong");
  client.close();
});

Deno.test("a token and a password never reach the log", async () => {
  await using server = await testServer();
  const alice = await WireClient.connect(server.port);
  const { token } = await alice.signIn("alice", "correct horse");
  alice.close();
  const log = server.log.join("\n");
  assert(!log.includes(token) && !log.includes("correct horse"));
});
