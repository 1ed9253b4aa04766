/** README.md: all commands that it shows are typed, and it has the words of the program. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname } from "node:path";
import { EXIT } from "../client/commands/exit_code.ts";
import { answerSignUp } from "../client/testing/answer_sign_up.ts";
import { hasTmux, TmuxPane } from "../client/testing/tmux_pane.ts";
import config from "../deno.json" with { type: "json" };
import { readPage, type Step, Typist } from "../server/testing/typed_page.ts";

const ROOT = new URL("../", import.meta.url);
const README = await Deno.readTextFile(new URL("README.md", ROOT));
const SERVERS = await Deno.readTextFile(new URL("servers.json", ROOT));
const TASK = /^npx -y deno@[\d.]+ task ([\w:-]+)/;

const hasTerminal = await hasTmux();
if (!hasTerminal) {
  console.log("README.md's client is tried without a terminal: tmux is not installed");
}

Deno.test("README.md shows commands in sh blocks, and nowhere else", () => {
  const outside = README.replaceAll(/^```[^]*?^```$/gm, "").split("\n");
  assertEquals(outside.filter((line) => /^(?: {4}|\t)/.test(line)), []);
  const steps = readPage(README).flatMap((section) => section.steps);
  assertEquals(steps.filter(({ line }) => !/\bchat\b|^export|^npx/.test(line)), []);
});

Deno.test("README.md names tasks that there are", () => {
  const known = new Set(Object.keys(config.tasks));
  const table = README.slice(README.indexOf("| task "), README.indexOf("[docs/PROTOCOL.md]"));
  const listed = [...table.matchAll(/^\| `([\w:-]+)`/gm)].map(([, name = ""]) => name);
  const typed = [...README.matchAll(/deno@[\d.]+ task ([\w:-]+)/g)].map(([, name = ""]) => name);
  assertEquals(new Set([...listed, ...typed]).difference(known), new Set());
});

Deno.test("README.md can be typed as it is written", async () => {
  await using typist = await Typist.begin(SERVERS);
  const printed = new Map<string, string>();
  for (const { steps } of readPage(README)) {
    for (const step of steps.filter(({ line }) => !TASK.test(line))) {
      printed.set(step.line, await take(typist, step));
    }
  }
  const said = (part: string) => [...printed].find(([line]) => line.includes(part))?.[1] ?? "";
  const inbox = said("--mark-read");
  assertEquals(inbox.match(/disk is full/g)?.length, 1);
  assertStringIncludes(inbox, "ops: disk full\n");
  assertMatch(said("--to ops"), /^sent \S+ to ops \(stored on [23] nodes\)\nsent \S+ to alice/);
  assertMatch(said("status --json"), /^\{"host"/);
});

Deno.test("README.md has the program's exit codes", () => {
  const { done, failed, usage, unreachable, refused, tooFewCopies, bug } = EXIT;
  const codes = `${done} done, ${failed} you can fix it, ${usage} wrong usage or configuration, ` +
    `${unreachable} no server reachable, ${refused} refused, ${tooFewCopies} too few copies`;
  const text = README.replaceAll("\n", " ");
  assertStringIncludes(text, codes);
  assertStringIncludes(text, `${bug} a bug`);
});

/**
 * Types a line; the demo at a terminal, and the client, that twice: the second time it needs no options.
 */
async function take(typist: Typist, step: Step): Promise<string> {
  if (step.line.startsWith("./chat demo")) {
    if (hasTerminal) await signUpForDemo(typist, step.line);
    return "";
  }
  if (step.line.startsWith("./chat cluster init lab")) return await makeLab(typist, step);
  // What is said to be one message has to be sent twice.
  if (step.line.includes("--key")) await typist.take(step);
  if (!/^\.\/chat client/.test(step.line)) return await typist.take(step);
  const hosts = [9001, 9002, 9003].map((port) => `127.0.0.1:${typist.port(port)}`);
  const remembered = { hosts, user: "bob" };
  const file = `${typist.env.XDG_CONFIG_HOME}/chat/config.json`;
  if (hasTerminal) {
    await signUpAndIn(typist, step.line);
    assertEquals(JSON.parse(await Deno.readTextFile(file)), remembered);
  } else {
    await typist.type(`${step.line.replace(/#.*/, "")} --user bob --create`);
    // Without a terminal nothing is remembered, and what follows goes by it.
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeTextFile(file, JSON.stringify(remembered));
  }
  return "";
}

/** Makes a cluster whose nodes do not get in the way of others on this machine. */
async function makeLab(typist: Typist, step: Step): Promise<string> {
  const printed = await typist.take(step);
  const folders = ["lab", "lab/node1", "lab/node2", "lab/node3"];
  for (const folder of folders) await typist.usePorts(`${folder}/servers.json`);
  await typist.usePorts("lab/invite");
  return printed;
}

async function signUpForDemo(typist: Typist, line: string): Promise<void> {
  await using pane = await TmuxPane.open();
  await startAt(pane, typist, line);
  await answerSignUp(pane, "carol", "correct horse");
  await pane.until("carol on ");
  await pane.enter("/quit");
  await pane.until("ended with 0");
}

async function signUpAndIn(typist: Typist, line: string): Promise<void> {
  await using pane = await TmuxPane.open();
  await startAt(pane, typist, line);
  await answerSignUp(pane, "bob", "correct horse");
  await pane.until("bob on ");
  await pane.enter("/help");
  await pane.until("/msg");
  await pane.enter("/quit");
  await pane.until("ended with 0");
  await startAt(pane, typist, "./chat client");
  await pane.until("Password:");
  await pane.enter("correct horse");
  await pane.until("bob on ");
  await pane.enter("/quit");
  await pane.until("ended with 0");
}

async function startAt(pane: TmuxPane, typist: Typist, command: string): Promise<void> {
  const [env, file] = [Object.entries(typist.env), `${typist.directory}/client.sh`];
  const settings = env.map(([name, value]) => `export ${name}='${value}'`).join("\n");
  const begin = `clear\necho 'now ${command}'\ncd ${typist.directory}`;
  await Deno.writeTextFile(file, `${begin}\n${settings}\n${command}\necho "ended with $?"\n`);
  await pane.enter(`sh ${file}`);
  // Until then the terminal shows what was before.
  await pane.until(`now ${command}`);
}
