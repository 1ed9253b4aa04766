/** What the commands, and a client that is signed in, say of what an operator did to an account. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { operatorAsks, tokenFor } from "../../server/testing/operator_asks.ts";
import { TestAuthority } from "../../server/testing/test_authority.ts";
import { TestCluster } from "../../server/testing/test_cluster.ts";
import { testServer } from "../../server/testing/test_server.ts";
import { signUp } from "../../server/testing/wire_client.ts";
import { formatInvite } from "../../codec/invite.ts";
import { denoOutside } from "../deno_outside.ts";
import { chat } from "../testing/chat_process.ts";
import { ManualClock } from "../testing/manual_clock.ts";
import { ScratchNode } from "../testing/scratch_node.ts";
import { TestShell } from "../testing/test_shell.ts";
import { type Command, runCommand } from "./command.ts";
import { exitCodeOf } from "./exit_code.ts";
import { inbox } from "./inbox.ts";
import { tail } from "./tail.ts";

const PASSWORD = "correct horse";
const HOUR_MS = 3_600_000;

/** The exit code of a command that fails, and what is said of it. */
async function failureOf(command: Command, args: readonly string[], password: string) {
  const shell = new TestShell({ CHAT_USER: "alice", CHAT_PASSWORD: password });
  try {
    return { code: await runCommand(command, args, { shell, outside: denoOutside }), said: "" };
  } catch (error) {
    return { code: exitCodeOf(error), said: error instanceof Error ? error.message : "" };
  }
}

function hostOf({ port }: { readonly port: number }): string[] {
  return ["--host", `127.0.0.1:${port}`];
}

Deno.test("a command says why it cannot sign in or up, with exit code 4", async () => {
  await using server = await testServer({ registration: "closed" });
  const args = hostOf(server);
  assertEquals(await failureOf(inbox, [...args, "--create"], PASSWORD), {
    code: 4,
    said: "ask the operator for an account (registration_closed)",
  });
  const token = await tokenFor(server.directory, "account_add", "alice");
  assertEquals(await failureOf(inbox, args, token), {
    code: 4,
    said: "Cannot sign in as alice: this is a one-time token, with which a password has to be " +
      "chosen; sign in once with chat client",
  });
  await operatorAsks(server.directory, { command: "account_disable", name: "alice" });
  assertEquals(await failureOf(inbox, args, token), {
    code: 4,
    said: "the operator has disabled this account (account_disabled)",
  });
  assertEquals((await failureOf(inbox, args, PASSWORD)).code, 4);
});

Deno.test("a command makes an account by an invite that has an invitation, and says that it takes one", async () => {
  const [authority, others] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  await using cluster = await TestCluster.start({ authority, registration: "invite" });
  const hosts = [`127.0.0.1:${cluster.port("node1")}`];
  const invite = async (by?: TestAuthority) => {
    const invitation = await by?.invite(Date.now() + HOUR_MS);
    const line = formatInvite({
      hosts,
      ca: authority.certificate,
      ...(invitation !== undefined && { invitation }),
    });
    return ["--invite", line];
  };
  const signUpBy = async (args: readonly string[]) =>
    await failureOf(inbox, [...args, "--create"], PASSWORD);
  const without = await signUpBy(await invite());
  assertEquals([without.code, without.said.includes("invitation_needed")], [4, true]);
  const wrong = await signUpBy(await invite(others));
  assertEquals([wrong.code, wrong.said.includes("bad_invitation")], [4, true]);
  assertEquals((await signUpBy(await invite(authority))).code, 0);
  // The same line again, by who has the account by now, and one without an invitation.
  assertEquals((await signUpBy(await invite(authority))).code, 0);
  assertEquals((await failureOf(inbox, await invite(), PASSWORD)).code, 0);
});

Deno.test("chat tail ends with exit code 4 when its account is disabled, or its password reset", async () => {
  const cases = [
    ["account_disable", /^Cannot go on as alice: the operator has disabled this account$/],
    ["account_reset", /^Cannot go on as alice: the session was ended, .* reset, or the account/],
  ] as const;
  for (const [command, said] of cases) {
    await using server = await testServer();
    await signUp(server.port, "alice", PASSWORD);
    const clock = new ManualClock();
    const shell = new TestShell({ CHAT_USER: "alice", CHAT_PASSWORD: PASSWORD }, {
      onNote(line) {
        if (line.includes("no connection")) queueMicrotask(() => clock.advance(HOUR_MS));
      },
    });
    const outside = { ...denoOutside, clock };
    const ended = runCommand(tail, hostOf(server), { shell, outside })
      .then(() => undefined, (error: unknown) => error);
    await shell.noted("following as alice");
    if (command === "account_reset") await tokenFor(server.directory, command, "alice");
    else await operatorAsks(server.directory, { command, name: "alice" });
    const error = await ended;
    assertEquals(exitCodeOf(error), 4);
    assertMatch(error instanceof Error ? error.message : "", said);
  }
});

Deno.test("a script that talks by chat client is told of a one-time token as other commands are", async () => {
  await using node = await ScratchNode.start();
  const token = await tokenFor(`${node.scratch}/data`, "account_add", "alice");
  const env = { CHAT_USER: "alice", CHAT_PASSWORD: token };
  for (const command of ["client", "users"]) {
    const run = await chat([command, ...hostOf(node.host)], { env });
    assertEquals([run.code, run.stdout], [4, ""]);
    assertStringIncludes(run.stderr, "sign in once with chat client");
    assertEquals(run.stderr.includes(token), false);
  }
});
