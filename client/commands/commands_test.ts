import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { formatHost, parseHost } from "../connection.ts";
import { chat, spawnChat } from "../testing/chat_process.ts";
import { ScratchNode } from "../testing/scratch_node.ts";
import { ScriptedServer } from "../testing/scripted_server.ts";

const ROOT = new URL("../../", import.meta.url);
const alice = { CHAT_USER: "alice", CHAT_PASSWORD: "alices-password" };
const bob = { CHAT_USER: "bob", CHAT_PASSWORD: "bobs-password" };

Deno.test("chat's commands end with the exit code of what happened", async () => {
  const gone = new ScriptedServer();
  gone[Symbol.dispose]();
  const nobody = ["--host", formatHost(gone.host)];
  await using node = await ScratchNode.start();
  const host = ["--host", formatHost(node.host)];
  assertEquals((await chat(["inbox", ...host, "--create"], { env: bob })).code, 0);
  const cases: [number, string[], Record<string, string>, RegExp][] = [
    [0, ["--help"], {}, /^$/],
    [0, ["send", "--help"], {}, /^$/],
    [0, ["--version"], {}, /^$/],
    [1, ["send", ...host, "bob", "hi"], alice, /no such account; use --create/],
    [1, ["send", ...host, "nobody", "hi"], bob, /no_such_user/],
    [1, ["send", ...host, "bob", ""], bob, /it is empty/],
    [0, ["help", "help"], {}, /^$/],
    [2, [], {}, /^usage: chat COMMAND/],
    [2, ["sned"], {}, /no command sned: did you mean send/],
    [2, ["send", "--foo", "bob", "hi"], bob, /unknown option --foo.*\nusage: chat send/],
    [2, ["send"], bob, /usage: chat send/],
    [2, ["inbox", "all"], bob, /usage: chat inbox/],
    [2, ["inbox", "--host", "::1"], bob, /::1 is not HOST/],
    [2, ["inbox", "--config", "/nonexistent/servers.json"], bob, /Cannot read/],
    [2, ["inbox", ...host], { CHAT_USER: "bob" }, /CHAT_PASSWORD/],
    [2, ["inbox", ...host], { CHAT_PASSWORD: "bobs-password" }, /CHAT_USER/],
    [2, ["client", ...host], { CHAT_USER: "bob" }, /CHAT_PASSWORD/],
    [2, ["history", ...host, "bob", "--limit", "0"], bob, /--limit 0/],
    [3, ["inbox", ...nobody], bob, /127.0.0.1:\d+: .*refused/i],
    [3, ["status", ...nobody], {}, /^$/],
    [4, ["inbox", ...host], { ...bob, CHAT_PASSWORD: "another password" }, /password is wrong/],
    [5, ["send", ...host, "bob", "hi", "--min-copies", "9"], bob, /too few copies/],
  ];
  await Promise.all(cases.map(async ([code, args, env, stderr]) => {
    const finished = await chat(args, { env });
    assertEquals([args, finished.code], [args, code], finished.stderr);
    assertMatch(finished.stderr, stderr);
    if (code === 0) assertMatch(finished.stdout, /\n$/);
  }));
});

Deno.test("chat send, inbox, history, delete pass a message on", async () => {
  await using node = await ScratchNode.start();
  const host = ["--host", formatHost(node.host)];
  await chat(["inbox", ...host, "--create"], { env: bob });
  const content = "two\nlines \x1b[31m\u202e";
  const send = ["send", ...host, "--create", "--key", "one", "--json", "bob"];
  const first = await chat(send, { env: alice, stdin: `${content}\n` });
  const again = await chat(send, { env: alice, stdin: `${content}\n` });
  assertEquals(JSON.parse(again.stdout).id, JSON.parse(first.stdout).id);

  const plain = await chat(["inbox", ...host], { env: bob });
  assertMatch(plain.stdout, /alice: two\n {4}lines \\x1b\[31m\\u\{202e\}\n$/);
  const inbox = await chat(["inbox", ...host, "--json", "--mark-read"], { env: bob });
  assertStringIncludes(inbox.stdout, "\\u202e");
  const message = JSON.parse(inbox.stdout);
  assertEquals([message.sender, message.content], ["alice", content]);
  assertEquals((await chat(["inbox", ...host], { env: bob })).stdout, "");

  const history = ["history", ...host, "bob", "--json"];
  const { stdout } = await chat(history, { env: alice });
  assertEquals(JSON.parse(stdout).status, "read");
  // One object a line, and nothing that acts on a terminal.
  for (const text of [stdout, inbox.stdout, first.stdout]) {
    assertMatch(text, /^\{[^\p{Cc}\p{Cf}]*\}\n$/u);
  }
  const deleted = await chat(["delete", ...host, message.id], { env: bob });
  assertEquals(deleted.stdout, "deleted 1 message (on 1 node)\n");
  assertEquals((await chat(history, { env: alice })).stdout, "");
});

Deno.test("chat tail follows over the death of the node, with nothing missed or twice", async () => {
  await using node = await ScratchNode.start();
  const host = ["--host", formatHost(node.host)];
  const tail = spawnChat(["tail", ...host, "--create", "--json"], bob);
  const notes = tail.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const note of notes.values({ preventCancel: true })) {
    if (note.includes("following as bob on node1")) break;
  }
  const contents = messagesIn(tail.stdout);
  await chat(["send", ...host, "--create", "bob", "one"], { env: alice });
  assertEquals((await contents.next()).value, "one");
  await node.kill();
  await node.startAgain();
  for (const text of ["two", "three"]) await chat(["send", ...host, "bob", text], { env: alice });
  assertEquals((await contents.next()).value, "two");
  assertEquals((await contents.next()).value, "three");
  tail.kill("SIGINT");
  await Promise.all([notes.cancel(), tail.stdin.close()]);
  assertEquals((await contents.next()).done, true);
  assertEquals((await tail.status).code, 130);
});

Deno.test("chat history ends quietly when nobody reads its output", async () => {
  await using node = await ScratchNode.start();
  const host = ["--host", formatHost(node.host)];
  await chat(["send", ...host, "--create", "bob", "hi"], { env: bob });
  const child = spawnChat(["history", ...host, "bob"], bob);
  await child.stdout.cancel();
  await child.stdin.close();
  const stderr = await new Response(child.stderr).text();
  assertEquals([(await child.status).code, stderr], [0, ""]);
});

Deno.test("chat client serves a script by lines, and waits until all is sent", async () => {
  await using node = await ScratchNode.start();
  const host = ["--host", formatHost(node.host)];
  await chat(["inbox", ...host, "--create"], { env: bob });
  const stdin = "/msg bob\nfrom a script\n//slash\n/nothing\n";
  const finished = await chat(["client", ...host, "--create"], { env: alice, stdin });
  assertEquals(finished.code, 0, finished.stderr);
  assertStringIncludes(finished.stdout, "There is no /nothing");
  const { stdout } = await chat(["history", ...host, "alice", "--json"], { env: bob });
  const messages = stdout.trim().split("\n").map((line) => JSON.parse(line).content);
  assertEquals(messages, ["from a script", "/slash"]);
});

Deno.test("chat demo without a terminal shows that two killed nodes of three lost nothing", async () => {
  const { code, stdout, stderr } = await chat(["demo"], { env: { PATH: "/usr/bin:/bin" } });
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^all 3 equal again\n(node\d has all 44 messages, each once\n){3}/m);
  assertMatch(stdout, /nothing was lost, nothing came twice \(.*\)\n$/);
});

Deno.test("chat demo that is interrupted leaves no node running and nothing on the disk", async () => {
  const temporary = await Deno.makeTempDir({ prefix: "chat-test-" });
  const demo = spawnChat(["demo"], { TMPDIR: temporary, PATH: "/usr/bin:/bin" });
  const lines = demo.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  const addresses: string[] = [];
  for await (const line of lines.values({ preventCancel: true })) {
    const address = / listens on (.*)$/.exec(line)?.[1];
    if (address !== undefined) addresses.push(address);
    if (addresses.length === 3) break;
  }
  demo.kill("SIGINT");
  const [status] = await Promise.all([demo.status, lines.cancel(), demo.stdin.close()]);
  assertEquals([status.code, await new Response(demo.stderr).text()], [130, ""]);
  for (const address of addresses) {
    const { host: hostname = "", port = 0 } = parseHost(address) ?? {};
    await assertRejects(() => Deno.connect({ hostname, port }), Deno.errors.ConnectionRefused);
  }
  // Not recursively: it must be empty.
  await Deno.remove(temporary);
});

async function* messagesIn(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const { kind, content } = JSON.parse(line);
    if (kind === "message") yield content;
  }
}

Deno.test("data that cannot be written is a failure of its own, with what the system says", async () => {
  const toFullDisk = `exec "$0" run --quiet --no-prompt -P main.ts --version >/dev/full`;
  const args = ["-c", toFullDisk, Deno.execPath()];
  const { code, stderr } = await new Deno.Command("sh", { args, cwd: ROOT }).output();
  assertEquals(code, 1);
  assertMatch(new TextDecoder().decode(stderr), /Cannot write to standard output: No space left/);
});
