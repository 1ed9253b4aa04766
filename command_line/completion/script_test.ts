import { assertEquals, assertStringIncludes } from "@std/assert";
import { commands } from "../../client/commands/table.ts";
import { chat } from "../../client/testing/chat_process.ts";
import { hasTmux, TmuxPane } from "../../client/testing/tmux_pane.ts";
import { allPages } from "../../main.ts";
import { Scratch } from "../../server/testing/scratch.ts";
import { SHELLS } from "./script.ts";

/** What is typed after `chat`, the last word unfinished, and what it may become. */
const CASES: readonly [typed: readonly string[], candidates: readonly string[]][] = [
  [["s"], ["serve", "send", "status"]],
  [["comp"], ["completion", "compact"]],
  [["log", ""], ["verify"]],
  [["log", "verify", "--re"], ["--repair"]],
  [["send", "--min"], ["--min-copies"]],
  [["inbox", "--color", ""], ["auto", "always", "never"]],
  [["client", "--bell", "o"], ["on", "off"]],
  [["completion", ""], ["bash", "zsh", "fish"]],
  [["import", "notes"], ["notes.jsonl"]],
  [["inbox", "--config", "serv"], ["servers.json"]],
  [["send", "--user", ""], []],
  [["send", "al"], []],
];

const missing: string[] = [];
for (const shell of SHELLS) if (!await isInstalled(shell)) missing.push(shell);
const hasTerminal = await hasTmux();
if (missing.length > 0) {
  console.log(`Tests of completion are skipped for ${missing.join(", ")}: not installed`);
}
if (!hasTerminal) console.log("The test of completion in zsh is skipped: tmux is not installed");

Deno.test("chat completion prints what its shell can parse", async () => {
  for (const shell of SHELLS.filter((one) => !missing.includes(one))) {
    await using scratch = await scratchWithFiles();
    const script = await writeScript(shell, scratch);
    assertEquals(await run([shell, "-n", script]), "");
  }
});

Deno.test({
  name: "chat completion bash completes commands, options, words and files",
  ignore: missing.includes("bash"),
  async fn() {
    await using scratch = await scratchWithFiles();
    const script = await writeScript("bash", scratch);
    const program = `cd "$1"; source "$2"; shift 2; COMP_WORDS=(chat "$@") COMP_CWORD=$#
      "$(complete -p chat | sed 's/.*-F \\([^ ]*\\) .*/\\1/')"; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const complete = async (words: readonly string[]) =>
      linesOf(await run(["bash", "-c", program, "bash", scratch.path(""), script, ...words]));
    for (const [typed, candidates] of CASES) {
      assertEquals([typed, await complete(typed)], [typed, candidates]);
    }
    // As bash cuts --color=n.
    assertEquals(await complete(["inbox", "--color", "=", "n"]), ["never"]);
    assertEquals(await complete(["inbox", "--color", "="]), ["auto", "always", "never"]);
    assertEquals(await complete(["send", "--", "--"]), []);
    assertEquals(await complete(["backup", "back"]), ["backups"]);
    for (const { name, options } of await allPages()) {
      const offered = await complete([...name.split(" "), "--"]);
      assertEquals(offered, options.map((option) => `--${option.name}`), name);
    }
  },
});

Deno.test({
  name: "chat completion fish completes commands, options, words and files",
  ignore: missing.includes("fish"),
  async fn() {
    await using scratch = await scratchWithFiles();
    const script = await writeScript("fish", scratch);
    const program = `cd $argv[1]; source $argv[2]; complete -C $argv[3]`;
    for (const [typed, candidates] of CASES) {
      const line = ["chat", ...typed].join(" ");
      const output = await run([
        "fish",
        "--no-config",
        "-c",
        program,
        scratch.path(""),
        script,
        line,
      ]);
      const words = linesOf(output).map((one) => one.split("\t")[0] ?? "");
      assertEquals([typed, words.sort()], [typed, [...candidates].sort()]);
    }
  },
});

Deno.test({
  name: "chat completion zsh completes commands, options, words and files",
  ignore: missing.includes("zsh") || !hasTerminal,
  async fn() {
    await using scratch = await scratchWithFiles();
    const script = await writeScript("zsh", scratch);
    await using pane = await TmuxPane.open();
    await pane.enter(`cd ${scratch.path("")} && HOME=$PWD PS1='%% ' exec zsh -f`);
    await pane.until(/^% $|^%$/m);
    await pane.enter(`autoload -U compinit; compinit -u -D; source ${script}; clear; echo rea''dy`);
    await pane.until("ready");
    for (const [typed, candidates] of CASES) {
      if (candidates.length === 0) continue;
      await pane.press("C-u", "C-l");
      await pane.type(`chat ${typed.join(" ")}`);
      await pane.press("Tab");
      const [only, ...others] = candidates;
      if (others.length === 0) await pane.until(`chat ${[...typed.slice(0, -1), only].join(" ")}`);
      else {for (const candidate of candidates) {
          await pane.until(new RegExp(`^(.*\\s)?${candidate}\\b`, "m"));
        }}
    }
  },
});

Deno.test("chat completion names every command of the client, and says which shells there are", async () => {
  const { stdout } = await chat(["completion", "fish"]);
  for (const { name } of commands) assertStringIncludes(stdout, `-a '${name}'`);
  const { code, stderr } = await chat(["completion", "cmd.exe"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "expected bash, zsh, fish");
});

async function scratchWithFiles(): Promise<Scratch> {
  const scratch = await Scratch.make();
  await Deno.writeTextFile(scratch.path("notes.jsonl"), "");
  await Deno.writeTextFile(scratch.path("servers.json"), "");
  await Deno.mkdir(scratch.path("backups"));
  return scratch;
}

async function writeScript(shell: string, scratch: Scratch): Promise<string> {
  const { code, stdout, stderr } = await chat(["completion", shell]);
  assertEquals([code, stderr], [0, ""]);
  return await scratch.write(stdout);
}

async function isInstalled(shell: string): Promise<boolean> {
  try {
    return (await new Deno.Command(shell, { args: ["-c", "true"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs a program; gives its output. */
async function run([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(stderr), "");
  return decoder.decode(stdout);
}

function linesOf(output: string): string[] {
  return output.split("\n").filter((line) => line !== "");
}
