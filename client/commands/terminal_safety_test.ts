/** Whatever others write, and whatever a server says, no command lets it act on a terminal. */

import { assert, assertEquals } from "@std/assert";
import { formatHost, type Host } from "../connection.ts";
import { CHAT, chat, denoDirectory, spawnChat } from "../testing/chat_process.ts";
import { EVIL, HOSTILE_TEXT, HostileServer, unsafeIn } from "../testing/hostile_server.ts";

const ENV = { CHAT_USER: "alice", CHAT_PASSWORD: "correct horse" };

interface Row {
  readonly args: readonly string[];
  /** It ends only when it is told to, once it has shown so many of the hostile texts. */
  readonly texts?: number;
}

/** Every command that prints what a server or other people say, in each of its forms. */
const COMMANDS: readonly Row[] = [
  { args: ["inbox"] },
  { args: ["inbox", "--json"] },
  { args: ["inbox", "--mark-read"] },
  { args: ["history", "bob"] },
  { args: ["history", HOSTILE_TEXT.replaceAll("\0", "")] },
  { args: ["history", "bob", "--json"] },
  { args: ["users"] },
  { args: ["users", "--json"] },
  { args: ["send", "bob", "hi"] },
  { args: ["send", "bob", "hi", "--json"] },
  { args: ["send", "--to", HOSTILE_TEXT, "--to", "bob", "--min-copies", "2", "hi"] },
  { args: ["delete", "1"] },
  { args: ["delete", HOSTILE_TEXT, "--json"] },
  { args: ["status"] },
  { args: ["status", "--json"] },
  { args: ["tail"], texts: 5 },
  { args: ["tail", "--json"], texts: 20 },
  { args: [HOSTILE_TEXT] },
  { args: ["inbox", `--${HOSTILE_TEXT}`] },
  { args: ["inbox", "--color", HOSTILE_TEXT] },
  { args: ["inbox", "--config", HOSTILE_TEXT] },
  { args: ["inbox", "--password-file", HOSTILE_TEXT] },
  { args: ["inbox", "--host", HOSTILE_TEXT] },
];

for (const refuses of [false, true]) {
  const what = refuses ? "the refusals of a hostile server" : "what a hostile server says";
  Deno.test(`no command for scripts lets ${what} act on a terminal, or forge a line`, async () => {
    using server = new HostileServer({ refuses });
    const rows = COMMANDS.filter(({ texts }) => !refuses || texts === undefined);
    for (const row of rows) {
      const { stdout, stderr } = await outputOf(row, server.host);
      const output = stdout + stderr;
      assertEquals(unsafeIn(output), [], `${row.args.join(" ")}:\n${JSON.stringify(output)}`);
      assert(!/^2026-01-01 00:00 alice: forged/m.test(output), output);
    }
  });
}

for (
  const client of [["client", "--plain"], ["client", "--notify", "osc9"], ["inbox"], ["status"]]
) {
  Deno.test({
    name: `chat ${client.join(" ")} sends a terminal nothing but what is its own`,
    ignore: !await hasScript(),
    async fn() {
      using server = new HostileServer();
      const home = await Deno.makeTempDir({ prefix: "chat-hostile-" });
      const args = [...client, "--host", formatHost(server.host)];
      const output = await onTerminal(args, { home, texts: 3 });
      await Deno.remove(home, { recursive: true });
      const isScreen = client[0] === "client";
      assertEquals(unsafeIn(output, { isTerminal: true, isScreen }), [], JSON.stringify(output));
      assert(output.includes(EVIL), JSON.stringify(output));
    },
  });
}

/** Runs a command with pipes for its streams. */
async function outputOf({ args, texts }: Row, host: Host) {
  const where = args.includes("--host") ? [] : ["--host", formatHost(host)];
  const words = [...args.slice(0, 1), ...where, ...args.slice(1)];
  if (texts === undefined) return await chat(words, { env: ENV });
  const child = spawnChat(words, ENV);
  await child.stdin.close();
  const [stdout, stderr] = await Promise.all([
    textUntil(child.stdout, texts, () => child.kill("SIGTERM")),
    new Response(child.stderr).text(),
  ]);
  await child.status;
  return { stdout, stderr };
}

/** Runs `chat` on a terminal of its own until it has ended, or shown so many of the hostile texts. */
async function onTerminal(
  args: readonly string[],
  { home, texts }: { readonly home: string; readonly texts: number },
): Promise<string> {
  const words = [...CHAT, ...args].map((word) => `'${word}'`).join(" ");
  const child = new Deno.Command("script", {
    args: ["-qec", `stty cols 200 rows 50; exec ${words}`, "/dev/null"],
    env: { ...ENV, TERM: "xterm-256color", HOME: home, DENO_DIR: denoDirectory() },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = child.stdin.getWriter();
  const leave = () => void input.write(new TextEncoder().encode("/quit\r")).catch(() => undefined);
  const output = await textUntil(child.stdout, texts, leave);
  await input.close().catch(() => undefined);
  await child.status;
  return output;
}

/** All that comes; `enough` is called when that was so many of the hostile texts. */
async function textUntil(
  stream: ReadableStream<Uint8Array>,
  texts: number,
  enough: () => void,
): Promise<string> {
  let text = "";
  let isEnough = false;
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (isEnough || text.split(EVIL).length <= texts) continue;
    isEnough = true;
    enough();
  }
  return text;
}

async function hasScript(): Promise<boolean> {
  try {
    return (await new Deno.Command("script", { args: ["--version"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
