/** Whatever is in a node's files, and whoever wrote it, no command for operators lets it act on a terminal. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { chat } from "../../client/testing/chat_process.ts";
import { EVIL, HOSTILE_NAME, HOSTILE_TEXT, unsafeIn } from "../../client/testing/hostile_server.ts";
import { sealedLine } from "../journal/batch.ts";
import { LOG_FORMATS } from "../log.ts";
import { fromSource, ServerProcess } from "../testing/server_process.ts";
import { WireClient } from "../testing/wire_client.ts";

Deno.test("no command for operators lets what is in a node's files act on a terminal", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-hostile-" });
  const data = `${directory}/data`;
  await fill(directory);
  const exported = await run(["export", "--data", data], 0);
  assertStringIncludes(exported, EVIL);
  const lines = exported.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert(lines.some(({ content }) => content === HOSTILE_TEXT), "an export is what was written");

  const imported = `${directory}/hostile.jsonl`;
  await Deno.writeTextFile(imported, exported);
  await run(["import", imported, "--data", `${directory}/other`], 0);
  const bad = [HOSTILE_TEXT, ...hostileLines(lines)];
  await Deno.writeTextFile(imported, `${exported.split("\n")[0]}\n${bad.join("\n")}\n`);
  await run(["import", imported, "--data", `${directory}/third`]);
  await run(["account", "add", HOSTILE_NAME, "--data", data], 1);
  await run(["account", "list", HOSTILE_NAME, "--data", data]);
  await run(["log", "verify", `--${HOSTILE_TEXT}`], 2);
  await run(["log", "verify", "--data", `${directory}/${HOSTILE_TEXT}`], 1);
  await run(["export", "--data", data, "--user", HOSTILE_TEXT], 1);

  const [journal = ""] = await journalsIn(data);
  const text = await Deno.readTextFile(journal);
  const first = text.split("\n")[0] ?? "";
  const damage = [HOSTILE_TEXT, ...bad.map(sealed)];
  const serve = ["serve", "--node", "node1", "--config", `${directory}/servers.json`];
  for (const bad of [damage, damage.slice(0, 1), damage.slice(-1)]) {
    const damaged = `${first}\n${bad.join("\n")}\n${text.slice(first.length + 1)}`;
    await Deno.writeTextFile(journal, damaged);
    await run(["log", "verify", "--data", data], 1);
    for (const log of LOG_FORMATS) await run([...serve, "--data", data, "--log", log], 1);
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("no configuration lets its text act on a terminal, in either form of the log", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-hostile-" });
  const config = `${directory}/servers.json`;
  const host = "127.0.0.1";
  const addresses = { tcp: { host, port: 0 }, grpc: { host, port: 0 } };
  const configs = [
    HOSTILE_TEXT,
    JSON.stringify(HOSTILE_TEXT),
    JSON.stringify({ nodes: [{ name: HOSTILE_TEXT, ...addresses }] }),
    JSON.stringify({ nodes: [{ name: "a", ...addresses, [HOSTILE_TEXT]: HOSTILE_TEXT }] }),
    JSON.stringify({ nodes: [{ name: "a", ...addresses, tcp: { host: HOSTILE_TEXT, port: 0 } }] }),
    JSON.stringify({
      nodes: [{ name: "a", ...addresses, tls: { cert: HOSTILE_TEXT, key: "k", ca: "c" } }],
    }),
  ];
  for (const text of configs) {
    await Deno.writeTextFile(config, text);
    for (const format of LOG_FORMATS) {
      const output = await run(["serve", "--config", config, "--log", format]);
      if (format === "json") { for (const line of output.trimEnd().split("\n")) JSON.parse(line); }
    }
  }
  await Deno.remove(directory, { recursive: true });
});

/** Runs `chat`, and looks at all that it prints. Resolves with that. */
async function run(args: readonly string[], code?: number): Promise<string> {
  const done = await chat(args);
  const output = done.stdout + done.stderr;
  const what = `${args.join(" ")}:\n${JSON.stringify(output)}`;
  if (code !== undefined) assertEquals(done.code, code, what);
  assert(done.code <= 2, what);
  assertEquals(unsafeIn(output), [], what);
  return output;
}

/** Data of a node with a message that is hostile. */
async function fill(directory: string): Promise<void> {
  const server = await ServerProcess.start(fromSource, directory);
  const alice = await WireClient.signedIn(server.port, "alice");
  const message = { to: "alice", content: HOSTILE_TEXT };
  await alice.expect("sent", { kind: "send_message", payload: message });
  alice.close();
  await server.stop();
}

/** Each line with each of its texts replaced. */
function hostileLines(lines: readonly Record<string, unknown>[]): string[] {
  return lines.flatMap((line) =>
    Object.keys(line).map((key) => JSON.stringify({ ...line, [key]: HOSTILE_TEXT }))
  ).concat(JSON.stringify({ [HOSTILE_TEXT]: HOSTILE_TEXT, operation: HOSTILE_TEXT }));
}

function sealed(json: string): string {
  return new TextDecoder().decode(sealedLine(json)).trimEnd();
}

async function journalsIn(data: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(data)) {
    if (name.startsWith("journal-")) names.push(`${data}/${name}`);
  }
  return names;
}
