import { assert, assertEquals, assertNotMatch, assertStringIncludes } from "@std/assert";
import { issueToken } from "../auth/token.ts";
import { apply } from "../core/apply.ts";
import { ChatState } from "../core/state.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { foldDirectory } from "../journal/fold.ts";
import {
  accountLine,
  ALICE,
  BOB,
  bodyOf,
  exportOf,
  exportWith,
  messageLine,
} from "../testing/export_fixture.ts";
import { runOperator } from "../testing/operator_run.ts";
import { Scratch } from "../testing/scratch.ts";
import { TestCluster } from "../testing/test_cluster.ts";
import { testServer } from "../testing/test_server.ts";
import { statusOf, WireClient } from "../testing/wire_client.ts";
import { askNode } from "./control.ts";
import type { ExportLine } from "./export_line.ts";

Deno.test("chat export and chat import are each other's inverse", async () => {
  await using scratch = await Scratch.make();
  {
    await using server = await testServer({ directory: scratch.path("a") });
    const [alice, bob, carol] = await Promise.all(
      ["alice", "bob", "carol"].map((name) => WireClient.signedIn(server.port, name)),
    );
    assert(alice && bob && carol);
    const contents = ["hi", '\u0001 "\\ \u2028', "\uFEFFgrüße 👋🏽", "x".repeat(64 * 1024), "secret"];
    const ids: string[] = [];
    for (const content of contents) {
      ids.push((await alice.expect("sent", send("bob", content))).id);
      await bob.expect("sent", send("alice", content));
    }
    await bob.expect("sent", send("carol", "to nobody"));
    await carol.expect("sent", send("bob", "from nobody"));
    await bob.expect("done", { kind: "read_messages", payload: ids.slice(1, 3) });
    await alice.expect("done", { kind: "delete_messages", payload: ids.slice(-1) });
    await bob.expect("done", { kind: "change_password", payload: ["correct horse", "battery st"] });
    await carol.expect("done", { kind: "delete_account", payload: null });
    for (const client of [alice, bob, carol]) client.close();
  }
  const first = await runOperator("export", "--data", scratch.path("a"));
  assertEquals(first.code, 0);
  assertNotMatch(first.stdout, /carol|nobody/);
  assertEquals(linesOf(first.stdout).filter((line) => "id" in line).length, 9);
  assertEquals(linesOf(first.stdout)[0]?.node, "node1");

  const file = await scratch.write(first.stdout);
  const imported = await runOperator(
    "import",
    file,
    "--node",
    "node1",
    "--data",
    scratch.path("b"),
  );
  assertEquals(
    imported.stdout,
    "accounts: 2 new, 0 known, 0 refused\nmessages: 9 new, 0 known, 0 refused\n",
  );
  assertEquals(imported.code, 0);
  const second = await runOperator("export", "--data", scratch.path("b"));
  assertEquals(bodyOf(second.stdout), bodyOf(first.stdout));

  await using server = await testServer({ directory: scratch.path("b") });
  const bob = await WireClient.signedIn(server.port, "bob", "battery st");
  const list = { kind: "list_messages", payload: { with: "alice" } } as const;
  const { length } = await bob.expect("messages", list);
  assertEquals(length, 9);
  bob.close();
});

Deno.test("chat import changes nothing of what is there already", async () => {
  await using scratch = await Scratch.make();
  const file = await scratch.write(exportWith(2500));
  const data = scratch.path("data");
  const first = await runOperator("import", file, "--data", data);
  assertEquals(
    first.stdout,
    "accounts: 2 new, 0 known, 0 refused\nmessages: 2500 new, 0 known, 0 refused\n",
  );
  const before = await journalOf(data);
  const again = await runOperator("import", file, "--data", data);
  assertEquals(
    again.stdout,
    "accounts: 0 new, 2 known, 0 refused\nmessages: 0 new, 2500 known, 0 refused\n",
  );
  assertEquals(await journalOf(data), before);
  const { stdout } = await runOperator("export", "--data", data);
  assertEquals(bodyOf(stdout), bodyOf(exportWith(2500)));
  const own = await runOperator("import", await scratch.write(stdout), "--data", data);
  assertEquals([own.stdout, await journalOf(data)], [again.stdout, before]);
});

Deno.test("chat import begins a new epoch where there was one, and none without anything new", async () => {
  await using scratch = await Scratch.make();
  const data = scratch.path("data");
  await runOperator("import", await scratch.write(exportWith(1)), "--data", data);
  const first = await epochOf(data);
  const known = await runOperator("import", await scratch.write(exportWith(1)), "--data", data);
  assertEquals([known.code, await epochOf(data)], [0, first]);
  const more = await runOperator("import", await scratch.write(exportWith(2)), "--data", data);
  assertStringIncludes(more.stderr, "begins a new epoch");
  const second = await epochOf(data);
  assert(second !== first);
  const vector = linesOf((await runOperator("export", "--data", data)).stdout)[0]?.vector;
  assertEquals(vector, `solo.${first}:4,solo.${second}:1`);
});

Deno.test("chat import leaves deleted what was deleted, and read what was read", async () => {
  await using scratch = await Scratch.make();
  const data = scratch.path("data");
  const file = await scratch.write(exportWith(4));
  await runOperator("import", file, "--node", "node1", "--data", data);
  const ids = linesOf(exportWith(4)).flatMap(({ id }) => id ?? []);
  await asAlice(data, async (alice) => {
    await alice.expect("done", { kind: "delete_messages", payload: ids.slice(0, 2) });
  });
  const again = await runOperator("import", file, "--data", data);
  assertEquals(again.code, 0);
  assertStringIncludes(again.stdout, "messages: 0 new, 2 known, 2 deleted here before, 0 refused");
  const { stdout } = await runOperator("export", "--data", data);
  assertEquals(linesOf(stdout).flatMap(({ id }) => id ?? []), ids.slice(2));

  const [, , third] = linesOf(exportWith(4)).filter(({ id }) => id !== undefined);
  assertEquals(third?.status, "read");
  const unread = await scratch.write(exportWith(4).replaceAll(`"read"`, `"unread"`));
  await runOperator("import", unread, "--data", data);
  assertStringIncludes((await runOperator("export", "--data", data)).stdout, `"status":"read"`);
  const read = await scratch.write(exportWith(4).replaceAll(`"unread"`, `"read"`));
  const marked = await runOperator("import", read, "--data", data);
  assertStringIncludes(marked.stderr, "1 of the messages that were here are read now");

  await asAlice(data, async (alice) => {
    await alice.expect("done", { kind: "delete_account", payload: null });
  });
  const gone = await runOperator("import", file, "--data", data);
  assertStringIncludes(gone.stdout, "accounts: 0 new, 1 known, 1 deleted here before, 0 refused");
  assertStringIncludes(gone.stdout, "messages: 0 new, 0 known, 4 deleted here before, 0 refused");
});

Deno.test("chat import into the cluster that it came from doubles nothing", async () => {
  await using cluster = await TestCluster.start();
  await using scratch = await Scratch.make();
  const alice = await WireClient.signedIn(cluster.port("node1"), "alice");
  const bob = await WireClient.signedIn(cluster.port("node2"), "bob");
  for (const text of ["one", "two", "three"]) await alice.expect("sent", send("bob", text));
  await cluster.converged();
  await bob.expect("done", { kind: "read_messages", payload: "alice" });
  alice.close();
  bob.close();
  await cluster.converged();
  const { digest } = await statusOf(cluster.port("node3"));
  const { stdout } = await runOperator("export", "--data", cluster.dataOf("node2"));
  const running = await runOperator(
    "import",
    await scratch.write(stdout),
    "--data",
    cluster.dataOf("node1"),
  );
  assertEquals(running.code, 1);
  assertStringIncludes(running.stderr, "another chat serve has it open");

  for (const node of ["node1", "node2"]) await cluster.stopNode(node);
  const file = await scratch.write(stdout);
  const imported = await runOperator("import", file, "--data", cluster.dataOf("node1"));
  assertStringIncludes(imported.stdout, "messages: 0 new, 3 known");
  // What is new comes by two ways, and is one.
  const other = await scratch.write(exportWith(1000));
  for (const node of ["node1", "node2"]) {
    const both = await runOperator("import", other, "--data", cluster.dataOf(node));
    assertStringIncludes(both.stdout, "messages: 1000 new");
    assertStringIncludes(both.stderr, "the name alice is now that of account alicealiceal");
  }
  for (const node of ["node1", "node2"]) await cluster.startNode(node);
  await cluster.connected();
  await cluster.converged();
  const status = await statusOf(cluster.port("node3"));
  assertEquals([status.accounts, status.messages], [4, 1003]);
  assert(status.digest !== digest);
  const exports = await Promise.all(
    ["node1", "node2", "node3"].map((node) =>
      runOperator("export", "--data", cluster.dataOf(node))
    ),
  );
  assertEquals(new Set(exports.map((one) => bodyOf(one.stdout))).size, 1);
});

Deno.test("chat import tells who gets a name that two accounts have", async () => {
  await using scratch = await Scratch.make();
  const data = scratch.path("data");
  const old = exportOf(accountLine(ALICE, "alice", 2000), accountLine("12345678abcd", "bob", 2000));
  await runOperator("import", await scratch.write(old), "--data", data);
  const other = exportOf(accountLine("zzzzzzzzzzzz", "alice", 1000), accountLine(BOB, "bob", 3000));
  const { code, stderr } = await runOperator("import", await scratch.write(other), "--data", data);
  assertEquals(code, 0);
  assertStringIncludes(
    stderr,
    "the name alice is now that of account zzzzzzzzzzzz, which had it first: " +
      "account alicealiceal goes on as alice~alicea",
  );
  assertStringIncludes(
    stderr,
    "the name bob belongs to another account here: account bobbobbobbob goes on as bob~bobbob",
  );
  const { stdout } = await runOperator("export", "--data", data);
  const shown = linesOf(stdout).flatMap(({ account, name, alias }) =>
    account === undefined ? [] : [[account, name, alias]]
  );
  assertEquals(shown, [
    ["zzzzzzzzzzzz", "alice", undefined],
    ["alicealiceal", "alice", "alice~alicea"],
    ["12345678abcd", "bob", undefined],
    ["bobbobbobbob", "bob", "bob~bobbob"],
  ]);
});

Deno.test("chat export has messages in the order of their conversation, and accounts by age", async () => {
  await using scratch = await Scratch.make();
  const data = scratch.path("data");
  const withTick = (number: number, tick: number): ExportLine => {
    const line = messageLine(number, 5000);
    return line.kind === "message" ? { ...line, sent: { timeMs: 5000, tick } } : line;
  };
  const accounts = [accountLine(BOB, "bob", 1000), accountLine(ALICE, "alice", 2000)];
  const messages = [messageLine(9, 4000), withTick(8, 0), withTick(7, 1), messageLine(6, 6000)];
  const mixed = exportOf(...accounts.toReversed(), ...messages.toReversed());
  await runOperator("import", await scratch.write(mixed), "--data", data);
  const { stdout } = await runOperator("export", "--data", data);
  assertEquals(bodyOf(stdout), bodyOf(exportOf(...accounts, ...messages)));
});

Deno.test("chat export --user has one person's messages, and no password", async () => {
  await using scratch = await Scratch.make();
  const data = scratch.path("data");
  const text = exportOf(
    accountLine(ALICE, "alice"),
    accountLine(BOB, "bob"),
    accountLine("12345678abcd", "carol"),
    messageLine(1),
    messageLine(2),
  );
  await runOperator("import", await scratch.write(text), "--data", data);
  const bob = await runOperator("export", "--data", data, "--user", "bob");
  assertEquals(linesOf(bob.stdout)[0]?.user, "bob");
  assertEquals(linesOf(bob.stdout).flatMap(({ account }) => account ?? []), [BOB]);
  assertEquals(linesOf(bob.stdout).filter(({ id }) => id !== undefined).length, 2);
  assertNotMatch(bob.stdout, /scrypt|password/);
  const carol = await runOperator("export", "--data", data, "--user", "carol");
  assertEquals(linesOf(carol.stdout).length, 3);
  const nobody = await runOperator("export", "--data", data, "--user", "dave");
  assertEquals([nobody.code, nobody.stdout], [1, ""]);

  const known = await runOperator("import", await scratch.write(bob.stdout), "--data", data);
  assertEquals(known.code, 0);
  const empty = await runOperator(
    "import",
    await scratch.write(bob.stdout),
    "--data",
    scratch.path("new"),
  );
  assertEquals(empty.code, 1);
  assertStringIncludes(
    empty.stdout,
    "accounts: 0 new, 0 known, 1 refused\nmessages: 0 new, 0 known, 2 refused",
  );
  assertStringIncludes(empty.stderr, "line 2: its password's hash is missing");
});

Deno.test("chat export of a node under load has all that was acknowledged before", async () => {
  await using server = await testServer();
  const alice = await WireClient.signedIn(server.port, "alice");
  const count = 3000;
  let acknowledged = 0;
  const sending = (async () => {
    for (let sent = 0; sent < count; sent += 20) {
      const requests = Array.from(
        { length: 20 },
        (_, index) => send("alice", String(sent + index)),
      );
      await alice.send(...requests);
      for (const _ of requests) await alice.reply();
      acknowledged += requests.length;
    }
  })();
  for (let round = 0; acknowledged < count || round < 3; round++) {
    const [atLeast, compacting] = [acknowledged, askNode(server.directory, { command: "compact" })];
    const { code, stdout, stderr } = await runOperator("export", "--data", server.directory);
    assertEquals([code, stderr], [0, ""]);
    const contents = linesOf(stdout).flatMap(({ content }) => content ?? []);
    assert(contents.length >= atLeast, `${contents.length} of ${atLeast}`);
    assertEquals(contents, contents.map((_, index) => String(index)));
    await compacting;
  }
  await sending;
  alice.close();
});

function send(to: string, content: string) {
  return { kind: "send_message", payload: { to, content, key: crypto.randomUUID() } } as const;
}

type Fields = { readonly [key: string]: string | undefined };

function linesOf(text: string): Fields[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

async function epochOf(data: string): Promise<string> {
  return JSON.parse(await Deno.readTextFile(`${data}/node.json`)).epoch;
}

async function journalOf(data: string): Promise<string> {
  return await Deno.readTextFile(`${data}/journal-00000001.jsonl`);
}

/** Starts the node, and signs alice in with a token, as nobody knows her password. */
async function asAlice(data: string, act: (alice: WireClient) => Promise<void>): Promise<void> {
  const state = new ChatState();
  await foldDirectory({
    directory: data,
    files: denoFiles,
    apply: (entry) => void apply(state, entry),
  });
  const token = issueToken(state.accounts.get(ALICE), Date.now());
  await using server = await testServer({ directory: data });
  const alice = await WireClient.resumed(server.port, { name: "alice", token });
  await act(alice);
  alice.close();
}
