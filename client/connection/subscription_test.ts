import { assertEquals, assertRejects } from "@std/assert";
import type { Event } from "../../codec/message.ts";
import { ChatClient } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import { PROMPT } from "../testing/scripted_client.ts";
import {
  messageEvent,
  messageFrom,
  type Peer,
  ScriptedServer,
} from "../testing/scripted_server.ts";
import { RefusedError } from "./errors.ts";
import type { Host } from "./host.ts";
import type { ChatClientOptions } from "./options.ts";
import type { Outside } from "./outside.ts";
import type { ClientEvent, Subscription } from "./subscription.ts";

async function subscribedTo(
  server: ScriptedServer,
  others: Host[] = [],
  options: Partial<ChatClientOptions> = {},
): Promise<{ client: ChatClient; peer: Peer; events: AsyncIterator<ClientEvent> }> {
  const hosts = [server.host, ...others];
  const client = new ChatClient({ hosts, outside: denoOutside, timeouts: PROMPT, ...options });
  const credentials = { user: "alice", password: "correct horse" };
  const [peer] = await Promise.all([server.acceptSignIn(), client.signIn(credentials)]);
  const [events] = await Promise.all([client.subscribe(), peer.subscribe("c0")]);
  return { client, peer, events: iterate(events) };
}

function iterate(events: Subscription): AsyncIterator<ClientEvent> {
  return events[Symbol.asyncIterator]();
}

async function take(events: AsyncIterator<ClientEvent>, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const { value, done } = await events.next();
    if (done) break;
    const what = value.kind === "message" ? value.payload.content : value.kind;
    taken.push(value.late ? `${what} (late)` : what);
  }
  return taken;
}

Deno.test("Subscription goes on from the last event's cursor, with what was missed marked as late", async () => {
  const first = new ScriptedServer();
  using second = new ScriptedServer();
  const { client, peer, events } = await subscribedTo(first, [second.host]);
  await peer.event(messageEvent("one", "c1"));
  await peer.event(messageEvent("two", "c2"));
  assertEquals(await take(events, 2), ["one", "two"]);
  first[Symbol.dispose]();

  const next = await second.acceptSignIn();
  assertEquals(await next.subscribe("c4", [messageEvent("three", "c3")]), "c2");
  await next.event(messageEvent("four", "c4"));
  assertEquals(await take(events, 2), ["three (late)", "four"]);
  await client.close();
  assertEquals(await take(events, 1), []);
});

Deno.test("Subscription tells no message twice that its sender had to send again elsewhere", async () => {
  const first = new ScriptedServer();
  using second = new ScriptedServer();
  const { client, peer, events } = await subscribedTo(first, [second.host]);
  await peer.event(messageEvent("one", "c1"));
  assertEquals(await take(events, 1), ["one"]);
  first[Symbol.dispose]();
  const next = await second.acceptSignIn();
  await next.subscribe("c2", [messageEvent("one", "c2")]);
  await next.event(messageEvent("two", "c3"));
  assertEquals(await take(events, 1), ["two"]);
  await client.close();
});

Deno.test("Subscription tells no message of which it has told that it is gone", async () => {
  const first = new ScriptedServer();
  using second = new ScriptedServer();
  const { client, peer, events } = await subscribedTo(first, [second.host]);
  const one = messageFrom("bob", "one");
  // It was deleted before this node could tell of it; its sender had sent it by way of another one first.
  await peer.event({ kind: "deleted", payload: { ids: [one.id], cursor: "c1" } });
  assertEquals(await take(events, 1), ["deleted"]);
  first[Symbol.dispose]();
  const next = await second.acceptSignIn();
  await next.subscribe("c2", [{ kind: "message", payload: { ...one, cursor: "c2" } }]);
  await next.event(messageEvent("two", "c3"));
  assertEquals(await take(events, 1), ["two"]);
  await client.close();
});

Deno.test("Subscription tells of a new name that only the next sign-in tells of", async () => {
  const first = new ScriptedServer();
  using second = new ScriptedServer();
  const { client, events } = await subscribedTo(first, [second.host]);
  first[Symbol.dispose]();
  const next = await second.acceptSignIn("alice~7");
  assertEquals(await next.subscribe("c1"), "c0");
  const payload = { from: "alice", to: "alice~7", cursor: "c0" };
  assertEquals((await events.next()).value, { kind: "renamed", payload, late: true });
  next.close();
  // A node that is behind knows the old name, which is no news.
  await (await second.acceptSignIn("alice")).subscribe("c1", [messageEvent("one", "c1")]);
  assertEquals(await take(events, 1), ["one (late)"]);
  await client.close();
});

Deno.test("Subscription asks again for what a connection that was lost did not make up for", async () => {
  const first = new ScriptedServer();
  const second = new ScriptedServer();
  using third = new ScriptedServer();
  const hosts = [second.host, third.host];
  const { client, peer, events } = await subscribedTo(first, hosts);
  await peer.event(messageEvent("one", "c1"));
  assertEquals(await take(events, 1), ["one"]);
  first[Symbol.dispose]();
  // Its reply's cursor is ahead of what it manages to tell.
  await (await second.acceptSignIn()).subscribe("c9");
  second[Symbol.dispose]();
  assertEquals(await (await third.acceptSignIn()).subscribe("c9"), "c1");
  await client.close();
});

Deno.test("Subscription starts from the reply's cursor when no event has come", async () => {
  const first = new ScriptedServer();
  using second = new ScriptedServer();
  const { client } = await subscribedTo(first, [second.host]);
  first[Symbol.dispose]();
  assertEquals(await (await second.acceptSignIn()).subscribe("c9"), "c0");
  await client.close();
});

Deno.test("Subscription ends with the server's refusal of its cursor", async () => {
  using server = new ScriptedServer();
  const client = new ChatClient({ hosts: [server.host], outside: denoOutside });
  const signIn = client.signIn({ user: "alice", token: "t0" });
  const [peer] = await Promise.all([server.acceptSignIn(), signIn]);
  const refused = assertRejects(() => client.subscribe({ since: "nonsense" }), RefusedError);
  await peer.expect("subscribe");
  const payload = { code: "bad_cursor", sentence: "it is not one of ours" };
  await peer.reply({ kind: "error", payload });
  assertEquals((await refused).code, "bad_cursor");
  await client.close();
});

Deno.test("Subscription passes over events of a kind that it does not know", async () => {
  using server = new ScriptedServer();
  const { client, peer, events } = await subscribedTo(server);
  await peer.send(new Uint8Array([0, 0, 0, 0, 0, 0, 0x03, 0xe7, 0, 0, 0, 0]));
  await peer.event(messageEvent("one", "c1"));
  assertEquals(await take(events, 1), ["one"]);
  await client.close();
});

Deno.test("Subscription that is not taken stops the reading, and loses nothing", async () => {
  using server = new ScriptedServer();
  const content = "x".repeat(60_000);
  const count = 400;
  const limits = { eventsMax: 4 };
  let readBytes = 0;
  const full = Promise.withResolvers<void>();
  const outside = countingReads((bytes) => {
    readBytes += bytes;
    if (readBytes > limits.eventsMax * content.length) full.resolve();
  });
  const { client, peer, events } = await subscribedTo(server, [], { limits, outside });
  const writing = (async () => {
    for (let n = 1; n <= count; n++) await peer.event(largeEvent(content, n));
  })();
  await full.promise;
  // Whoever still read would have read much more by the time another connection answers.
  for (let round = 0; round < 20; round++) await roundTrip();
  assertEquals(readBytes < (limits.eventsMax + 3) * content.length, true);

  const cursors: string[] = [];
  while (cursors.length < count) cursors.push((await events.next()).value.payload.cursor);
  await writing;
  assertEquals(cursors, Array.from({ length: count }, (_, index) => `c${index + 1}`));
  await client.close();
});

function largeEvent(content: string, number: number): Event {
  const payload = { ...messageFrom("bob", content, `m${number}`), cursor: `c${number}` };
  return { kind: "message", payload };
}

/** This machine's network, with every read told of. */
function countingReads(onRead: (bytes: number) => void): Outside {
  return {
    ...denoOutside,
    async connect(host, timeoutMs) {
      const socket = await denoOutside.connect(host, timeoutMs);
      return {
        async read(into) {
          const bytes = await socket.read(into);
          onRead(bytes ?? 0);
          return bytes;
        },
        write: (bytes) => socket.write(bytes),
        close: () => socket.close(),
      };
    },
  };
}

async function roundTrip(): Promise<void> {
  using server = new ScriptedServer();
  const client = new ChatClient({ hosts: [server.host], outside: denoOutside });
  const signIn = client.signIn({ user: "carol", token: "t0" });
  await Promise.all([server.acceptSignIn(), signIn]);
  await client.close();
}

Deno.test("Subscription whose consumer waits for an answer gets it over a new connection", async () => {
  using server = new ScriptedServer();
  const limits = { eventsMax: 4 };
  const timeouts = { ...PROMPT, stallMs: 10 };
  const { client, peer, events } = await subscribedTo(server, [], { limits, timeouts });
  const all = Array.from({ length: 9 }, (_, n): Event => messageEvent(`${n}`, `c${n}`));
  for (const event of all) await peer.event(event);
  assertEquals(await take(events, 1), ["0"]);

  const read = client.readMessages(["0"]);
  await peer.expect("read_messages");
  await peer.reply({ kind: "done", payload: { count: 1, copies: 1 } });
  // The reply is behind events for which there is no room.
  const next = await server.acceptSignIn();
  await next.expect("read_messages");
  await next.reply({ kind: "done", payload: { count: 1, copies: 1 } });
  assertEquals((await read).count, 1);

  // One was taken, so the queue was full at the fourth or the fifth.
  const rest = take(events, 8);
  const { payload: { since } } = await next.expect("subscribe");
  await next.reply({ kind: "done", payload: { count: 0, copies: 1, cursor: "c9" } });
  const missed = all.findIndex(({ payload }) => payload.cursor === since) + 1;
  for (const event of all.slice(missed)) await next.event(event);
  const contents = (await rest).map((content) => content.replace(" (late)", ""));
  assertEquals([missed >= 4, contents], [true, ["1", "2", "3", "4", "5", "6", "7", "8"]]);
  await client.close();
});
