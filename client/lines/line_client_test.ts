import { assertEquals } from "@std/assert";
import type { Event } from "../../codec/message.ts";
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
import { signInDialog } from "./sign_in_dialog.ts";

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
