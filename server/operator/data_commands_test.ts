/** `chat log verify`, `chat backup` and `chat restore`: as processes, and while a node is writing. */

import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { dirname, join } from "node:path";
import { chat } from "../../client/testing/chat_process.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { fill, inTempDirectory, JOURNAL, messages } from "../testing/journal_fixture.ts";
import { fromSource, ServerProcess } from "../testing/server_process.ts";
import { until } from "../testing/until.ts";
import { signUp, statusOf, WireClient } from "../testing/wire_client.ts";
import { askNode } from "./control.ts";
import { verifyLog } from "./log_verify.ts";

const VERIFICATIONS = 20;
/** Messages that are on their way at one time. */
const PIPELINED = 20;

Deno.test("chat log verify checks a directory again and again while its node writes and compacts", async () => {
  await withWritingNode(async ({ data, writer, port }) => {
    for (let round = 0; round < VERIFICATIONS; round++) {
      const before = writer.acknowledged.length;
      const compacted = round % 4 === 0 ? askNode(data, { command: "compact" }) : undefined;
      const { lines, faults } = await verified(data);
      assertEquals(faults, 0, lines.join("\n"));
      assertMatch(lines.at(-2) ?? "", /^digest \w{16}, as the node that runs has it$/);
      const found = /^messages (\d+), /m.exec(lines.join("\n"))?.[1];
      assertGreater(Number(found) + 1, before);
      await compacted;
      await until(() => writer.acknowledged.length > before);
    }
    await writer.stop();
    const { lines } = await verified(data);
    const { digest } = await statusOf(port);
    assertEquals(lines.at(-2), `digest ${digest}, as the node that runs has it`);
    const { code, stdout, stderr } = await chat(["log", "verify", "--data", data]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `digest ${digest}, as the node that runs has it\n`);
  });
});

Deno.test("chat backup of a node that writes and compacts has all that was acknowledged, and serves", async () => {
  await withWritingNode(async ({ data, writer, temporary }) => {
    await until(() => writer.acknowledged.length >= 100);
    const acknowledged = [...writer.acknowledged];
    const backup = join(temporary, "backup");
    const running = chat(["backup", backup, "--data", data]);
    let isDone = false;
    running.finally(() => isDone = true);
    let compactions = 0;
    while (!isDone) {
      await askNode(data, { command: "compact" });
      compactions++;
    }
    const made = await running;
    assertEquals([made.code, made.stderr], [0, ""]);
    assertGreater(compactions, 0);
    const digest = /digest (\w{16})\n$/.exec(made.stdout)?.[1];

    const restored = join(temporary, "restored");
    const into = ["--data", join(restored, "data")];
    const dry = await chat(["restore", backup, "--dry-run", ...into]);
    assertEquals([dry.code, dry.stderr], [0, ""]);
    assertEquals(await denoFiles.list(restored), undefined);
    const { code, stdout, stderr } = await chat(["restore", backup, ...into]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `start it with chat serve --node node1 --data ${restored}/data\n`);
    const server = await ServerProcess.start(fromSource, restored);
    const status = await statusOf(server.port);
    assertEquals(status.digest, digest);
    assert(server.log.some((line) => line.includes("started a new epoch")), server.log.join("\n"));
    const found = await messagesOf(server.port);
    assertEquals(found.slice(0, acknowledged.length), acknowledged);
    await server.stop();
  });
});

Deno.test("chat log verify of a stopped node says what is wrong, a line each, and ends with 1", async () => {
  await inTempDirectory(async (data) => {
    const { ends } = await fill(data, [messages(2), messages(2, 3), messages(1, 5)]);
    const sound = await chat(["log", "verify", "--data", data]);
    assertEquals([sound.code, sound.stderr], [0, ""]);
    assertMatch(
      sound.stdout,
      /^files 1, lines 6, .*\n.*\nvector node1.e1:5\ndigest \w{16}, that of chat .*\nfaults 0\n$/,
    );
    const path = join(data, JOURNAL);
    await Deno.truncate(path, (ends.at(-1) ?? 0) - 20);
    const torn = await chat(["log", "verify", "--data", data]);
    assertEquals(torn.code, 0);
    assertStringIncludes(torn.stdout, `${path} byte ${ends.at(-2)}: an unfinished batch of`);
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      text.replace("hello 2", "hello 7").replace("hello 3", "hello 7"),
    );
    const { code, stdout } = await chat(["log", "verify", "--data", data]);
    assertEquals(code, 1);
    const lines = stdout.split("\n");
    assertMatch(
      lines[0] ?? "",
      /journal-00000001.jsonl:3 byte \d+: a wrong checksum: it says \w+, its/,
    );
    assertMatch(lines[1] ?? "", /journal-00000001.jsonl:4 byte \d+: a wrong checksum/);
    assertMatch(lines[2] ?? "", /:5 byte \d+: operation 4 of node1.e1 where 2 is due/);
    assertMatch(lines.at(-2) ?? "", /^faults 3: get what is damaged from another node/);
    const backup = join(dirname(data), "backup");
    const refused = await chat(["backup", backup, "--data", data]);
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertMatch(
      refused.stderr,
      /^chat: Cannot back up .*: it is damaged: .*journal-00000001.jsonl:3 byte \d+: a wrong check/,
    );
    assertEquals(await denoFiles.list(backup), undefined);
  });
});

Deno.test("chat log verify, backup and restore say what they take, and what is not there", async () => {
  await inTempDirectory(async (missing) => {
    const names = [["log", "verify"], ["backup"], ["restore"]];
    const helps = await Promise.all(names.map((name) => chat([...name, "--help"])));
    for (const [index, { code, stdout, stderr }] of helps.entries()) {
      assertEquals([code, stderr], [0, ""]);
      assertStringIncludes(stdout, `SYNOPSIS\n    chat ${names[index]?.join(" ")} [options]`);
    }
    const wrong = await Promise.all([
      chat(["backup"]),
      chat(["restore", "a", "b"]),
      chat(["log", "verify", "a"]),
      chat(["backup", "a", "--dry-run"]),
    ]);
    assertEquals(wrong.map(({ code }) => code), [2, 2, 2, 2]);
    const backup = `${missing}-backup`;
    const [verify, back, restore] = await Promise.all([
      chat(["log", "verify", "--data", missing]),
      chat(["backup", backup, "--data", missing]),
      chat(["restore", backup, "--data", missing]),
    ]);
    for (const { code, stdout, stderr } of [verify, back, restore]) {
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, /^chat: Cannot .*there is no such directory/);
    }
    assertEquals(await denoFiles.list(dirname(missing)), []);
  });
});

interface WritingNode {
  readonly temporary: string;
  readonly data: string;
  readonly port: number;
  readonly writer: Writer;
}

/** Runs `body` while a node of its own process is given messages without a pause. */
async function withWritingNode(body: (node: WritingNode) => Promise<void>): Promise<void> {
  const temporary = await Deno.makeTempDir({ prefix: "chat-data-" });
  // However fast the disk is, there is no pause.
  const limits = { messageBurst: 1_000_000_000 };
  const server = await ServerProcess.start(fromSource, temporary, 0, { limits });
  const { port } = server;
  await signUp(port, "alice", "correct horse");
  const writer = new Writer(await WireClient.signedIn(port, "alice"));
  try {
    await body({ temporary, data: join(temporary, "data"), port, writer });
  } finally {
    await writer.stop();
    await server.stop();
    await Deno.remove(temporary, { recursive: true });
  }
}

/** Sends messages to whoever is signed in, and knows which were acknowledged. */
class Writer {
  readonly acknowledged: string[] = [];
  readonly #client: WireClient;
  readonly #running: Promise<void>;
  #isStopping = false;

  constructor(client: WireClient) {
    this.#client = client;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
    this.#client.close();
  }

  async #run(): Promise<void> {
    for (let sent = 0; !this.#isStopping; sent += PIPELINED) {
      await this.#client.send(...Array.from({ length: PIPELINED }, (_, index) => {
        const payload = { to: "alice", content: `message ${sent + index}` };
        return { kind: "send_message", payload } as const;
      }));
      for (let index = 0; index < PIPELINED; index++) {
        const reply = await this.#client.reply();
        if (reply.kind !== "sent") throw new Error(`Expected sent, found ${reply.kind}`);
        this.acknowledged.push(reply.payload.id);
      }
    }
  }
}

/** All of alice's messages to herself, oldest first. */
async function messagesOf(port: number): Promise<string[]> {
  const client = await WireClient.signedIn(port, "alice");
  const ids: string[] = [];
  for (;;) {
    const [before] = ids;
    const payload = { with: "alice", ...(before !== undefined && { before }) };
    const page = await client.expect("messages", { kind: "list_messages", payload });
    if (page.length === 0) break;
    ids.unshift(...page.map(({ id }) => id));
  }
  client.close();
  return ids;
}

async function verified(data: string): Promise<{ lines: string[]; faults: number }> {
  let text = "";
  const write = (more: string) => Promise.resolve(void (text += more));
  const faults = await verifyLog(denoFiles, data, { write, note() {} });
  return { lines: text.trimEnd().split("\n"), faults };
}
