import { assertEquals, assertRejects } from "@std/assert";
import type { Reply } from "../../codec/message.ts";
import { formatHost, InvalidInputError } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import { ManualClock } from "../testing/manual_clock.ts";
import { type Peer, ScriptedServer } from "../testing/scripted_server.ts";
import { TestShell } from "../testing/test_shell.ts";
import { runCommand } from "./command.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_code.ts";
import { send } from "./send.ts";

const ALICE = { CHAT_USER: "alice", CHAT_PASSWORD: "correct horse" };

/** Runs `chat send` to a server that has the message on so many nodes, each time that it is asked. */
async function sendTo(copies: number | readonly number[], ...args: string[]) {
  using server = new ScriptedServer();
  const shell = new TestShell(ALICE);
  const command = ["--host", formatHost(server.host), "bob", "hello", ...args];
  const running = runCommand(send, command, { shell, outside: denoOutside });
  const peer = await server.acceptSignIn();
  const keys = new Set<string | undefined>();
  for (const count of [copies].flat()) {
    const { payload } = await peer.expect("send_message");
    keys.add(payload.key);
    const sent: Reply = { kind: "sent", payload: { id: "m1", time: 7, copies: count } };
    await peer.reply(sent);
  }
  assertEquals(keys.size, 1);
  return { code: await running, stdout: shell.stdout, notes: shell.notes };
}

Deno.test("chat send says on how many nodes the message is stored", async () => {
  const many = await sendTo(2);
  assertEquals(many, { code: EXIT.done, stdout: "sent m1 (stored on 2 nodes)\n", notes: [] });
  assertEquals((await sendTo(1)).stdout, "sent m1 (stored on 1 node)\n");
  assertEquals((await sendTo(3, "--json")).stdout, '{"to":"bob","id":"m1","time":7,"copies":3}\n');
});

Deno.test("chat send --min-copies is content with so many copies, and exits with 5 for fewer", async () => {
  assertEquals((await sendTo(2, "--min-copies", "2")).code, EXIT.done);
  const few = await sendTo([1, 1, 1, 1], "--min-copies", "2", "--json");
  assertEquals(few, {
    code: EXIT.tooFewCopies,
    stdout: '{"to":"bob","id":"m1","time":7,"copies":1}\n',
    notes: ["chat: too few copies: stored on 1 node, --min-copies is 2"],
  });
});

Deno.test("chat send --min-copies asks again for what is on its way to more nodes", async () => {
  const late = await sendTo([2, 3], "--min-copies", "3");
  assertEquals(late, { code: EXIT.done, stdout: "sent m1 (stored on 3 nodes)\n", notes: [] });
});

Deno.test("chat send says that its account was created, and where it is stored", async () => {
  using server = new ScriptedServer();
  const shell = new TestShell(ALICE);
  const command = ["--host", formatHost(server.host), "--create", "bob", "hello"];
  const running = runCommand(send, command, { shell, outside: denoOutside });
  const peer = await server.accept();
  await peer.expect("login_name");
  await peer.reply({ kind: "user_not_existing", payload: null });
  await peer.expect("login_password");
  const payload = { user: "alice", node: "node1", unread: 0, token: "t1", copies: 2 };
  await peer.reply({ kind: "login_success", payload });
  await peer.expect("send_message");
  await peer.reply({ kind: "sent", payload: { id: "m1", time: 7, copies: 2 } });
  assertEquals(await running, EXIT.done);
  assertEquals(shell.notes, ["chat: account alice created (stored on 2 nodes)"]);
});

/** What the server does with a message to somebody: copies, or a refusal. */
type Fate = number | "no_such_user" | "not_signed_in";

/** Runs `chat send --to …` to a server that treats each recipient so, in this order. */
async function sendToSeveral(fates: Record<string, Fate>, ...args: string[]) {
  using server = new ScriptedServer();
  const shell = new TestShell(ALICE);
  const to = Object.keys(fates).flatMap((name) => ["--to", name]);
  const command = ["--host", formatHost(server.host), ...to, ...args];
  const running = runCommand(send, command, { shell, outside: denoOutside });
  const peer = await server.acceptSignIn();
  const keys: Record<string, string | undefined> = {};
  for (const [name, fate] of Object.entries(fates)) {
    const { payload } = await peer.expect("send_message");
    keys[payload.to] = payload.key;
    assertEquals([payload.to, payload.content], [name, "disk full"]);
    await answer(peer, fate);
  }
  return { code: await running, stdout: shell.stdout, notes: shell.notes, keys };
}

async function answer(peer: Peer, fate: Fate): Promise<void> {
  if (typeof fate !== "number") {
    return await peer.reply({ kind: "error", payload: { code: fate, sentence: "so it is" } });
  }
  await peer.reply({ kind: "sent", payload: { id: `m${fate}`, time: 7, copies: fate } });
}

Deno.test("chat send --to sends to each recipient, with a key of its own, and says what became of each", async () => {
  const sent = await sendToSeveral({ alice: 2, bob: 3 }, "--key", "disk-1", "disk", "full");
  assertEquals(sent, {
    code: EXIT.done,
    stdout: "sent m2 to alice (stored on 2 nodes)\nsent m3 to bob (stored on 3 nodes)\n",
    notes: [],
    keys: { alice: "disk-1/alice", bob: "disk-1/bob" },
  });
  const { stdout, keys } = await sendToSeveral({ alice: 2, bob: 3 }, "--json", "disk full");
  assertEquals(stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line)), [
    { to: "alice", id: "m2", time: 7, copies: 2 },
    { to: "bob", id: "m3", time: 7, copies: 3 },
  ]);
  assertEquals(new Set(Object.values(keys)).size, 2);
});

Deno.test("chat send --to one recipient, however often, is one message with the key itself", async () => {
  const { keys, stdout } = await sendToSeveral(
    { bob: 2 },
    "--to",
    "bob",
    "--key",
    "k",
    "disk full",
  );
  assertEquals(keys, { bob: "k" });
  assertEquals(stdout, "sent m2 (stored on 2 nodes)\n");
  const composed = await sendToSeveral({ "\u00e9": 2 }, "--to", "e\u0301", "disk full");
  assertEquals(composed.code, EXIT.done);
});

Deno.test("chat send --to tries every recipient, and exits with what is most serious", async () => {
  const some = await sendToSeveral(
    { nobody: "no_such_user", bob: 1, carol: 2 },
    ...["--min-copies", "1", "disk full"],
  );
  assertEquals(some, {
    code: EXIT.failed,
    stdout: "sent m1 to bob (stored on 1 node)\nsent m2 to carol (stored on 2 nodes)\n",
    notes: ["chat: not sent to nobody: so it is (no_such_user)"],
    keys: some.keys,
  });
  const codeOf = async (fates: Record<string, Fate>) =>
    (await sendToSeveral(fates, "disk full")).code;
  assertEquals(await codeOf({ a: "no_such_user", b: "not_signed_in", c: 1 }), EXIT.refused);
});

Deno.test("chat send checks all names, keys and the text before it connects to anything", async () => {
  const shell = new TestShell(ALICE);
  const connect = () => Promise.reject(new Error("There was to be no connection"));
  const refused: [string[], new (...args: never[]) => Error, string][] = [
    [["--to", "bob", "--to", "c".repeat(65), "hi"], InvalidInputError, "name of 65 characters"],
    [
      ["--to", "bob", "--to", "al", "--key", "k".repeat(125), "hi"],
      InvalidInputError,
      "key of 129",
    ],
    [["bob", "--key", "k".repeat(129), "hi"], InvalidInputError, "a key of 129 characters"],
    [["--to", "bob", "--to", "al", ""], InvalidInputError, "it is empty"],
    [["--to", "bob", "--min-copies", "none", "hi"], UsageError, "--min-copies none"],
    [["--key", "k"], UsageError, "to whom?"],
  ];
  for (const [args, Kind, message] of refused) {
    const running = () => runCommand(send, args, { shell, outside: { ...denoOutside, connect } });
    await assertRejects(running, Kind, message);
  }
  assertEquals([shell.stdout, shell.notes], ["", []]);
  const longest = "k".repeat(124);
  const { keys } = await sendToSeveral({ bob: 1, al: 1 }, "--key", longest, "disk full");
  assertEquals(keys, { bob: `${longest}/bob`, al: `${longest}/al` });
});

Deno.test("chat send that is never answered says to whom, and by which key it stays one message", async () => {
  for (const key of [undefined, "disk-1"]) {
    const server = new ScriptedServer();
    const clock = new ManualClock();
    const shell = new TestShell(ALICE, {
      onNote(line) {
        if (line.includes("no connection")) queueMicrotask(() => clock.advance(LONG_MS));
      },
    });
    const given = key === undefined ? [] : ["--key", key];
    const to = ["--to", "bob", "--to", "carol", ...given];
    const command = ["--host", formatHost(server.host), ...to, "hi"];
    const running = runCommand(send, command, { shell, outside: { ...denoOutside, clock } });
    const peer = await server.acceptSignIn();
    const first = await peer.expect("send_message");
    await peer.reply({ kind: "sent", payload: { id: "m1", time: 7, copies: 1 } });
    const second = await peer.expect("send_message");
    server[Symbol.dispose]();
    assertEquals(await running, EXIT.unreachable);
    assertEquals([first.payload.to, second.payload.to], ["bob", "carol"]);
    assertEquals(shell.stdout, "sent m1 to bob (stored on 1 node)\n");
    const [failure = "", advice] = shell.notes.slice(-2);
    assertEquals(
      failure.startsWith("chat: not sent to carol: Cannot reach a server:"),
      true,
      failure,
    );
    const again = key === undefined
      ? `to carol alone, give --key ${second.payload.key}`
      : "to the same people, give --key disk-1";
    assertEquals(
      advice,
      `chat: the message may have been stored; to send it again ${again}: it stays one message`,
    );
  }
});

/** More than a client ever waits between two tries. */
const LONG_MS = 10_000;
