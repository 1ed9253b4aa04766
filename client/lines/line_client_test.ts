import { assertEquals } from "@std/assert";
import type { Event } from "../../codec/message.ts";
import { testServer } from "../../server/testing/test_server.ts";
import { ChatClient } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import { clientOf } from "../testing/scripted_client.ts";
import {
  messageFrom,
  type Peer,
  renamedEvent,
  ScriptedServer,
} from "../testing/scripted_server.ts";
import { TestScreen } from "../testing/test_screen.ts";
import { PLAIN } from "../text/paint.ts";
import { LineClient } from "./line_client.ts";
import { signInDialog } from "../dialog/sign_in_dialog.ts";

const KNOWN = { user: "alice", password: "correct horse", mayCreate: false };

/** Answers the dialog, which asks for the name over a connection of its own first. */
async function acceptDialog(server: ScriptedServer, user?: string): Promise<Peer> {
  const first = await server.accept();
  await first.expect("login_name");
  await first.reply({ kind: "user_existing", payload: null });
  return await server.acceptSignIn(user);
}

function sentBy(sender: string, recipient: string, content: string): Event {
  return { kind: "message", payload: { ...messageFrom(sender, content), recipient, cursor: "c" } };
}

Deno.test("LineClient tells of the account's new name, and takes it for its own from then on", async () => {
  using server = new ScriptedServer();
  const screen = new TestScreen();
  await using client = clientOf([server.host]);
  const [peer] = await Promise.all([acceptDialog(server), signInDialog(client, screen, KNOWN)]);
  const { clock } = denoOutside;
  const running = new LineClient({ client, screen, paint: PLAIN, clock, rings: false }).run();
  await peer.subscribe("c0");
  await peer.expect("list_users");
  await peer.reply({ kind: "users", payload: [] });
  await screen.until("You are alice");
  await peer.event(renamedEvent("alice", "alice~7", "c1"));
  await screen.until("-- your name alice was claimed earlier by somebody else: you are alice~7");

  await peer.event(sentBy("alice~7", "bob", "from my other device"));
  await peer.event(sentBy("alice", "alice~7", "from whoever has my name"));
  await screen.until("alice: from whoever has my name");
  assertEquals(screen.printed.filter((line) => line.includes("other device")), []);
  screen.end("end");
  assertEquals(await running, "end");
});

Deno.test("LineClient finds messages of all conversations, which have numbers to be deleted by", async () => {
  await using server = await testServer();
  const hosts = [{ host: "127.0.0.1", port: server.port }];
  await using bob = new ChatClient({ hosts, outside: denoOutside });
  await bob.signIn({ user: "bob", password: KNOWN.password, create: true });
  await using client = new ChatClient({ hosts, outside: denoOutside });
  await client.signIn({ ...KNOWN, create: true });
  for (const text of ["the disk is full", "nothing", "Disk: 90 % full"]) {
    await bob.send("alice", text);
  }
  const screen = new TestScreen();
  const { clock } = denoOutside;
  const running = new LineClient({ client, screen, paint: PLAIN, clock, rings: false }).run();
  screen.enter("/search full disk");
  await screen.until("to alice  bob: Disk: 90 % full");
  const found = screen.printed.filter((line) => line.includes("full"));
  assertEquals(found.map((line) => line.replace(/^(\[\d+\]).*bob/, "$1 bob")), [
    "[1] bob: the disk is full",
    "[2] bob: Disk: 90 % full",
  ]);
  screen.enter("/search no such words");
  await screen.until("Nothing");
  screen.enter("/quit");
  assertEquals(await running, "end");
});

Deno.test("LineClient shows none of its own messages again, however many are not answered", async () => {
  await using server = await testServer({ limits: { framesPerSecondMax: Infinity } });
  const hosts = [{ host: "127.0.0.1", port: server.port }];
  await using client = new ChatClient({ hosts, outside: denoOutside });
  await client.signIn({ ...KNOWN, create: true });
  const screen = new TestScreen();
  const { clock } = denoOutside;
  const running = new LineClient({ client, screen, paint: PLAIN, clock, rings: false }).run();
  screen.enter("/msg alice");
  for (let number = 1; number <= 3_000; number++) screen.enter(`text ${number}`);
  screen.enter("/quit");
  assertEquals(await running, "end");
  assertEquals(screen.printed.filter((line) => line.includes("text ")), []);
});

Deno.test("signInDialog() says by which name it has signed in if that is another one", async () => {
  using server = new ScriptedServer();
  for (const [user, told] of [["alice", []], ["alice~7", [notice]]] as const) {
    const screen = new TestScreen();
    await using client = clientOf([server.host]);
    await Promise.all([acceptDialog(server, user), signInDialog(client, screen, KNOWN)]);
    assertEquals(screen.printed, [...told]);
  }
});

const notice = "-- signed in as alice~7: the name alice was claimed earlier by somebody else";

Deno.test("signInDialog() tells on how many nodes the account that it creates is stored", async () => {
  using server = new ScriptedServer();
  const screen = new TestScreen();
  await using client = clientOf([server.host]);
  const signingIn = signInDialog(client, screen, { ...KNOWN, mayCreate: true });
  const first = await server.accept();
  await first.expect("login_name");
  await first.reply({ kind: "user_not_existing", payload: null });
  const second = await server.accept();
  await second.expect("login_name");
  await second.reply({ kind: "user_not_existing", payload: null });
  await second.expect("login_password");
  const payload = { user: "alice", node: "node1", unread: 0, token: "t1", copies: 2 };
  await second.reply({ kind: "login_success", payload });
  await signingIn;
  assertEquals(screen.printed, ["account alice created (stored on 2 nodes)"]);
});
