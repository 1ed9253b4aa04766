import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { formatHost } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import { ManualClock } from "../testing/manual_clock.ts";
import { messageEvent, renamedEvent, ScriptedServer } from "../testing/scripted_server.ts";
import { TestShell } from "../testing/test_shell.ts";
import { runCommand } from "./command.ts";
import { OutputClosedError } from "./shell.ts";
import { tail } from "./tail.ts";

const ALICE = { CHAT_USER: "alice", CHAT_PASSWORD: "correct horse" };
/** More than a client ever waits between two tries. */
const LONG_MS = 10_000;

/** Starts `chat tail`; for it, time passes when it has lost its connection and never else. */
function startTail(...args: string[]) {
  const clock = new ManualClock();
  const shell = new TestShell(ALICE, {
    onNote(line) {
      if (line.includes("no connection")) queueMicrotask(() => clock.advance(LONG_MS));
    },
  });
  const ended = runCommand(tail, args, { shell, outside: { ...denoOutside, clock } });
  return { shell, clock, ended };
}

function contentOf(line: string): string {
  return JSON.parse(line).content;
}

Deno.test("chat tail outlives servers that are behind and an hour without any, missing and doubling nothing", async () => {
  const first = new ScriptedServer();
  const second = new ScriptedServer();
  const hosts = [first.host, second.host].flatMap((host) => ["--host", formatHost(host)]);
  const { shell, clock, ended } = startTail(...hosts, "--json", "--since", "c0");

  const peer = await first.acceptSignIn();
  assertEquals(await peer.subscribe("c1", [messageEvent("one", "c1")]), "c0");
  await peer.event(messageEvent("two", "c2"));
  assertEquals((await shell.linesWritten(2)).map(contentOf), ["one", "two"]);
  first[Symbol.dispose]();

  await (await second.accept()).refuseSession();
  const next = await second.acceptSignIn();
  assertEquals(await next.subscribe("c4", [messageEvent("three", "c3")]), "c2");
  assertEquals((await shell.linesWritten(3)).map(contentOf), ["one", "two", "three"]);
  second[Symbol.dispose]();
  const lostMs = clock.nowMs();
  while (clock.nowMs() < lostMs + 3_600_000) await shell.said;

  using third = new ScriptedServer(second.host.port);
  const last = await third.acceptSignIn();
  assertEquals(await last.subscribe("c5", [messageEvent("four", "c4")]), "c3");
  await last.event(messageEvent("five", "c5"));
  const lines = await shell.linesWritten(5);
  assertEquals(lines.map(contentOf), ["one", "two", "three", "four", "five"]);
  shell.closeOutput();
  await last.event(messageEvent("six", "c6"));
  await assertRejects(() => ended, OutputClosedError);
});

Deno.test("chat tail tells of the name that its account goes by from now on", async () => {
  using server = new ScriptedServer();
  const { shell, ended } = startTail("--host", formatHost(server.host));
  const peer = await server.acceptSignIn();
  await peer.subscribe("c0");
  await peer.event(renamedEvent("alice", "alice~7", "c1"));
  const note = await shell.noted("claimed");
  assertEquals(
    note,
    "chat: your name alice was claimed earlier by somebody else: you are alice~7 from now on",
  );
  assertEquals(shell.stdout, "");
  shell.closeOutput();
  await peer.event(messageEvent("the end", "c2"));
  await assertRejects(() => ended, OutputClosedError);
});

Deno.test("chat tail --json prints an object a line that does nothing to a terminal", async () => {
  using server = new ScriptedServer();
  const { shell, ended } = startTail("--host", formatHost(server.host), "--json");
  const peer = await server.acceptSignIn();
  await peer.subscribe("c0");
  const content = "two\nlines \x1b[2J\u202e";
  await peer.event(messageEvent(content, "c1"));
  const [line = ""] = await shell.linesWritten(1);
  assertMatch(line, /^\{[^\p{Cc}\p{Cf}]*\}$/u);
  assertEquals([JSON.parse(line).kind, contentOf(line)], ["message", content]);
  shell.closeOutput();
  await peer.event(messageEvent("the end", "c2"));
  await assertRejects(() => ended, OutputClosedError);
});

Deno.test("chat tail --json prints the event of another name, and says by which it has signed in", async () => {
  using server = new ScriptedServer();
  const { shell, ended } = startTail("--host", formatHost(server.host), "--json");
  const peer = await server.acceptSignIn("alice~7");
  await peer.subscribe("c0");
  assertEquals(shell.notes, [
    "chat: signed in as alice~7: the name alice was claimed earlier by somebody else",
    "chat: following as alice~7 on node1",
  ]);
  await peer.event(renamedEvent("alice", "alice~7", "c1"));
  const [line = ""] = await shell.linesWritten(1);
  assertEquals(JSON.parse(line), { kind: "renamed", from: "alice", to: "alice~7", cursor: "c1" });
  shell.closeOutput();
  await peer.event(messageEvent("the end", "c2"));
  await assertRejects(() => ended, OutputClosedError);
});
