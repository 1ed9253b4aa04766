import { assertEquals, assertRejects } from "@std/assert";
import { operatorAsks, tokenFor } from "../../server/testing/operator_asks.ts";
import { tryPassword } from "../../server/testing/sign_in_tries.ts";
import { testServer } from "../../server/testing/test_server.ts";
import { signUp } from "../../server/testing/wire_client.ts";
import { RefusedError, WrongPasswordError } from "../connection.ts";
import { clientOf } from "../testing/scripted_client.ts";
import { ScriptedDialog } from "../testing/scripted_dialog.ts";
import { signInDialog } from "./sign_in_dialog.ts";

const OLD = "correct horse";
const NEW = "battery staple";
const KNOWN = { user: "alice", password: undefined, mayCreate: false };

function hostsOf({ port }: { readonly port: number }) {
  return [{ host: "127.0.0.1", port }];
}

Deno.test("signInDialog() has a password chosen by who types a one-time token, and goes on with it", async () => {
  await using server = await testServer({ registration: "closed" });
  const token = await tokenFor(server.directory, "account_add", "alice");
  await using client = clientOf(hostsOf(server));
  const dialog = new ScriptedDialog(
    ["Password: ", token.toUpperCase()],
    ["New password: ", "short"],
    ["New password: ", token],
    ["The same again: ", token],
    ["New password: ", NEW],
    ["The same again: ", "battery stable"],
    ["New password: ", NEW],
    ["The same again: ", NEW],
  );
  assertEquals(await signInDialog(client, dialog, KNOWN), NEW);
  assertEquals(dialog.isDone, true);
  assertEquals(dialog.printed, [
    "That was a one-time token: choose a password, by which you sign in from now on.",
    "A password has at least 8 characters",
    "the new password has to be another than the one-time token",
    "They are not the same.",
    "your password is set (stored on 1 node)",
  ]);
  assertEquals(client.session.user, "alice");
  assertEquals(await tryPassword(server.port, "alice", NEW), "login_success");
});

Deno.test("signInDialog() takes a token that was remembered or given in the place of a password", async () => {
  await using server = await testServer();
  await signUp(server.port, "alice", OLD);
  for (const how of ["password", "remembered"] as const) {
    const token = await tokenFor(server.directory, "account_reset", "alice");
    const remembered = { password: token, file: "credentials.json" };
    const known = how === "password" ? { ...KNOWN, password: token } : { ...KNOWN, remembered };
    await using client = clientOf(hostsOf(server));
    const dialog = new ScriptedDialog(["New password: ", NEW], ["The same again: ", NEW]);
    assertEquals(await signInDialog(client, dialog, known), NEW);
  }
});

Deno.test("signInDialog() lets somebody leave before they have chosen a password, and come back", async () => {
  await using server = await testServer();
  const token = await tokenFor(server.directory, "account_add", "alice");
  await using client = clientOf(hostsOf(server));
  assertEquals(
    await signInDialog(client, new ScriptedDialog(["Password: ", token]), KNOWN),
    undefined,
  );
  const dialog = new ScriptedDialog(
    ["Password: ", token],
    ["New password: ", NEW],
    ["The same again: ", NEW],
  );
  assertEquals(await signInDialog(client, dialog, KNOWN), NEW);
});

Deno.test("signInDialog() gives up a token that another reset has ended meanwhile", async () => {
  await using server = await testServer();
  const token = await tokenFor(server.directory, "account_add", "alice");
  await using client = clientOf(hostsOf(server));
  const dialog = new ScriptedDialog(
    ["Password: ", token],
    ["New password: ", NEW],
    ["The same again: ", async () => {
      await tokenFor(server.directory, "account_reset", "alice");
      return NEW;
    }],
  );
  await assertRejects(
    () => signInDialog(client, dialog, KNOWN),
    WrongPasswordError,
    "the one-time token is wrong",
  );
});

Deno.test("signInDialog() says why nobody can sign up, and asks for the name of who has an account", async () => {
  await using server = await testServer({ registration: "closed" });
  const token = await tokenFor(server.directory, "account_add", "alice");
  await using client = clientOf(hostsOf(server));
  const dialog = new ScriptedDialog(
    ["Name: ", "alicia"],
    [`There is no account "alicia". Create it? [y/N] `, "y"],
    ["New password: ", OLD],
    ["The same again: ", OLD],
    ["Name: ", "alice"],
    ["Password: ", token],
    ["New password: ", NEW],
    ["The same again: ", NEW],
  );
  assertEquals(await signInDialog(client, dialog, { ...KNOWN, user: undefined }), NEW);
  assertEquals(dialog.printed[0], "ask the operator for an account");
});

Deno.test("signInDialog() ends for a disabled account, with what the node says of it", async () => {
  await using server = await testServer();
  await signUp(server.port, "alice", OLD);
  await operatorAsks(server.directory, { command: "account_disable", name: "alice" });
  await using client = clientOf(hostsOf(server));
  await assertRejects(
    () => signInDialog(client, new ScriptedDialog(["Password: ", OLD]), KNOWN),
    RefusedError,
    "the operator has disabled this account",
  );
});
