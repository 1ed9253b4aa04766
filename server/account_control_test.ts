import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { StorageError } from "./journal/files.ts";
import { operatorAsks, tokenFor } from "./testing/operator_asks.ts";
import { runOperator } from "./testing/operator_run.ts";
import { type TestServer, testServer } from "./testing/test_server.ts";
import { tryPassword, tryRedeem, tryResume } from "./testing/sign_in_tries.ts";
import { WireClient } from "./testing/wire_client.ts";

const OLD = "correct horse";
const NEW = "battery staple";

function refusedWith(server: TestServer, request: Parameters<typeof operatorAsks>[1], why: string) {
  return assertRejects(() => operatorAsks(server.directory, request), StorageError, why);
}

Deno.test("an added account is signed in to with its token, which chooses a password, once", async () => {
  await using server = await testServer();
  const { port, directory } = server;
  const token = await tokenFor(directory, "account_add", "carol");
  assertMatch(token, /^(?:[0-9a-hjkmnp-tv-z]{4}-){4}[0-9a-hjkmnp-tv-z]{4}$/);
  assertEquals(await tryPassword(port, "carol", OLD), "login_failed");
  assertEquals(await tryPassword(port, "carol", token), "choose_password");
  const typed = ` ${token.toUpperCase().replaceAll("-", " ")}`;
  assertEquals(await tryPassword(port, "carol", typed), "choose_password");

  const client = await WireClient.connect(port);
  const redeem = (password: string, text = token) =>
    client.request({ kind: "redeem", payload: { user: "carol", token: text, password } });
  const outcome = async (password: string, text?: string) => {
    const reply = await redeem(password, text);
    return reply.kind === "error" ? reply.payload.code : reply.kind;
  };
  assertEquals(await outcome("short"), "bad_password");
  assertEquals(await outcome(token.replaceAll("-", "")), "bad_password");
  assertEquals(await outcome(NEW, `${token}0`), "login_failed");
  assertEquals(await outcome(NEW, OLD), "login_failed");
  assertEquals(await client.refusal({ kind: "list_users", payload: {} }), "not_signed_in");
  const reply = await redeem(NEW, typed);
  assert(reply.kind === "login_success");
  assertEquals([reply.payload.user, reply.payload.copies], ["carol", 1]);
  assertEquals(await outcome(NEW), "already_signed_in");
  await client.expect("users", { kind: "list_users", payload: {} });
  client.close();

  assertEquals(await tryRedeem(port, "carol", token, "another one"), "login_failed");
  assertEquals(await tryPassword(port, "carol", token), "login_failed");
  assertEquals(await tryPassword(port, "carol", NEW), "login_success");
  assertEquals(await tryResume(port, "carol", reply.payload.token), "login_success");
});

Deno.test("a token that has expired is a wrong password, and one of a taken or invalid name is not made", async () => {
  await using server = await testServer();
  const { port, directory } = server;
  const token = await tokenFor(directory, "account_add", "carol", 0);
  assertEquals(await tryPassword(port, "carol", token), "login_failed");
  assertEquals(await tryRedeem(port, "carol", token, NEW), "login_failed");
  const add = (name: string) => ({ command: "account_add", name, lifetimeMs: 1 }) as const;
  await refusedWith(server, add("carol"), "there is an account of this name already");
  for (const name of ["", " carol", "x".repeat(65), "a\u0000b", "carol~a1b2c3"]) {
    await refusedWith(server, add(name), "a name has 1 to 64 characters");
  }
  await refusedWith(server, { ...add("dora"), command: "account_reset" }, "there is no account");
});

Deno.test("of two who use a token at once, one gets the account", async () => {
  await using server = await testServer();
  const token = await tokenFor(server.directory, "account_add", "carol");
  const replies = await Promise.all(
    ["first one's", "second one's"].map((password) =>
      tryRedeem(server.port, "carol", token, password)
    ),
  );
  assertEquals(replies.sort(), ["login_failed", "login_success"]);
});

Deno.test("a reset ends the password, all sessions and their tokens, and a second one the first token", async () => {
  await using server = await testServer();
  const { port, directory } = server;
  const client = await WireClient.connect(port);
  const { token: session } = await client.signIn("alice", OLD);
  const first = await tokenFor(directory, "account_reset", "alice");
  await client.closed;
  assertEquals(await tryResume(port, "alice", session), "login_failed");
  assertEquals(await tryPassword(port, "alice", OLD), "login_failed");
  const second = await tokenFor(directory, "account_reset", "alice");
  assertEquals(await tryRedeem(port, "alice", first, NEW), "login_failed");
  assertEquals(await tryRedeem(port, "alice", second, NEW), "login_success");
  assertEquals(await tryPassword(port, "alice", NEW), "login_success");
});

Deno.test("a disabled account tells so to who knows its password, and ends its sessions", async () => {
  await using server = await testServer();
  const { port, directory } = server;
  const client = await WireClient.connect(port);
  const { token: session } = await client.signIn("alice", OLD);
  const bob = await WireClient.signedIn(port, "bob");
  const disable = { command: "account_disable", name: "alice" } as const;
  const enable = { command: "account_enable", name: "alice" } as const;
  assertEquals(await operatorAsks(directory, enable), { name: "alice", isNew: false, copies: 1 });
  assertEquals(await operatorAsks(directory, disable), { name: "alice", isNew: true, copies: 1 });
  await client.closed;
  assertEquals(await operatorAsks(directory, disable), { name: "alice", isNew: false, copies: 1 });

  assertEquals(await tryPassword(port, "alice", OLD), "account_disabled");
  assertEquals(await tryPassword(port, "alice", NEW), "login_failed");
  assertEquals(await tryResume(port, "alice", session), "login_failed");
  assertEquals(await tryRedeem(port, "alice", OLD, NEW), "account_disabled");
  // Others may still write, and nobody else may have the name.
  await bob.expect("sent", { kind: "send_message", payload: { to: "alice", content: "hi" } });
  await refusedWith(
    server,
    { command: "account_reset", name: "alice", lifetimeMs: 1 },
    "the account is disabled: enable it first",
  );
  for (const command of ["account_disable", "account_enable"] as const) {
    await refusedWith(server, { command, name: "nobody" }, "there is no account of this name");
  }

  assertEquals(await operatorAsks(directory, enable), { name: "alice", isNew: true, copies: 1 });
  // What somebody may have taken from a device stays worthless.
  assertEquals(await tryResume(port, "alice", session), "login_failed");
  const again = await WireClient.connect(port);
  const { token, unread } = await again.signIn("alice", OLD);
  assertEquals(unread, 1);
  assertEquals(await tryResume(port, "alice", token), "login_success");
  bob.close();
  again.close();
});

Deno.test("a one-time token waits while its account is disabled, and expires then too", async () => {
  await using server = await testServer();
  const { port, directory } = server;
  const tokens = [
    await tokenFor(directory, "account_add", "carol"),
    await tokenFor(directory, "account_add", "dora", 0),
  ];
  const names = ["carol", "dora"];
  const outcomes = async () => {
    const codes: string[] = [];
    for (const [at, name] of names.entries()) {
      codes.push(await tryPassword(port, name, tokens[at] ?? ""));
      codes.push(await tryRedeem(port, name, tokens[at] ?? "", NEW));
    }
    return codes;
  };
  for (const name of names) await operatorAsks(directory, { command: "account_disable", name });
  const refused = ["account_disabled", "account_disabled", "login_failed", "login_failed"];
  assertEquals(await outcomes(), refused);
  for (const name of names) await operatorAsks(directory, { command: "account_enable", name });
  const enabled = ["choose_password", "login_success", "login_failed", "login_failed"];
  assertEquals(await outcomes(), enabled);
});

Deno.test("guesses at a token, at an invitation and at a password are counted together", async () => {
  const limits = { wrongPasswordsPerAccount: 3, wrongPasswordRefillMs: 3_600_000 };
  await using server = await testServer({ limits });
  const token = await tokenFor(server.directory, "account_add", "carol");
  const codes = [
    await tryRedeem(server.port, "carol", "0000-0000-0000-0000-0000", NEW),
    await tryPassword(server.port, "carol", OLD),
    await tryRedeem(server.port, "carol", "invite.x", NEW),
    await tryRedeem(server.port, "carol", token, NEW),
    await tryPassword(server.port, "carol", token),
  ];
  const over = ["too_many_attempts", "too_many_attempts"];
  assertEquals(codes, ["login_failed", "login_failed", "bad_invitation", ...over]);
});

Deno.test("a reset outranks the changes of a password before it, and not those after it", async () => {
  await using server = await testServer();
  const { port, directory } = server;
  const client = await WireClient.signedIn(port, "alice", OLD);
  for (const [old, password] of [[OLD, NEW], [NEW, OLD]] as const) {
    await client.expect("done", { kind: "change_password", payload: [old, password] });
  }
  const token = await tokenFor(directory, "account_reset", "alice");
  await client.closed;
  assertEquals(await tryRedeem(port, "alice", token, NEW), "login_success");
  const again = await WireClient.signedIn(port, "alice", NEW);
  await again.expect("done", { kind: "change_password", payload: [NEW, OLD] });
  again.close();
});

Deno.test("states and tokens are as they were after a restart, a compaction and a check of the log", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-test-" });
  const tokens: string[] = [];
  {
    await using server = await testServer({ directory });
    (await WireClient.signedIn(server.port, "alice", OLD)).close();
    await operatorAsks(directory, { command: "account_disable", name: "alice" });
    tokens.push(await tokenFor(directory, "account_add", "carol"));
    tokens.push(await tokenFor(directory, "account_add", "dora"));
    await operatorAsks(directory, { command: "account_disable", name: "dora" });
    await operatorAsks(directory, { command: "compact" });
    const listed = await operatorAsks(directory, { command: "account_list" });
    assertEquals(
      listed.accounts.map(({ name, state }) => `${name} ${state}`),
      ["alice disabled", "carol one_time_token", "dora disabled"],
    );
    tokens.push(await tokenFor(directory, "account_reset", "carol"));
  }
  const verified = await runOperator("log verify", "--data", directory);
  assertEquals([verified.code, verified.stderr], [0, ""]);
  const lines = await Array.fromAsync(Deno.readDir(directory));
  let text = "";
  for (const { name } of lines.filter(({ name }) => name.endsWith(".jsonl"))) {
    text += await Deno.readTextFile(`${directory}/${name}`);
  }
  for (const token of tokens) {
    assertEquals([text.includes(token), text.includes(token.replaceAll("-", ""))], [false, false]);
  }
  {
    await using server = await testServer({ directory });
    assertEquals(await tryPassword(server.port, "alice", OLD), "account_disabled");
    assertEquals(await tryPassword(server.port, "carol", tokens[0] ?? ""), "login_failed");
    assertEquals(await tryPassword(server.port, "dora", tokens[1] ?? ""), "account_disabled");
    assertEquals(await tryRedeem(server.port, "carol", tokens[2] ?? "", NEW), "login_success");
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("account_list tells of each account that there is what its operator wants to know", async () => {
  await using server = await testServer();
  const { port, directory } = server;
  const alice = await WireClient.signedIn(port, "alice");
  const bob = await WireClient.signedIn(port, "bob");
  await bob.expect("sent", { kind: "send_message", payload: { to: "alice", content: "hi" } });
  await bob.expect("done", { kind: "delete_account", payload: null });
  await tokenFor(directory, "account_add", "carol", 1000);
  const { accounts, next } = await operatorAsks(directory, { command: "account_list" });
  assertEquals(next, undefined);
  const [first, second, ...others] = accounts;
  assertEquals([others, first?.name, second?.name], [[], "alice", "carol"]);
  assertEquals([first?.state, first?.online, first?.unread], ["active", true, 0]);
  assertEquals([second?.state, second?.online, second?.unread], ["one_time_token", false, 0]);
  assertNotEquals(second?.expires, undefined);
  await refusedWith(server, { command: "account_list", after: "nobody" }, "begin it anew");
  alice.close();
  bob.close();
});

Deno.test("the log tells what the operator did to whom and who used a token, and never the token", async () => {
  await using server = await testServer();
  const { port, directory } = server;
  const token = await tokenFor(directory, "account_add", "carol");
  const name = "carol";
  for (const command of ["account_disable", "account_disable", "account_enable"] as const) {
    await operatorAsks(directory, { command, name });
  }
  assertEquals(await tryRedeem(port, name, `${token}0`, NEW), "login_failed");
  assertEquals(await tryRedeem(port, name, token, NEW), "login_success");
  const reset = await tokenFor(directory, "account_reset", name);
  assertEquals(
    server.told.filter(({ event }) => event === "account_changed").map(({ sentence }) => sentence),
    ["added", "disabled", "enabled", "reset"]
      .map((did) => `the operator has ${did} the account carol`),
  );
  const tries = server.told.filter(({ event }) => event.startsWith("sign_in"));
  assertEquals(tries.map(({ event, user, how, request }) => [event, user, how ?? request]), [
    ["sign_in_failed", name, "redeem"],
    ["sign_in", name, "redeem"],
  ]);
  for (const secret of [token, reset, NEW]) {
    assertEquals(JSON.stringify(server.told).includes(secret), false);
  }
});
