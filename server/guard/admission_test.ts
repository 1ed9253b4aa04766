import { assert, assertEquals } from "@std/assert";
import { encodeMessage, type Request, writeRequest } from "../../codec/message.ts";
import { Admission, MANY_OF_ACCOUNT } from "./admission.ts";
import type { Account } from "../core/account_table.ts";
import { DEFAULT_LIMITS, type Limits } from "../limits.ts";
import { type ConnectedClient, type EndReason, SessionRegistry } from "../registry.ts";
import { testServer } from "../testing/test_server.ts";
import { until } from "../testing/until.ts";
import { WireClient } from "../testing/wire_client.ts";

/** A connection of which only matters where it comes from, and how it ends. */
class Caller implements ConnectedClient {
  readonly address: string;
  readonly #registry: SessionRegistry;
  isAnswering = false;
  waitingBytes = 0;
  heldBytes = 0;
  hit: EndReason | undefined;
  account: Account | undefined;

  constructor(registry: SessionRegistry, address: string) {
    this.address = address;
    this.#registry = registry;
    registry.add(this);
  }

  end(hit?: EndReason): void {
    this.hit = hit;
    if (this.account !== undefined) this.#registry.signOut(this, this.account);
    this.#registry.remove(this);
  }

  signIn(account: Account): void {
    this.account = account;
    this.#registry.signIn(this, account);
  }

  tellNew(): void {}
  tellNow(): void {}
  checkName(): void {}
  checkCredential(): void {}
  checkDeadlines(): void {}
  finish(): Promise<void> {
    return Promise.resolve();
  }
}

const PING = encodeMessage(writeRequest, { kind: "ping", payload: null });

function doorOf(limits: Partial<Limits>) {
  const registry = new SessionRegistry();
  const clock = { nowMs: 0 };
  const admission = new Admission({ ...DEFAULT_LIMITS, ...limits }, registry, () => clock.nowMs);
  const come = (address: string) => {
    const refusal = admission.refusal(address);
    return refusal === undefined ? new Caller(registry, address) : refusal;
  };
  const comes = (address: string) => {
    const came = come(address);
    assert(typeof came === "object", `${came}`);
    return came;
  };
  return { registry, clock, come, comes };
}

Deno.test("Admission makes room among those who are not signed in, where most come from", () => {
  const { registry, come, comes } = doorOf({ anonymousConnectionsMax: 4 });
  const alice = comes("192.0.2.1");
  registry.signIn(alice, {} as Account);
  const waiting = comes("192.0.2.2");
  const flood = [1, 2, 3].map((host) => comes(`2001:db8::${host}`));
  const last = comes("192.0.2.3");
  assertEquals([alice, waiting, ...flood, last].map(({ hit }) => hit), [
    undefined,
    undefined,
    "anonymousConnectionsMax",
    undefined,
    undefined,
    undefined,
  ]);
  // Nobody whose password is being checked has to go.
  for (const client of [...flood, waiting, last]) client.isAnswering = true;
  assert(typeof come("192.0.2.4") === "string");
  last.isAnswering = false;
  comes("192.0.2.4");
  assertEquals(last.hit, "anonymousConnectionsMax");
});

Deno.test("Admission never ends who is signed in with some devices, and who has signed out may have to go", () => {
  const { registry, come, comes } = doorOf({ connectionsMax: 2 });
  const account = {} as Account;
  const [alice, phone] = [comes("192.0.2.1"), comes("192.0.2.1")];
  for (const client of [alice, phone]) registry.signIn(client, account);
  assert(typeof come("192.0.2.2") === "string");
  registry.signOut(phone, account);
  comes("192.0.2.2");
  assertEquals([alice.hit, phone.hit, registry.size], [undefined, "anonymousConnectionsMax", 2]);
});

Deno.test("Admission makes room among the connections of who has most, if those are many", () => {
  const { come, comes } = doorOf({ connectionsMax: MANY_OF_ACCOUNT + 3 });
  const [mallory, alice] = [{} as Account, {} as Account];
  const devices = ["192.0.2.1", "192.0.2.2"].map(comes);
  for (const device of devices) device.signIn(alice);
  const many = Array.from({ length: MANY_OF_ACCOUNT + 1 }, () => comes("192.0.2.3"));
  for (const one of many) one.signIn(mallory);
  for (const host of [4, 5]) comes(`192.0.2.${host}`).signIn({} as Account);
  assertEquals(many.map(({ hit }) => hit).filter((hit) => hit !== undefined), [
    "connectionsMax",
    "connectionsMax",
  ]);
  assertEquals(many.slice(0, 2).map(({ hit }) => hit), ["connectionsMax", "connectionsMax"]);
  assertEquals(devices.map(({ hit }) => hit), [undefined, undefined]);
  // Now nobody has many.
  assert(typeof come("192.0.2.6") === "string");
});

Deno.test("Admission takes so many connections of one address, or /64, and a second", () => {
  const { registry, clock, come, comes } = doorOf({
    connectionsPerAddressMax: 10,
    connectionBurstPerAddress: 5,
    connectionsPerSecondPerAddress: 10,
  });
  for (let host = 0; host < 5; host++) comes(`2001:db8::${host}`);
  assertEquals(come("2001:db8::9"), "too many connections of one address, try again in 100 ms");
  comes("2001:db8:0:1::1");
  clock.nowMs = 100;
  comes("2001:db8::9");
  assert(typeof come("2001:db8::9") === "string");
  clock.nowMs = 10_000;
  for (let host = 0; host < 4; host++) comes(`2001:db8::${host}`);
  assertEquals(come("2001:db8::9"), "this server takes 10 connections of one address");
  for (const client of [...registry.all()]) client.end();
  clock.nowMs = 20_000;
  comes("2001:db8::9");
});

Deno.test("Admission has time for so many strangers a second, and always for who comes from where one signed in", () => {
  const registry = new SessionRegistry();
  const clock = { nowMs: 0 };
  const limits = { ...DEFAULT_LIMITS, connectionBurst: 2, connectionsPerSecond: 10 };
  const admission = new Admission(limits, registry, () => clock.nowMs);
  const comeAll = (...hosts: number[]) =>
    hosts.map((host) => admission.isTooMuch(`192.0.2.${host}`));
  assertEquals(comeAll(1, 2, 3), [false, false, true]);
  clock.nowMs = 100;
  assertEquals(comeAll(4, 5), [false, true]);
  registry.signIn(new Caller(registry, "192.0.2.5"), {} as Account);
  assertEquals(comeAll(5, 5, 6), [false, false, true]);
});

Deno.test("people sign in, and come back by token, while connections that say nothing flood a node", async () => {
  await using server = await testServer({ limits: { anonymousConnectionsMax: 50 } });
  const alice = await WireClient.connect(server.port);
  const { token } = await alice.signIn("alice");
  const flood: Deno.TcpConn[] = [];
  for (let count = 0; count < 300; count++) {
    flood.push(await WireClient.connectDeaf(server.port));
    if (count % 100 !== 50) continue;
    (await WireClient.signedIn(server.port, `user${count}`)).close();
    (await WireClient.resumed(server.port, { name: "alice", token })).close();
  }
  const { connections } = await alice.expect("status", { kind: "status", payload: null });
  assert(connections <= 52, `${connections}`);
  for (const conn of flood) conn.close();
  alice.close();
});

Deno.test("a frame that comes too slowly ends its connection, and one that is just slow does not", async () => {
  await using server = await testServer({ limits: { frameDeadlineMs: 1 } });
  const slow = await WireClient.signedIn(server.port, "slow");
  await slow.sendBytes(new Uint8Array(5));
  await slow.closed;
  // Between frames a connection may wait as long as it likes.
  const idle = await WireClient.signedIn(server.port, "idle");
  const other = await WireClient.signedIn(server.port, "other");
  await other.sendBytes(new Uint8Array(5));
  await other.closed;
  await idle.expect("pong", { kind: "ping", payload: null });
  idle.close();
});

Deno.test("a connection over which nothing comes is closed in time, and one that sends PING is not", async () => {
  await using server = await testServer({ limits: { silenceMs: 2000 } });
  const [silent, talking] = await Promise.all(
    ["silent", "talking"].map((name) => WireClient.signedIn(server.port, name)),
  );
  assert(silent !== undefined && talking !== undefined);
  await silent.expect("done", { kind: "subscribe", payload: {} });
  let isClosed = false;
  void silent.closed.then(() => isClosed = true);
  while (!isClosed) await talking.expect("pong", { kind: "ping", payload: null });
  await talking.expect("pong", { kind: "ping", payload: null });
  talking.close();
});

Deno.test("an account has so many connections, and one more when one of them has ended", async () => {
  await using server = await testServer({ limits: { connectionsPerAccountMax: 2 } });
  const first = await WireClient.connect(server.port);
  const { token } = await first.signIn("alice");
  const second = await WireClient.resumed(server.port, { name: "alice", token });
  const third = await WireClient.connect(server.port);
  const resume: Request = { kind: "resume", payload: ["alice", token] };
  assertEquals(await third.refusal(resume), "too_many_connections");
  await third.request({ kind: "login_name", payload: "alice" });
  const byPassword: Request = { kind: "login_password", payload: "correct horse" };
  assertEquals(await third.refusal(byPassword), "too_many_connections");
  await second.expect("done", { kind: "logout", payload: null });
  await third.expect("login_success", resume);
  for (const client of [first, second, third]) client.close();
});

Deno.test("an address creates so many accounts, and signs in to as many as it likes", async () => {
  await using server = await testServer({
    limits: { signUpsPerAddress: 2, signUpRefillMs: 60_000 },
  });
  const password: Request = { kind: "login_password", payload: "correct horse" };
  for (const name of ["alice", "bob"]) (await WireClient.signedIn(server.port, name)).close();
  const third = await WireClient.connect(server.port);
  await third.request({ kind: "login_name", payload: "carol" });
  const { code, sentence } = await third.expect("error", password);
  assertEquals(code, "slow_down");
  assert(/try again in \d+ ms$/.test(sentence), sentence);
  (await WireClient.signedIn(server.port, "alice")).close();
  third.close();
});

Deno.test("subscribers who read nothing have so much waiting in all, and the one with most goes first", async () => {
  const limits = { outboxBytesTotalMax: 1024 * 1024, outboxBytesMax: 64 * 1024 * 1024 };
  await using server = await testServer({ limits });
  const alice = await WireClient.signedIn(server.port, "alice");
  const reader = await WireClient.signedIn(server.port, "reader");
  await reader.expect("done", { kind: "subscribe", payload: {} });
  (await WireClient.signedIn(server.port, "deaf")).close();
  const deaf = await Promise.all(Array.from({ length: 8 }, async () => {
    const conn = await WireClient.connectDeaf(server.port);
    const asked: Request[] = [
      { kind: "login_name", payload: "deaf" },
      { kind: "login_password", payload: "correct horse" },
      { kind: "subscribe", payload: {} },
    ];
    for (const request of asked) await conn.write(encodeMessage(writeRequest, request));
    return conn;
  }));
  const countOf = async () =>
    (await alice.expect("status", { kind: "status", payload: null })).connections;
  await until(async () => await countOf() === deaf.length + 2);
  const content = "x".repeat(60_000);
  for (let count = 0; await countOf() === deaf.length + 2; count++) {
    assert(count < 2000);
    await alice.expect("sent", { kind: "send_message", payload: { to: "deaf", content } });
  }
  await alice.expect("sent", { kind: "send_message", payload: { to: "reader", content: "hello" } });
  const event = await reader.event();
  assertEquals(event.kind === "message" && event.payload.content, "hello");
  for (const client of [...deaf, reader, alice]) client.close();
});

Deno.test("frames that are not completed take so much memory in all, and the one with most goes first", async () => {
  const limits = { frameBytesTotalMax: 4 * 1024 * 1024 };
  await using server = await testServer({ limits });
  const alice = await WireClient.signedIn(server.port, "alice");
  const [beginning, rest] = [PING.subarray(0, 5), PING.subarray(5)];
  await alice.sendBytes(beginning);
  (await WireClient.signedIn(server.port, "mallory")).close();
  const many = await Promise.all(
    Array.from({ length: 8 }, () => WireClient.signedIn(server.port, "mallory")),
  );
  let closed = 0;
  for (const one of many) void one.closed.then(() => closed++);
  const begun = encodeMessage(writeRequest, {
    kind: "read_messages",
    payload: Array.from({ length: 20_000 }, () => "x".repeat(35)),
  }).subarray(0, -1);
  // Of each, more than a sixth of what all may take.
  await Promise.all(many.map((one) => one.sendBytes(begun).catch(() => {})));
  await until(() => closed >= 2);
  await alice.sendBytes(rest);
  assertEquals((await alice.reply()).kind, "pong");
  for (const client of [...many, alice]) client.close();
});
