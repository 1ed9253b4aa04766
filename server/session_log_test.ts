import { assertEquals, assertGreater } from "@std/assert";
import { encodeMessage, type Request, writeRequest } from "../codec/message.ts";
import type { LogEvent } from "./log.ts";
import { type TestServer, testServer, type ToldLine } from "./testing/test_server.ts";
import { until } from "./testing/until.ts";
import { WireClient } from "./testing/wire_client.ts";

const address = "127.0.0.1";

Deno.test("the log has a line for every sign-in and sign-out, by which way and from where", async () => {
  await using server = await testServer();
  const { port } = server;
  const alice = await WireClient.connect(port);
  const { token } = await alice.signIn("alice");
  await alice.expect("done", { kind: "logout", payload: null });
  await alice.signIn("alice");
  alice.close();
  const again = await WireClient.resumed(port, { name: "alice", token });
  const other = await WireClient.resumed(port, { name: "alice", token });
  await again.expect("done", {
    kind: "change_password",
    payload: ["correct horse", "battery staple"],
  });
  await other.closed;
  await again.expect("done", { kind: "delete_account", payload: null });
  await WireClient.signedIn(port, "Bob Großmann");
  await until(() => of(server, "sign_out").length === 4);
  const user = "alice";
  assertEquals(
    sorted(of(server, "sign_in")),
    sorted([
      { event: "sign_in", sentence: "alice signed up", user, address, how: "sign_up" },
      { event: "sign_in", sentence: "alice signed in", user, address, how: "password" },
      { event: "sign_in", sentence: "alice signed in", user, address, how: "token" },
      { event: "sign_in", sentence: "alice signed in", user, address, how: "token" },
      {
        ...{ event: "sign_in", sentence: "Bob Großmann signed up", user: "Bob Großmann" },
        ...{ address, how: "sign_up" },
      },
    ]),
  );
  const left = of(server, "sign_out").map((line) => `${line.user} ${line.reason}`);
  assertEquals(left.sort(), [
    "alice delete_account",
    "alice disconnected",
    "alice ended_elsewhere",
    "alice logout",
  ]);
});

Deno.test("the log has a line for everybody who is signed in when the node stops", async () => {
  const server = await testServer();
  {
    await using _ = server;
    await WireClient.signedIn(server.port, "alice");
    await WireClient.connect(server.port);
  }
  assertEquals(of(server, "sign_out"), [{
    ...{ event: "sign_out", user: "alice", address, reason: "stopping" },
    sentence: "alice signed out",
  }]);
});

Deno.test("the log tells of a sign-in that failed as whom, but not what is no account's name", async () => {
  await using server = await testServer({ limits: { wrongPasswordsPerAccount: 2 } });
  const { port } = server;
  const alice = await WireClient.signedIn(port, "alice");
  const guesser = await WireClient.connect(port);
  const guess = async (name: string) => {
    await guesser.request({ kind: "login_name", payload: name });
    return await guesser.request({ kind: "login_password", payload: "wrong horse" });
  };
  assertEquals((await guess("alice")).kind, "login_failed");
  await guesser.expect("user_existing", { kind: "login_name", payload: "alice" });
  await alice.expect("done", { kind: "delete_account", payload: null });
  const deleted = await guesser.request({ kind: "login_password", payload: "correct horse" });
  assertEquals(deleted.kind, "login_failed");
  await WireClient.signedIn(port, "alice");
  assertEquals((await guess("alice")).kind, "error");
  // As somebody does who has not seen that the name was asked for.
  const typed = "my secret password";
  await guesser.expect("login_failed", { kind: "resume", payload: [typed, "x.y.z"] });
  await guesser.expect("login_failed", { kind: "resume", payload: ["alice", "x.y.z"] });
  await guesser.expect("user_not_existing", { kind: "login_name", payload: typed });
  assertEquals(await guesser.refusal({ kind: "login_password", payload: "short" }), "bad_password");

  const failed = { event: "sign_in_failed", address } as const;
  const unknown = "could not sign in: there is no such account";
  const request = "login_password";
  assertEquals(of(server, "sign_in_failed"), [
    { ...failed, sentence: "could not sign in as alice", user: "alice", request },
    { ...failed, sentence: unknown, request, reason: "unknown_name" },
    { ...failed, sentence: unknown, request: "resume", reason: "unknown_name" },
    { ...failed, sentence: "could not sign in as alice", user: "alice", request: "resume" },
  ]);
  const refused = { event: "refused", address, request } as const;
  assertEquals(of(server, "refused"), [
    {
      ...{ ...refused, sentence: "refused login_password: too_many_attempts" },
      ...{ user: "alice", code: "too_many_attempts" },
    },
    { ...refused, sentence: "refused login_password: bad_password", code: "bad_password" },
  ]);
  assertEquals(JSON.stringify(server.told).includes("secret"), false);
  guesser.close();
});

Deno.test("the log has a line for every refusal: of what, why and whom, and nothing that was sent", async () => {
  await using server = await testServer();
  const client = await WireClient.connect(server.port);
  const content = "the door code is 4711";
  const message = { kind: "send_message", payload: { to: "nobody 4711", content } } as const;
  assertEquals(await client.refusal(message), "not_signed_in");
  await client.signIn("alice");
  assertEquals(await client.refusal(message), "no_such_user");
  assertEquals(
    await client.refusal({ kind: "login_name", payload: "bob 4711" }),
    "already_signed_in",
  );
  await client.sendBytes(Uint8Array.of(...new Uint8Array(7), 99, 0, 0, 0, 4, 52, 55, 49, 49));
  assertEquals((await client.reply()).kind, "error");
  await client.sendBytes(Uint8Array.of(...new Uint8Array(7), 1, 255, 255, 255, 255));
  assertEquals((await client.reply()).kind, "error");
  await client.closed;
  const refused = of(server, "refused").map((line) =>
    [line.user, line.request, line.code, line.address].join(" ")
  );
  assertEquals(refused, [
    " send_message not_signed_in 127.0.0.1",
    "alice send_message no_such_user 127.0.0.1",
    "alice login_name already_signed_in 127.0.0.1",
    "alice  unknown_type 127.0.0.1",
    "alice  frame_too_large 127.0.0.1",
  ]);
  assertEquals(JSON.stringify(server.told).includes("4711"), false);
});

Deno.test("the log has a line for every limit that a connection reached", async () => {
  const limits = {
    ...{ connectionsPerAddressMax: 2, signInDeadlineMs: 400, outboxBytesMax: 1024 * 1024 },
    framesPerSecondAnonymousMax: 5,
  };
  await using server = await testServer({ limits });
  const { port } = server;
  const alice = await WireClient.signedIn(port, "alice");
  const stranger = await WireClient.connect(port);
  const third = await WireClient.connect(port);
  assertEquals((await third.reply()).kind, "error");
  for (let count = 0; count < 20; count++) await stranger.send({ kind: "ping", payload: null });
  await stranger.closed;

  // One that reads nothing of what it is sent.
  const deaf = await WireClient.connectDeaf(port);
  const requests: Request[] = [
    { kind: "login_name", payload: "bob" },
    { kind: "login_password", payload: "correct horse" },
    { kind: "subscribe", payload: {} },
  ];
  for (const request of requests) await deaf.write(encodeMessage(writeRequest, request));
  await until(() => of(server, "sign_in").length === 2);
  const content = "x".repeat(60_000);
  while (of(server, "hung_up").length < 2) {
    await alice.expect("sent", { kind: "send_message", payload: { to: "bob", content } });
  }
  deaf.close();
  alice.close();

  assertEquals(of(server, "turned_away"), [{
    ...{ event: "turned_away", address },
    sentence: "turned a connection away: this server takes 2 connections of one address",
    reason: "this server takes 2 connections of one address",
  }]);
  const [slowed] = of(server, "slowed_down");
  assertEquals(slowed, {
    ...{ event: "slowed_down", address, limit: "framesPerSecondAnonymousMax" },
    sentence: "slowed down: framesPerSecondAnonymousMax",
  });
  assertEquals(of(server, "hung_up"), [
    {
      ...{ event: "hung_up", address, limit: "signInDeadlineMs" },
      sentence: "hung up: signInDeadlineMs",
    },
    {
      ...{ event: "hung_up", address, user: "bob", limit: "outboxBytesMax" },
      sentence: "hung up: outboxBytesMax",
    },
  ]);
  const [bobLeft] = of(server, "sign_out").filter(({ user }) => user === "bob");
  assertEquals(bobLeft?.reason, "outboxBytesMax");
});

Deno.test("the log has nothing for a request that is done", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const lines = server.told.length;
  assertGreater(lines, 0);
  for (let count = 0; count < 100; count++) {
    await alice.expect("sent", { kind: "send_message", payload: { to: "alice", content: "hi" } });
  }
  assertEquals(server.told.length, lines);
  alice.close();
});

function of({ told }: TestServer, event: LogEvent): ToldLine[] {
  return told.filter((line) => line.event === event).map((line) =>
    JSON.parse(JSON.stringify(line))
  );
}

function sorted(lines: readonly unknown[]): string[] {
  return lines.map((line) => JSON.stringify(Object.entries(line as object).sort())).sort();
}
