/** The client on a whole terminal, as somebody sees it: real nodes, real processes, a real terminal. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { ClusterProcesses } from "../../server/testing/cluster_processes.ts";
import { Scratch } from "../../server/testing/scratch.ts";
import { fromSource } from "../../server/testing/server_process.ts";
import { ChatClient, type Host } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import { CHAT } from "../testing/chat_process.ts";
import { ScratchNode } from "../testing/scratch_node.ts";
import { DESK_PASSWORD, ScreenDesk } from "../testing/screen_desk.ts";
import { hasTmux } from "../testing/tmux_pane.ts";

const ignore = !await hasTmux();
if (ignore) console.log("The tests of the client on a terminal are skipped: tmux is not installed");

const NARROW = { columns: 40, rows: 12 };
const USUAL = { columns: 80, rows: 24 };
/** What is left on the terminal when the program has ended and said nothing. */
const NOTHING_LEFT = /^\$ clear; sh \S+\n\$$|^\$$/;

/** In what `stty -a` says of a terminal that a program left as it had it. */
const BROKEN = /-(echo|icanon|isig|icrnl|opost)\b/;

/** A test with a node, and somebody at a terminal. */
function screenTest(
  name: string,
  test: (desk: ScreenDesk, node: ScratchNode) => Promise<void>,
): void {
  Deno.test({
    name: `client on a whole terminal ${name}`,
    ignore,
    async fn() {
      await using node = await ScratchNode.start();
      await using desk = await ScreenDesk.open();
      await test(desk, node);
    },
  });
}

/** Somebody without a terminal. */
async function friend(user: string, hosts: readonly Host[], create = true): Promise<ChatClient> {
  const client = new ChatClient({ hosts, outside: denoOutside });
  await client.signIn({ user, password: DESK_PASSWORD, create });
  return client;
}

/** Bob, without a terminal, and the conversation with him open at the desk. */
async function openBob({ pane }: ScreenDesk, hosts: readonly Host[]): Promise<ChatClient> {
  const bob = await friend("bob", hosts);
  await pane.enter("/msg bob");
  await pane.until("bob ● online");
  return bob;
}

/** Whoever had the terminal has ended, and it is as before. */
async function assertGivenBack({ pane }: ScreenDesk, exitCode: number): Promise<void> {
  await pane.enter("echo ended with $?");
  await pane.until(`ended with ${exitCode}\n`);
  assertEquals(await pane.modes(), { hasAlternateScreen: false, hasVisibleCursor: true });
  const settings = await pane.settings();
  assertNotMatch(settings, BROKEN);
}

screenTest("signs up, talks, and leaves the terminal as it was", async (desk, node) => {
  const { pane } = desk;
  await desk.signUp("alice", [node.host]);
  assertNotMatch(await pane.screen(), /long password/);
  await using bob = await openBob(desk, [node.host]);
  await pane.enter("hello bob");
  await pane.until(/alice: hello bob {2}stored on 1 node/);
  await bob.readMessages("alice");
  await pane.until(/alice: hello bob {2}read/);
  await bob.send("alice", "hello alice");
  await pane.until("bob: hello alice");
  await pane.type("first line");
  await pane.press("M-Enter");
  await pane.enter("second line");
  await pane.until(/first line\n.*second line {2}stored on 1 node/);
  await pane.enter("/quit");
  await pane.until(NOTHING_LEFT);
  await assertGivenBack(desk, 0);
});

screenTest(
  "sends a pasted block as one message, and shows controls as escapes",
  async (desk, node) => {
    const { pane } = desk;
    await desk.signUp("alice", [node.host]);
    await using bob = await openBob(desk, [node.host]);
    await pane.paste("one\n\ttwo\n\nfour\x1b[2J");
    await pane.until(/> one\n {6}two\n\n {2}four\[2J$/);
    await pane.press("Enter");
    await pane.until("stored on 1 node");
    const [pasted] = await bob.history({ with: "alice" });
    assertEquals(pasted?.content, "one\n    two\n\nfour[2J");
    await bob.send("alice", "\x1b[2J\x1b[Hgone\u202e?");
    await pane.until("bob: \\x1b[2J\\x1b[Hgone\\u{202e}?");
    await pane.press("C-c");
    await pane.until(NOTHING_LEFT);
    await assertGivenBack(desk, 130);
  },
);

screenTest(
  "scrolls through 10,000 messages, searches them, and deletes one",
  async (desk, node) => {
    const { pane } = desk;
    await desk.signUp("alice", [node.host]);
    await using bob = await friend("bob", [node.host]);
    for (let from = 0; from < 10_000; from += 1_000) {
      const some = Array.from(
        { length: 1_000 },
        (_, index) => bob.send("alice", `no. ${from + index}.`),
      );
      await Promise.all(some);
    }
    await pane.press("M-a");
    await pane.until("no. 9999.");
    // Every page follows on the one before, down to the oldest.
    let shown = numbersOn(await pane.screen());
    for (let pages = 0; pages < 60; pages++) {
      const before = shown;
      await pane.press("PageUp");
      shown = numbersOn(await pane.until(untilOther(before)));
      assertEquals(shown.at(-1), before[0]);
      assertEquals(
        shown,
        shown.map((_, index) => (shown[0] ?? 0) + index),
      );
    }
    await pane.press("Home");
    await pane.until(/── \d{4}-\d\d-\d\d ─+\n.*bob: no\. 0\.\n/);
    await pane.enter("/search 5,555. NO");
    await pane.until("No message holds all of that");
    await pane.press("Escape");
    await pane.until("no. 0.");
    await pane.enter("/search 5555. NO");
    await pane.until("1 found");
    await pane.press("Enter");
    const found = await pane.until(/no\. 5554\.\n.*no\. 5555\.\n.*no\. 5556\./);
    assertStringIncludes(found, "End: newest");
    await pane.press("End");
    await pane.until("no. 9999.");
    await pane.enter("/delete");
    await pane.until("Which one?");
    await pane.press("Up", "Enter");
    await pane.until('Delete "no. 9998." for both sides? [y/N]');
    await pane.enter("y");
    await pane.until(/no\. 9997\.\n.*no\. 9999\./);
    const [, left] = (await bob.history({ with: "alice", limit: 2 })).toReversed();
    assertEquals(left?.content, "no. 9997.");
  },
);

function numbersOn(screen: string): number[] {
  return [...screen.matchAll(/no\. (\d+)\./g)].map(([, number]) => Number(number));
}

/** A screen whose first number is smaller than that of `before`. */
function untilOther([first = 0]: readonly number[]): RegExp {
  return new RegExp(`^(?![^]*no\\. ${first}\\.\\n[^]*no\\. ${first + 5}\\.)[^]*no\\. `);
}

screenTest(
  "keeps its layout at 40 columns and back, with wide and combining text",
  async (desk, node) => {
    const { pane } = desk;
    await desk.signUp("alice", [node.host]);
    await using bob = await openBob(desk, [node.host]);
    await bob.send("alice", "日本語の文章はここで折り返されるはずです、それでも列は揃っています");
    await bob.send("alice", "שלום עולם e\u0301e\u0301 naïve");
    await bob.send("alice", "the last words of a text that is longer than a narrow terminal");
    await pane.until(/ {6}terminal\n/);
    await pane.type("half a sen");
    const usual = await pane.until(/> half a sen$/);
    assertMatch(usual, /^1 ● bob +│bob ● online/);
    await pane.resize(NARROW);
    const narrow = await pane.until(/^bob ● online/);
    const lines = narrow.split("\n");
    assertEquals(lines.length, NARROW.rows);
    assertStringIncludes(narrow, "      れるはずです、それでも列は揃ってい\n      ます");
    assertMatch(
      narrow,
      /bob: the last words of a text that\n {6}is longer than a narrow terminal/,
    );
    assertEquals(lines.slice(-2), [" alice on node1", "> half a sen"]);
    assertEquals(await pane.cursor(), { row: 11, column: 12 });
    await pane.press("F2");
    await pane.until(/^1 ● bob +│bob/);
    await pane.press("F2");
    await pane.until(/^bob ● online/);
    await pane.resize(USUAL);
    assertEquals(await pane.until(/^1 ● bob +│bob ● online[^]*> half a sen$/), usual);
  },
);

screenTest(
  "keeps its rows when a terminal takes characters for wider than it does",
  async (desk, node) => {
    const { pane } = desk;
    await desk.signUp("alice", [node.host]);
    await using bob = await openBob(desk, [node.host]);
    // Of these, terminals have different opinions.
    await bob.send("alice", "(👍🏽漢 ❤️☎️ 👩‍👩‍👧‍👦 )".repeat(20));
    for (const text of ["one", "two", "three"]) await bob.send("alice", text);
    await pane.type("half a sen");
    const shown = (await pane.until(/bob: three\n alice on node1\n> half a sen$/)).split("\n");
    assertEquals(shown.length, USUAL.rows);
    assertMatch(shown.slice(-5).join("\n"), /│\d\d:\d\d bob: one\n.*│\d\d:\d\d bob: two\n/);
    for (const row of shown.slice(0, -2)) assertMatch(row, /^.{13}│/);
  },
);

screenTest("follows when its node is killed: says so, keeps what is typed", async (desk, first) => {
  const { pane } = desk;
  await desk.signUp("alice", [first.host]);
  await using bob = await openBob(desk, [first.host]);
  await bob.send("alice", "are you there?");
  await pane.until("are you there?");
  await pane.type("half a sen");
  await first.kill();
  await pane.until(/No connection to 127\.0\.0\.1:\d+: [^]*> half a sen$/);
  await pane.enter("tence");
  await pane.until(/alice: half a sentence {2}sending…/);
  await pane.type("and the next");
  await first.startAgain();
  const screen = await pane.until(
    /alice: half a sentence {2}stored on 1 node[^]*alice on node1[^]*> and the next$/,
  );
  assertEquals(screen.match(/are you there/g)?.length, 1);
  assertEquals(screen.match(/half a sentence/g)?.length, 1);
  const texts = (await bob.history({ with: "alice" })).map(({ content }) => content);
  assertEquals(texts, ["are you there?", "half a sentence"]);
});

Deno.test({
  name: "client on a whole terminal follows to the next node, on which nothing is missing",
  ignore,
  async fn() {
    await using scratch = await Scratch.make();
    const directory = scratch.path("cluster");
    await Deno.mkdir(directory);
    await using cluster = await ClusterProcesses.start({ program: fromSource, directory });
    await using desk = await ScreenDesk.open();
    const { pane } = desk;
    const { hosts } = cluster;
    await desk.signUp("alice", hosts);
    // On the other two: what the first one dies with must be there.
    await using bob = await friend("bob", hosts.slice(1));
    await pane.until(/alice on node1 {2}node2 ✓ {2}node3 ✓/);
    await pane.enter("/msg bob");
    await pane.until("bob ● online");
    await pane.enter("one");
    await pane.until(/alice: one {2}stored on [23] nodes/);
    await bob.send("alice", "two");
    await pane.until("bob: two");
    await pane.type("three");
    await cluster.node(0).stop("SIGKILL");
    await bob.send("alice", "meanwhile");
    await pane.until(/bob: meanwhile[^]* alice on node[23] [^]*> three$/);
    await pane.until("node1 unreachable");
    await pane.press("Enter");
    const shown = await pane.until(/alice: three {2}stored on 2 nodes/);
    const texts = [...shown.matchAll(/(?:alice|bob): (\w+)/g)].map(([, text]) => text);
    assertEquals(texts, ["one", "two", "meanwhile", "three"]);
    assertNotMatch(shown, /── unread/);
  },
});

screenTest("gives the terminal back on SIGTERM, and says what it ended for", async (desk, node) => {
  const { pane } = desk;
  await desk.signUp("alice", [node.host]);
  await pane.type("half a sen");
  await pane.until(/> half a sen$/);
  assertEquals((await pane.modes()).hasAlternateScreen, true);
  Deno.kill(await pane.foregroundPid(), "SIGTERM");
  await pane.until(NOTHING_LEFT);
  await assertGivenBack(desk, 143);

  await desk.signIn("alice", [node.host]);
  await using elsewhere = await friend("alice", [node.host], false);
  await elsewhere.changePassword(DESK_PASSWORD, "another password");
  await pane.until("the session was ended");
  await assertGivenBack(desk, 4);
});

Deno.test({
  name: "client on a whole terminal gives it back when it crashes, and what it says is seen",
  ignore,
  async fn() {
    await using desk = await ScreenDesk.open();
    const { pane } = desk;
    const [terminal, outside, shell] = [
      "screen/ink_terminal.tsx",
      "deno_outside.ts",
      "deno_shell.ts",
    ]
      .map((path) => new URL(`../${path}`, import.meta.url));
    await Deno.writeTextFile(
      `${desk.home}/failing.ts`,
      `import { InkTerminal } from "${terminal}";
      import { denoOutside } from "${outside}";
      import { denoShell } from "${shell}";
      const terminal = new InkTerminal(denoOutside.clock, true);
      terminal.listen({ onPress() {}, onResize() {} });
      terminal.draw({ rows: [[{ text: "drawn" }]], cursor: { row: 0, column: 0 } });
      denoShell.lendTerminal(() => terminal.close());
      const hasSaid = Deno.args[0] === "said";
      Deno.stdin.read(new Uint8Array(1)).then(() => {
        if (hasSaid) denoShell.note("it is a bug");
        Deno.exit(70);
      });`,
    );
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const words = [CHAT[0], "run", "--quiet", "-A", "--config", config, `${desk.home}/failing.ts`];
    for (const how of ["silent", "said"]) {
      await pane.enter(`clear; ${words.join(" ")} ${how}`);
      await pane.until(/^drawn$/);
      await pane.press("x");
      await pane.until(how === "said" ? /it is a bug\n\$$/ : /\$$/);
      await assertGivenBack(desk, 70);
    }
  },
});

screenTest("leaves a terminal that `reset` mends when it is killed", async (desk, node) => {
  const { pane } = desk;
  await desk.signUp("alice", [node.host]);
  Deno.kill(await pane.foregroundPid(), "SIGKILL");
  await pane.until(/\$[^]*$/);
  // Nothing that is typed is shown, but it is done.
  await pane.press("C-j");
  await pane.type("reset; clear");
  await pane.press("C-j");
  await pane.until(/^\$$/);
  await pane.enter("echo usable");
  await pane.until("usable\n");
  assertNotMatch(await pane.settings(), BROKEN);
});

screenTest("keeps two devices in step, and asks again for a wrong password", async (desk, node) => {
  const { pane } = desk;
  await desk.signUp("alice", [node.host]);
  await using bob = await friend("bob", [node.host]);
  await using other = await ScreenDesk.open();
  await other.start([node.host], "--user", "alice");
  await other.pane.until("Password:");
  await other.pane.enter("not her password");
  await other.pane.until("the password is wrong");
  await other.pane.until(/Password:$/);
  await other.pane.enter(DESK_PASSWORD);
  await other.pane.until("alice on ");
  await bob.send("alice", "for both");
  await pane.until(/bob +1/);
  await other.pane.until(/bob +1/);
  await other.pane.press("M-1");
  await other.pane.until("bob: for both");
  await pane.until(/bob +│/);
  await other.pane.enter("answered from there");
  await pane.press("M-1");
  await pane.until("alice: answered from there");
  const [answer] = (await bob.history({ with: "alice" })).toReversed();
  assert(answer !== undefined);
  await bob.deleteMessages([answer.id]);
  await pane.until(/^(?![^]*answered)/);
  await other.pane.until(/^(?![^]*answered)/);
});

screenTest(
  "recalls what was entered in an earlier session, and runs a command for news",
  async (desk, node) => {
    const { pane } = desk;
    await using bob = await friend("bob", [node.host]);
    const told = `${desk.home}/told`;
    const command =
      `'printf "%s says %s" "$CHAT_FROM" "$CHAT_TEXT" >${told}.new; mv ${told}.new ${told}'`;
    await desk.signUp("alice", [node.host], "--notify-command", command, "--notify", "osc777");
    await bob.send("alice", "some; $(news)");
    await pane.until(/bob +1/);
    await pane.enter("/msg bob to be recalled");
    await pane.until("to be recalled");
    for (let text = ""; text === "";) text = await Deno.readTextFile(told).catch(() => "");
    assertEquals(await Deno.readTextFile(told), "bob says some; $(news)");
    await pane.enter("/quit");
    await pane.until(/\$$/);
    await desk.signIn("alice", [node.host]);
    await pane.press("Up");
    await pane.until(/> \/quit$/);
    await pane.press("Up");
    await pane.until(/> \/msg bob to be recalled$/);
    const mode = (await Deno.stat(`${desk.home}/state/chat/history`)).mode ?? 0;
    assertEquals(mode & 0o777, 0o600);
  },
);
