import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Reply } from "../../codec/message.ts";
import { formatHost } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import { ScriptedServer } from "../testing/scripted_server.ts";
import { TestShell } from "../testing/test_shell.ts";
import { runCommand } from "./command.ts";
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
  assertEquals((await sendTo(3, "--json")).stdout, '{"id":"m1","time":7,"copies":3}\n');
});

Deno.test("chat send --min-copies is content with so many copies, and exits with 5 for fewer", async () => {
  assertEquals((await sendTo(2, "--min-copies", "2")).code, EXIT.done);
  const few = await sendTo([1, 1, 1, 1], "--min-copies", "2", "--json");
  assertEquals(few, {
    code: EXIT.tooFewCopies,
    stdout: '{"id":"m1","time":7,"copies":1}\n',
    notes: ["chat: too few copies: stored on 1 node, --min-copies is 2"],
  });
});

Deno.test("chat send --min-copies asks again for what is on its way to more nodes", async () => {
  const late = await sendTo([2, 3], "--min-copies", "3");
  assertEquals(late, { code: EXIT.done, stdout: "sent m1 (stored on 3 nodes)\n", notes: [] });
});

Deno.test("chat send --help tells of --min-copies and its exit code", async () => {
  const shell = new TestShell({});
  await runCommand(send, ["--help"], { shell, outside: denoOutside });
  assertStringIncludes(
    shell.stdout,
    "--min-copies N        exit with 5 if it is stored on fewer nodes than N",
  );
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
