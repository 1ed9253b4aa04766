import { assertEquals, assertRejects } from "@std/assert";
import type { Reply } from "../../codec/message.ts";
import { alice, clientOf } from "../testing/scripted_client.ts";
import { type Peer, ScriptedServer, signedIn } from "../testing/scripted_server.ts";
import { OneTimeTokenError, RefusedError, WrongPasswordError } from "./errors.ts";

const INVITED = { ...alice, create: true, invitation: "invite.x" };
const CHOSEN = { user: "alice", oneTimeToken: "7k3m-x9qd-0afh", password: "battery staple" };
const LOGIN_FAILED: Reply = { kind: "login_failed", payload: null };

function refusal(code: string, sentence = "so it is"): Reply {
  return { kind: "error", payload: { code, sentence } };
}

/** Answers LOGIN_NAME. */
async function named(peer: Peer, exists: boolean): Promise<void> {
  await peer.expect("login_name");
  await peer.reply({ kind: exists ? "user_existing" : "user_not_existing", payload: null });
}

Deno.test("ChatClient.signIn() makes an account by an invitation, and signs in to one that there is", async () => {
  using server = new ScriptedServer();
  await using client = clientOf([server.host]);
  const signingUp = client.signIn(INVITED);
  const peer = await server.accept();
  await named(peer, false);
  const { payload } = await peer.expect("redeem");
  assertEquals(payload, { user: "alice", token: "invite.x", password: alice.password });
  await peer.reply(signedIn());
  await signingUp;

  await using again = clientOf([server.host]);
  const signingIn = again.signIn(INVITED);
  const second = await server.accept();
  await named(second, true);
  assertEquals((await second.expect("login_password")).payload, alice.password);
  await second.reply(signedIn());
  await signingIn;
});

Deno.test("ChatClient.signIn() tells why an account is not made", async () => {
  using server = new ScriptedServer();
  for (const code of ["registration_closed", "bad_invitation", "name_taken"]) {
    await using client = clientOf([server.host]);
    const refused = assertRejects(() => client.signIn(INVITED), RefusedError, `so it is (${code})`);
    const peer = await server.accept();
    await named(peer, false);
    await peer.expect("redeem");
    await peer.reply(refusal(code));
    await refused;
  }
});

Deno.test("ChatClient.signIn() tells a one-time token from a password, and chooses one with it", async () => {
  using server = new ScriptedServer();
  await using client = clientOf([server.host]);
  const told = assertRejects(
    () => client.signIn({ user: "alice", password: CHOSEN.oneTimeToken }),
    OneTimeTokenError,
    "sign in once with chat client",
  );
  const peer = await server.accept();
  await named(peer, true);
  await peer.expect("login_password");
  await peer.reply(refusal("choose_password"));
  await told;

  const choosing = client.signIn(CHOSEN);
  const second = await server.accept();
  const { payload } = await second.expect("redeem");
  assertEquals(payload, { user: "alice", token: "7k3m-x9qd-0afh", password: "battery staple" });
  await second.reply(signedIn());
  await choosing;
  // It goes on by what was chosen, once its session's token is not taken.
  second.close();
  const third = await server.accept();
  await third.expect("resume");
  await third.reply(LOGIN_FAILED);
  await named(third, true);
  assertEquals((await third.expect("login_password")).payload, "battery staple");
  await third.reply(signedIn());
});

Deno.test("ChatClient.signIn() tells a one-time token that is not good", async () => {
  using server = new ScriptedServer();
  await using client = clientOf([server.host]);
  const refused = assertRejects(
    () => client.signIn(CHOSEN),
    WrongPasswordError,
    "the one-time token is wrong",
  );
  const peer = await server.accept();
  await peer.expect("redeem");
  await peer.reply(LOGIN_FAILED);
  await refused;
});

Deno.test("ChatClient.signIn() finds out whether a token was used by a connection that was lost", async () => {
  using first = new ScriptedServer();
  using second = new ScriptedServer();
  await using client = clientOf([first.host, second.host]);
  const choosing = client.signIn(CHOSEN);
  const lost = await first.accept();
  await lost.expect("redeem");
  lost.close();
  const peer = await second.accept();
  await peer.expect("redeem");
  await peer.reply(LOGIN_FAILED);
  await named(peer, true);
  assertEquals((await peer.expect("login_password")).payload, "battery staple");
  await peer.reply(signedIn());
  await choosing;
});
