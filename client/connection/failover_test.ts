import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { denoOutside } from "../deno_outside.ts";
import { ManualClock } from "../testing/manual_clock.ts";
import { ScratchNode } from "../testing/scratch_node.ts";
import { alice, clientOf, signedInTo } from "../testing/scripted_client.ts";
import {
  messageEvent,
  renamedEvent,
  ScriptedServer,
  signedIn,
} from "../testing/scripted_server.ts";
import { SessionEndedError, WrongPasswordError } from "./errors.ts";
import type { ChatClientOptions, ConnectionState } from "./options.ts";

/** Options of a client for which time passes when it waits for its next try, and never else. */
function hurried(clock: ManualClock, onState = (_: ConnectionState): void => {}) {
  return {
    outside: { ...denoOutside, clock },
    timeouts: {},
    onState(state: ConnectionState) {
      if (state.state === "lost") queueMicrotask(() => clock.advance(state.nextTryMs));
      onState(state);
    },
  } satisfies Partial<ChatClientOptions>;
}

/** Resolves with the error by which a client ends, and with when it was refused first. */
function endOf(clock: ManualClock) {
  const ended = Promise.withResolvers<unknown>();
  let refusedMs: number | undefined;
  const options = hurried(clock, (state) => {
    if (state.state === "ended") ended.resolve(state.error);
    else if (state.state === "lost" && state.why.includes("session")) refusedMs ??= clock.nowMs();
  });
  return { options, ended: ended.promise, refusedMs: () => refusedMs ?? NaN };
}

async function refuseSessions(server: ScriptedServer): Promise<void> {
  for await (const peer of server.connections()) await peer.refuseSession();
}

Deno.test("ChatClient ends once every node has refused its session for refusedByAllMs", async () => {
  const first = new ScriptedServer();
  const second = new ScriptedServer();
  const clock = new ManualClock();
  const { options, ended, refusedMs } = endOf(clock);
  const { client, peer } = await signedInTo(first, [second.host], options);
  peer.close();
  const refusing = [first, second].map(refuseSessions);
  assertInstanceOf(await ended, SessionEndedError);
  assertEquals(clock.nowMs() - refusedMs(), 2_000);
  await assertRejects(() => client.send("bob", "hello"), SessionEndedError);
  await client.close();
  for (const server of [first, second]) server[Symbol.dispose]();
  await Promise.all(refusing);
});

Deno.test("ChatClient ends after refusedBySomeMs while a node that might know better is away", async () => {
  const gone = new ScriptedServer();
  gone[Symbol.dispose]();
  const server = new ScriptedServer();
  const clock = new ManualClock();
  const { options, ended, refusedMs } = endOf(clock);
  const { client, peer } = await signedInTo(server, [gone.host], options);
  peer.close();
  const refusing = refuseSessions(server);
  assertInstanceOf(await ended, SessionEndedError);
  assertEquals(clock.nowMs() - refusedMs(), 10_000);
  await client.close();
  server[Symbol.dispose]();
  await refusing;
});

Deno.test("ChatClient goes on when a node that refused its session has caught up", async () => {
  const gone = new ScriptedServer();
  using behind = new ScriptedServer();
  const options = hurried(new ManualClock());
  const { client, peer } = await signedInTo(gone, [behind.host], options);
  const sent = client.send("bob", "hello");
  await peer.expect("send_message");
  gone[Symbol.dispose]();
  for (let round = 1; round <= 3; round++) await (await behind.accept()).refuseSession();
  const next = await behind.acceptSignIn();
  await next.expect("send_message");
  await next.reply({ kind: "sent", payload: { id: "m1", time: 1, copies: 1 } });
  assertEquals((await sent).id, "m1");
  await client.close();
});

Deno.test("ChatClient.signIn() believes a first refusal at once, by password or token", async () => {
  using server = new ScriptedServer();
  await using client = clientOf([server.host], hurried(new ManualClock()));
  const byPassword = assertRejects(() => client.signIn(alice), WrongPasswordError);
  const peer = await server.accept();
  await peer.expect("login_name");
  await peer.reply({ kind: "user_existing", payload: null });
  await peer.expect("login_password");
  await peer.reply({ kind: "login_failed", payload: null });
  await byPassword;
  const token = { user: "alice", token: "t0" };
  const byToken = assertRejects(() => client.signIn(token), SessionEndedError);
  await (await server.accept()).refuseSession();
  await byToken;
});

Deno.test("ChatClient tells a node that calls its password wrong no second time", async () => {
  using server = new ScriptedServer();
  const { client, peer } = await signedInTo(server, [], hurried(new ManualClock()));
  peer.close();
  const first = await server.accept();
  await first.expect("resume");
  await first.reply({ kind: "login_failed", payload: null });
  await first.expect("login_name");
  await first.reply({ kind: "user_existing", payload: null });
  await first.expect("login_password");
  await first.reply({ kind: "login_failed", payload: null });
  assertEquals(await first.next(), undefined);
  const second = await server.accept();
  await second.expect("resume");
  await second.reply({ kind: "login_failed", payload: null });
  assertEquals(await second.next(), undefined);
  await client.close();
});

Deno.test("ChatClient that was renamed resumes by its new name, and by the old where a node is behind", async () => {
  const first = new ScriptedServer();
  using second = new ScriptedServer();
  const { client, peer } = await signedInTo(first, [second.host]);
  const [events] = await Promise.all([client.subscribe(), peer.subscribe("c0")]);
  await peer.event(renamedEvent("alice", "alice~7", "c1"));
  assertEquals((await events[Symbol.asyncIterator]().next()).value?.kind, "renamed");
  assertEquals([client.session.user, client.session.token], ["alice~7", "t1"]);
  first[Symbol.dispose]();

  const behind = await second.accept();
  assertEquals((await behind.expect("resume")).payload, ["alice~7", "t1"]);
  await behind.reply({ kind: "login_failed", payload: null });
  assertEquals((await behind.expect("resume")).payload, ["alice", "t1"]);
  await behind.reply(signedIn("alice"));
  behind.close();
  const again = await second.accept();
  assertEquals((await again.expect("resume")).payload, ["alice", "t1"]);
  await again.reply(signedIn("alice~7"));
  await again.subscribe("c1");
  assertEquals(client.session.user, "alice~7");
  await client.close();
});

Deno.test("ChatClient is signed in on the next host well within a second of a node's SIGKILL", async () => {
  await using node = await ScratchNode.start();
  using next = new ScriptedServer();
  await using client = clientOf([node.host, next.host], { timeouts: {} });
  await client.signIn({ ...alice, create: true });
  const startMs = performance.now();
  const [, peer] = await Promise.all([node.kill(), next.acceptSignIn()]);
  const pinged = client.ping();
  await peer.expect("ping");
  await peer.reply({ kind: "pong", payload: null });
  await pinged;
  const tookMs = performance.now() - startMs;
  assert(tookMs < 1_000, `it took ${tookMs} ms`);
});

/** A client on a clock of its own, and by what its connection is lost. */
async function timed(server: ScriptedServer) {
  const clock = new ManualClock();
  const lost = Promise.withResolvers<string>();
  const { client, peer } = await signedInTo(server, [], {
    outside: { ...denoOutside, clock },
    timeouts: { heartbeatMs: 2_000, promptMs: 3_000, replyMs: 10_000 },
    onState: (state) => state.state === "lost" && lost.resolve(state.why),
  });
  return { clock, client, peer, lost: lost.promise };
}

Deno.test("ChatClient asks an idle server for a sign of life, and leaves without one after promptMs", async () => {
  using server = new ScriptedServer();
  const { clock, client, peer, lost } = await timed(server);
  clock.advance(2_000);
  await peer.expect("ping");
  clock.advance(2_999);
  await peer.reply({ kind: "pong", payload: null });
  const pinged = client.ping();
  await peer.expect("ping");
  await peer.reply({ kind: "pong", payload: null });
  await pinged;
  clock.advance(2_000);
  await peer.expect("ping");
  clock.advance(3_000);
  assertEquals(await lost, "no answer within 3000 ms");
  await client.close();
});

Deno.test("ChatClient waits replyMs for a request that may take time, and promptMs from its answer on", async () => {
  using server = new ScriptedServer();
  const { clock, client, peer, lost } = await timed(server);
  const sent = client.send("bob", "hello");
  const pinged = client.ping();
  await peer.expect("send_message");
  await peer.expect("ping");
  clock.advance(9_999);
  await peer.reply({ kind: "sent", payload: { id: "m1", time: 1, copies: 1 } });
  await sent;
  clock.advance(2_999);
  await peer.reply({ kind: "pong", payload: null });
  await pinged;
  const unanswered = assertRejects(() => client.send("bob", "are you there?"));
  await peer.expect("send_message");
  clock.advance(10_000);
  assertEquals(await lost, "no answer within 10000 ms");
  await client.close();
  await unanswered;
});

Deno.test("ChatClient leaves a host that takes its connection and says nothing after promptMs", async () => {
  using first = new ScriptedServer();
  using frozen = new ScriptedServer();
  using last = new ScriptedServer();
  const clock = new ManualClock();
  const losses: string[] = [];
  const outside = { ...denoOutside, clock };
  const { client, peer } = await signedInTo(first, [frozen.host, last.host], {
    outside,
    onState(state) {
      if (state.state !== "lost") return;
      losses.push(state.why);
      queueMicrotask(() => clock.advance(state.nextTryMs));
    },
  });
  peer.close();
  await (await frozen.accept()).expect("resume");
  clock.advance(3_000);
  await last.acceptSignIn();
  assertEquals(losses, ["the server closed the connection", "no answer within 3000 ms"]);
  await client.close();
});

Deno.test("ChatClient takes events for a sign of life while it waits for a PING's answer", async () => {
  using server = new ScriptedServer();
  const { clock, client, peer, lost } = await timed(server);
  const [events] = await Promise.all([client.subscribe(), peer.subscribe("c0")]);
  const pinged = client.ping();
  await peer.expect("ping");
  const incoming = events[Symbol.asyncIterator]();
  for (const content of ["one", "two"]) {
    clock.advance(2_000);
    await peer.event(messageEvent(content, content));
    await incoming.next();
  }
  clock.advance(2_999);
  await peer.reply({ kind: "pong", payload: null });
  await pinged;
  clock.advance(2_000);
  await peer.expect("ping");
  clock.advance(3_000);
  assertEquals(await lost, "no answer within 3000 ms");
  await client.close();
});
