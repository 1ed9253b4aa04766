import { assertEquals, assertNotMatch, assertStringIncludes } from "@std/assert";
import { ChatClient, formatHost } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import { answerSignUp } from "../testing/answer_sign_up.ts";
import { CHAT, chat } from "../testing/chat_process.ts";
import { ScratchNode } from "../testing/scratch_node.ts";
import { hasTmux, TmuxPane } from "../testing/tmux_pane.ts";

const ignore = !await hasTmux();
if (ignore) console.log("The tests of the client on a terminal are skipped: tmux is not installed");

const bob = { CHAT_USER: "bob", CHAT_PASSWORD: "bobs-password" };
/** Prints the exit code, and whether the terminal is as before, in words that are not in it. */
const TERMINAL_CHECK = `echo exit $?; stty -a | grep -qwe -echo -e -icanon || echo its' echo'`;

/** A test with a node, and a terminal with a shell in it. */
function terminalTest(
  name: string,
  test: (pane: TmuxPane, node: ScratchNode) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using node = await ScratchNode.start();
      await using pane = await TmuxPane.open();
      await test(pane, node);
    },
  });
}

/** Whoever had the terminal has ended with this code, and left it as it was. */
async function assertLeft(pane: TmuxPane, exitCode: number): Promise<void> {
  await pane.enter(TERMINAL_CHECK);
  assertStringIncludes(await pane.until("its echo"), `exit ${exitCode}\n`);
}

async function startClient(pane: TmuxPane, node: ScratchNode): Promise<void> {
  const words = [...CHAT, "client", "--plain", "--host", formatHost(node.host)].join(" ");
  // In a script, so that the pane shows what is said and not how it was called.
  const script = `echo $$ >${node.scratch}/pid\nXDG_CONFIG_HOME=${node.scratch} exec ${words}\n`;
  await Deno.writeTextFile(`${node.scratch}/client.sh`, script);
  await pane.enter(`clear; sh ${node.scratch}/client.sh`);
}

async function signUp(pane: TmuxPane, user: string): Promise<void> {
  await answerSignUp(pane, user, "a long password");
  await pane.until(`You are ${user}`);
}

terminalTest(
  "client on a terminal asks before a mistyped name becomes an account",
  async (pane, node) => {
    await startClient(pane, node);
    await pane.until("Name:");
    await pane.enter("alcie");
    await pane.until(`There is no account "alcie". Create it? [y/N]`);
    await pane.press("Enter");
    await pane.until(/Create it.*\n+Name:$/);
    await pane.enter("alice");
    await pane.until(`There is no account "alice". Create it? [y/N]`);
    await pane.enter("y");
    await pane.until("New password:");
    await pane.enter("a long password");
    await pane.until("The same again:");
    await pane.enter("another password");
    await pane.until("not the same");
    await pane.enter("a long password");
    await pane.until(/not the same.\n+New password:\n+The same again:$/);
    await pane.enter("a long password");
    assertNotMatch(await pane.until("You are alice"), /long|another/);
    await pane.enter("/quit");
    await pane.until(/\$$/);
    await assertLeft(pane, 0);
    const { code, stderr } = await chat(["inbox", "--host", formatHost(node.host)], {
      env: { CHAT_USER: "alcie", CHAT_PASSWORD: "a long password" },
    });
    assertEquals(code, 1, stderr);
  },
);

terminalTest(
  "client on a terminal keeps what is typed through messages and the death of the node",
  async (pane, node) => {
    const host = ["--host", formatHost(node.host)];
    assertEquals((await chat(["inbox", ...host, "--create"], { env: bob })).code, 0);
    await startClient(pane, node);
    await signUp(pane, "alice");
    await pane.enter("/msg bob");
    await pane.until("bob>");
    await pane.type("half a sen");

    assertEquals((await chat(["send", ...host, "alice", "are you there?"], { env: bob })).code, 0);
    await pane.until(/bob: are you there\?(\n.*)*\nbob> half a sen$/);
    await node.kill();
    await pane.until(/no connection.*(\n.*)*\nbob> half a sen$/);
    await pane.enter("tence");
    await pane.until("[2] sending…");
    await pane.type("and the next");
    await node.startAgain();
    const screen = await pane.until(/\[2\] stored on 1 node(\n.*)*\nbob> and the next$/);
    assertEquals(screen.match(/are you there/g)?.length, 1);

    const inbox = await chat(["inbox", ...host, "--mark-read", "--json"], { env: bob });
    const messages = inbox.stdout.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(messages.map(({ content }) => content), ["half a sentence"]);
    await pane.until(/\[2\] read by bob(\n.*)*\nbob> and the next$/);
    await pane.press("C-c");
    await pane.until(/and the next\n\$$/);
    await assertLeft(pane, 130);
  },
);

terminalTest(
  "client on a terminal shows other people's control characters as escapes",
  async (pane, node) => {
    const host = ["--host", formatHost(node.host)];
    await startClient(pane, node);
    await signUp(pane, "alice");
    await chat(["inbox", ...host, "--create"], { env: bob });
    const content = "\x1b[2J\x1b[Hgone\u202e?";
    assertEquals((await chat(["send", ...host, "alice"], { env: bob, stdin: content })).code, 0);
    const screen = await pane.until("gone");
    assertStringIncludes(screen, "bob: \\x1b[2J\\x1b[Hgone\\u{202e}?");
    assertStringIncludes(screen, "You are alice");
    await pane.press("C-d");
    await pane.until(/\$$/);
    await assertLeft(pane, 0);
  },
);

terminalTest(
  "client on a terminal leaves it as it was when the process is told to end, or fails",
  async (pane, node) => {
    await startClient(pane, node);
    await signUp(pane, "alice");
    await pane.type("half a sen");
    await pane.until(/half a sen$/);
    await signalForeground("SIGTERM", node);
    await pane.until(/half a sen\n\$$/);
    await assertLeft(pane, 143);

    const screen = new URL("../lines/readline_screen.ts", import.meta.url);
    const failing = `import { ReadlineScreen } from "${screen}";
      void new ReadlineScreen(() => []).next();
      setTimeout(() => Deno.exit(70), 1);`;
    await Deno.writeTextFile(`${node.scratch}/failing.ts`, failing);
    await pane.enter(`clear; ${CHAT[0]} run -A ${node.scratch}/failing.ts`);
    await pane.until(/^>\n\$$/);
    await assertLeft(pane, 70);
  },
);

terminalTest(
  "client on a terminal ends with a reason when the password is changed elsewhere",
  async (pane, node) => {
    await startClient(pane, node);
    await signUp(pane, "alice");
    const password = "a long password";
    await using elsewhere = new ChatClient({ hosts: [node.host], outside: denoOutside });
    await elsewhere.signIn({ user: "alice", password });
    await elsewhere.changePassword(password, "another password");
    await pane.until("the session was ended");
    await assertLeft(pane, 4);
  },
);

terminalTest(
  "a command on a terminal asks for the password without showing it",
  async (pane, node) => {
    await chat(["inbox", "--host", formatHost(node.host), "--create"], { env: bob });
    const words = [...CHAT, "users", "--host", formatHost(node.host), "--user", "bob"].join(" ");
    await Deno.writeTextFile(`${node.scratch}/users.sh`, `exec ${words}\n`);
    await pane.enter(`clear; sh ${node.scratch}/users.sh`);
    await pane.until("Password of bob:");
    await pane.enter("bobs-passwordé\x7f");
    assertNotMatch(await pane.until("bob, online"), /bobs-/);
    await pane.enter(`clear; sh ${node.scratch}/users.sh`);
    await pane.until(/^Password of bob:$/);
    await pane.press("C-c");
    await pane.until(/bob:\n\$$/);
    await assertLeft(pane, 130);
  },
);

/** Signals the client by its id, which its shell wrote down. */
async function signalForeground(signal: Deno.Signal, node: ScratchNode): Promise<void> {
  Deno.kill(Number(await Deno.readTextFile(`${node.scratch}/pid`)), signal);
}
