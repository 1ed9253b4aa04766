import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { chat } from "../../client/testing/chat_process.ts";
import { ScratchNode } from "../../client/testing/scratch_node.ts";
import { runOperator } from "../testing/operator_run.ts";
import { Scratch } from "../testing/scratch.ts";
import { tryPassword, tryRedeem } from "../testing/sign_in_tries.ts";
import { testServer } from "../testing/test_server.ts";
import { WireClient } from "../testing/wire_client.ts";

const OLD = "correct horse";
const NEW = "battery staple";
const TOKEN_LINE = /^(?:[0-9a-z]{4}-){4}[0-9a-z]{4}\n$/;
const HOUR_MS = 3_600_000;

Deno.test("chat account add and reset print the token alone, and until when it is good", async () => {
  await using server = await testServer();
  const data = ["--data", server.directory];
  for (const [command, days] of [["account add", 7], ["account reset", 1]] as const) {
    const run = await runOperator(command, "carol", ...data);
    assertEquals(run.code, 0);
    assertMatch(run.stdout, TOKEN_LINE);
    assertMatch(run.stderr, /^chat: until .* carol may sign in .* \(stored on 1 node\)\n$/);
    assertEquals(run.stderr.includes(run.stdout.trim()), false);
    const { stdout } = await runOperator("account list", "--json", ...data);
    const hours = (JSON.parse(stdout).expires - Date.now()) / HOUR_MS;
    assertEquals(Math.round(hours), days * 24);
    assertEquals(await tryPassword(server.port, "carol", run.stdout.trim()), "choose_password");
  }
  await runOperator("account reset", "carol", "--hours", "8784", ...data);
  const { stdout } = await runOperator("account list", "--json", ...data);
  assertEquals(Math.round((JSON.parse(stdout).expires - Date.now()) / HOUR_MS), 8784);
});

Deno.test("chat account says what is wrong, with its exit code, and changes nothing then", async () => {
  await using server = await testServer();
  const { directory } = server;
  (await WireClient.signedIn(server.port, "alice", OLD)).close();
  const cases: [number, string, readonly string[]][] = [
    [1, "there is an account of this name already", ["account add", "alice"]],
    [1, "a name has 1 to 64 characters", ["account add", " alice"]],
    [1, "there is no account of this name", ["account reset", "nobody"]],
    [1, "there is no account of this name", ["account disable", "nobody"]],
    [1, "there is no account of this name", ["account enable", "no\u0000body"]],
    [2, "--hours is a whole number from 1 to 8784", ["account add", "bob", "--hours", "0"]],
    [2, "--hours is a whole number from 1 to 8784", ["account add", "bob", "--hours", "8785"]],
    [2, "--hours is a whole number from 1 to 8784", ["account reset", "alice", "--hours", "1.5"]],
    [2, "NAME", ["account add"]],
    [2, "NAME", ["account disable", "alice", "bob"]],
  ];
  for (const [code, why, [command = "", ...args]] of cases) {
    const run = await runOperator(command, ...args, "--data", directory);
    assertEquals([run.code, run.stdout], [code, ""], `${command} ${args}`);
    assertStringIncludes(run.stderr, why);
  }
  for (const command of ["account add", "account reset", "account disable", "account enable"]) {
    const run = await runOperator(command, "alice", "--data", `${directory}/nothing`);
    assertEquals([run.code, run.stdout], [1, ""]);
    assertEquals(
      run.stderr,
      `chat: no node runs on ${directory}/nothing: start it with chat serve\n`,
    );
  }
  assertEquals((await runOperator("account list", "--data", "nowhere")).code, 1);
  assertEquals(await tryPassword(server.port, "alice", OLD), "login_success");
});

Deno.test("chat account disable and enable say what is so, also if it was so already", async () => {
  await using server = await testServer();
  (await WireClient.signedIn(server.port, "alice", OLD)).close();
  const said = async (command: string) => {
    const { code, stdout, stderr } = await runOperator(
      command,
      "alice",
      "--data",
      server.directory,
    );
    assertEquals([code, stdout], [0, ""]);
    return stderr;
  };
  assertEquals(await said("account enable"), "chat: alice is not disabled (stored on 1 node)\n");
  for (const already of ["", " already"]) {
    const line = `chat: alice is disabled${already} (stored on 1 node)\n`;
    assertEquals(await said("account disable"), line);
    assertEquals(await tryPassword(server.port, "alice", OLD), "account_disabled");
  }
  assertEquals(await said("account enable"), "chat: alice is enabled (stored on 1 node)\n");
  assertEquals(await tryPassword(server.port, "alice", OLD), "login_success");
});

Deno.test("chat account list has a table in the order of names, and a JSON object a line", async () => {
  await using server = await testServer();
  const data = ["--data", server.directory];
  const zoe = await WireClient.signedIn(server.port, "zoe");
  const send = { kind: "send_message", payload: { to: "zoe", content: "hi" } } as const;
  await zoe.expect("sent", send);
  for (const name of ["日本", "bob"]) await runOperator("account add", name, ...data);
  await runOperator("account disable", "bob", ...data);
  const table = await runOperator("account list", ...data);
  assertEquals([table.code, table.stderr], [0, ""]);
  const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d`;
  assertMatch(
    table.stdout,
    new RegExp(
      `^NAME  STATE +ONLINE  UNREAD  CREATED\n` +
        `bob   disabled +-       0       ${time}\n` +
        `zoe   active +online  1       ${time}\n` +
        `日本  one-time token until ${time}  -       0       ${time}\n$`,
    ),
  );
  const { stdout } = await runOperator("account list", "--json", ...data);
  const listed = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(listed.map(({ name, state }) => [name, state]), [
    ["bob", "disabled"],
    ["zoe", "active"],
    ["日本", "one_time_token"],
  ]);
  assertEquals(Object.keys(listed[1]), ["name", "state", "online", "unread", "created"]);
  zoe.close();
});

Deno.test("exports, imports and backups keep the states of accounts", async () => {
  await using scratch = await Scratch.make();
  let token = "";
  {
    await using server = await testServer();
    const data = ["--data", server.directory];
    for (const name of ["alice", "bob"]) {
      (await WireClient.signedIn(server.port, name, OLD)).close();
    }
    // So often that no number of a version is too large.
    for (let times = 0; times < 5; times++) {
      await runOperator("account disable", "alice", ...data);
      if (times < 4) await runOperator("account enable", "alice", ...data);
    }
    await runOperator("account disable", "bob", ...data);
    await runOperator("account enable", "bob", ...data);
    token = (await runOperator("account add", "carol", ...data)).stdout.trim();
    const { stdout } = await runOperator("export", ...data);
    await Deno.writeTextFile(scratch.path("all.jsonl"), stdout);
    assertEquals((await runOperator("backup", scratch.path("backup"), ...data)).code, 0);
  }
  const { stdout } = await runOperator(
    "import",
    scratch.path("all.jsonl"),
    ...["--data", scratch.path("imported"), "--node", "node1"],
  );
  assertStringIncludes(stdout, "accounts: 3 new, 0 known, 0 refused\n");
  const restored = ["--data", scratch.path("restored")];
  assertEquals((await runOperator("restore", scratch.path("backup"), ...restored)).code, 0);
  for (const name of ["imported", "restored"]) {
    await using server = await testServer({ directory: scratch.path(name) });
    const { port } = server;
    assertEquals(await tryPassword(port, "alice", OLD), "account_disabled");
    assertEquals(await tryPassword(port, "bob", OLD), "login_success");
    assertEquals(await tryRedeem(port, "carol", token, NEW), "login_success");
    const data = ["--data", server.directory];
    assertEquals((await runOperator("account enable", "alice", ...data)).code, 0);
    assertEquals(await tryPassword(port, "alice", OLD), "login_success");
  }
});

Deno.test("chat account works from a process of its own, on a node of its own, for who may read its data", async () => {
  await using node = await ScratchNode.start();
  const data = ["--data", `${node.scratch}/data`];
  const added = await chat(["account", "add", "carol", ...data]);
  assertEquals(added.code, 0);
  assertMatch(added.stdout, TOKEN_LINE);
  const disabled = await chat(["account", "disable", "carol", ...data]);
  assertEquals([disabled.code, disabled.stdout], [0, ""]);
  const { port } = node.host;
  assertEquals(await tryPassword(port, "carol", added.stdout.trim()), "account_disabled");
  const listed = await chat(["account", "list", ...data]);
  assertMatch(listed.stdout, /^carol +disabled +- +0 /m);
  assertEquals((await chat(["account", "remove", "carol", ...data])).code, 2);
});
