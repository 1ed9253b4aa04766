/** What people and programs entrust to a node is told to nobody else: not by its log, nor in any other way. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { chat } from "../client/testing/chat_process.ts";
import { requests } from "../codec/message.ts";
import { type Value, ValueWriter } from "../codec/value.ts";
import { writeFrame } from "../codec/frame.ts";
import { sealedLine } from "./journal/batch.ts";
import { LOG_FORMATS } from "./log.ts";
import { fromSource, ServerProcess } from "./testing/server_process.ts";
import { ClosedError, statusOf, WireClient } from "./testing/wire_client.ts";

/** In every secret, and in nothing else. */
const MARK = "s3cret-4711";
const PASSWORD = `password ${MARK}`;
const CHANGED = `changed ${MARK}`;
const CONTENT = `${MARK} is the door code`;

for (const format of LOG_FORMATS) {
  Deno.test(`no secret of any request is in a node's log (${format}), refusals, status or file names`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "chat-leaks-" });
    const options = format === "json" ? { log: format } : {};
    const server = await ServerProcess.start(fromSource, directory, 0, options);
    const { port } = server;
    const tokens = await useAll(port);
    const refusals = await misuseAll(port);
    const status = JSON.stringify(await statusOf(port));
    const config = `${directory}/servers.json`;
    const shown = await chat(["status", "--json", "--host", `127.0.0.1:${port}`], {
      env: { CHAT_PASSWORD: PASSWORD },
    });
    const called = await server.called();
    await server.stop();
    const told = server.log.join("\n");
    assertStringIncludes(told, "sign_in");
    assertStringIncludes(told, "refused");
    assertEquals(shown.code, 0, shown.stderr);
    const everything = [
      ...[told, status, shown.stdout, shown.stderr, called, ...refusals],
      ...await namesIn(directory),
      config,
    ].join("\n");
    for (const secret of [MARK, "scrypt$", ...tokens]) {
      const at = everything.indexOf(secret);
      assert(at < 0, `${secret} in ${everything.slice(Math.max(0, at - 300), at + 100)}`);
    }
    await Deno.remove(directory, { recursive: true });
  });
}

Deno.test("damage to a journal is told without the contents and hashes that are in its lines", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-leaks-" });
  const server = await ServerProcess.start(fromSource, directory);
  await useAll(server.port);
  await server.stop();
  const data = `${directory}/data`;
  const [journal = ""] = (await namesIn(data)).filter((name) => /journal-.*jsonl$/.test(name));
  const text = await Deno.readTextFile(journal);
  const damages: ((line: string) => string)[] = [
    (line) => line.replace('":', "=>"),
    (line) => line.slice(0, -30),
    // With a right checksum it is read, and found to be no JSON, or none of ours.
    (line) => sealed(line.replace(/"(content|password)":"/, '"$1":')),
    (line) => sealed(line.replace(/"(sender|operation)":"/, '"$1":1,"x":"')),
  ];
  const lines = text.split("\n");
  const told: string[] = [];
  for (const damage of damages) {
    for (const at of lines.keys()) {
      const line = lines[at] ?? "";
      if (!line.includes(MARK) && !line.includes("scrypt$")) continue;
      await Deno.writeTextFile(journal, lines.with(at, damage(line)).join("\n"));
      const verify = await chat(["log", "verify", "--data", data]);
      assertEquals(verify.code, 1, verify.stderr);
      told.push(verify.stdout, verify.stderr);
      if (told.length > 4) continue;
      const config = `${directory}/servers.json`;
      const refused = await chat(["serve", "--node", "node1", "--config", config, "--data", data]);
      assertEquals(refused.code, 1);
      told.push(refused.stderr);
    }
  }
  assert(told.length > 10);
  assertStringIncludes(told.join(""), "not JSON");
  for (const one of told) assert(!/s3cret|scrypt\$/.test(one), one);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("a password is in no message of the commands that take it", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-leaks-" });
  const server = await ServerProcess.start(fromSource, directory);
  const host = ["--host", `127.0.0.1:${server.port}`, "--user", "alice"];
  const file = `${directory}/password`;
  const short = `${directory}/short`;
  await Deno.writeTextFile(file, `${PASSWORD}\n`);
  await Deno.writeTextFile(short, MARK.slice(0, 4));
  const env = { CHAT_PASSWORD: PASSWORD };
  const calls: [string[], Record<string, string>, number][] = [
    [["inbox", ...host, "--create"], env, 0],
    [["inbox", ...host], { CHAT_PASSWORD: CHANGED }, 4],
    [["inbox", ...host, "--password-file", file], {}, 0],
    [["inbox", ...host, `--password=${PASSWORD}`], {}, 2],
    [["inbox", ...host, "--create", "--user", "bob", "--password-file", file], {}, 2],
    [["inbox", "--host", "127.0.0.1:1", "--user", "alice"], env, 3],
    [["tail", ...host, "--create"], { CHAT_PASSWORD: `${CHANGED}\n${"x".repeat(2000)}` }, 1],
  ];
  for (const [args, surroundings, code] of calls) {
    const call = await chat(args, { env: surroundings });
    assertEquals(call.code, code, `${args.join(" ")}: ${call.stderr}`);
    assert(!`${call.stdout}${call.stderr}`.includes(MARK), call.stderr);
  }
  await server.stop();
  assert(!server.log.join("\n").includes(MARK));
  await Deno.remove(directory, { recursive: true });
});

/** Does everything that the protocol knows, with secrets wherever there is room. Resolves with the tokens. */
async function useAll(port: number): Promise<string[]> {
  const alice = await WireClient.connect(port);
  const first = (await alice.signIn("alice", PASSWORD)).token;
  const bob = await WireClient.signedIn(port, "bob", PASSWORD);
  await bob.expect("done", { kind: "subscribe", payload: {} });
  const key = `key ${MARK}`;
  const to = "bob";
  await alice.expect("sent", { kind: "send_message", payload: { to, content: CONTENT, key } });
  await alice.expect("found", { kind: "search_messages", payload: { text: MARK } });
  await alice.expect("users", { kind: "list_users", payload: { pattern: MARK } });
  const change = { kind: "change_password", payload: [PASSWORD, CHANGED] } as const;
  const second = (await alice.expect("done", change)).token ?? "";
  alice.close();
  const again = await WireClient.resumed(port, { name: "alice", token: second });
  await again.expect("done", { kind: "logout", payload: null });
  await again.expect("login_failed", { kind: "resume", payload: ["alice", first] });
  // A password where a name is asked for.
  await again.expect("login_failed", { kind: "resume", payload: [PASSWORD, second] });
  await again.expect("user_not_existing", { kind: "login_name", payload: PASSWORD });
  await again.expect("user_existing", { kind: "login_name", payload: "alice" });
  await again.expect("login_failed", { kind: "login_password", payload: `wrong ${MARK}` });
  again.close();
  bob.close();
  return [first, second];
}

/** Secrets in every place where they do not belong, signed in and not. Resolves with what was answered. */
async function misuseAll(port: number): Promise<string[]> {
  const answers: string[] = [];
  const bob = await WireClient.connect(port);
  const { token } = await bob.signIn("bob", PASSWORD);
  bob.close();
  const types = [...Object.values(requests).map(({ type }) => type), 57, 100, 203];
  for (const isSignedIn of [false, true]) {
    for (const type of types) {
      for (const bytes of misuses(type)) {
        const client = isSignedIn
          ? await WireClient.resumed(port, { name: "bob", token })
          : await WireClient.connect(port);
        await client.sendBytes(bytes);
        await client.closeWrite();
        try {
          for (;;) {
            const reply = await client.reply();
            if (reply.kind !== "error") continue;
            // Who writes to somebody that is not there is told to whom.
            if (reply.payload.code !== "no_such_user") answers.push(JSON.stringify(reply));
          }
        } catch (error) {
          if (!(error instanceof ClosedError)) throw error;
        }
      }
    }
  }
  return answers;
}

/** The line with the checksum of what it is now. */
function sealed(line: string): string {
  const json = `${line.slice(0, line.lastIndexOf(',"crc"'))}}`;
  return new TextDecoder().decode(sealedLine(json)).trimEnd();
}

function misuses(type: number): Uint8Array[] {
  const entry = (writer: ValueWriter, key: string) => {
    writer.value(key);
    writer.value(MARK);
  };
  const values: Value[] = [
    CONTENT,
    [MARK, MARK],
    [MARK, 1],
    new Map([[MARK, MARK]]),
    new Map(["to", "content", "key", "text", "user", "token", "with", "since", "pattern"]
      .map((key) => [key, MARK])),
  ];
  const whole = values.map((value) => framed(type, (writer) => writer.value(value)));
  const twice = framed(type, (writer) => {
    writer.raw(Uint8Array.of(3, 0, 0, 0, 2));
    entry(writer, MARK);
    entry(writer, MARK);
  });
  const [first = twice] = whole;
  return [
    ...whole,
    twice,
    first.slice(0, -3),
    Uint8Array.from([...first.slice(0, 12), 9, ...first.slice(13)]),
  ];
}

function framed(type: number, write: (writer: ValueWriter) => void): Uint8Array {
  const writer = new ValueWriter();
  writeFrame(writer, type, () => write(writer));
  return writer.written.slice();
}

/** All paths below `directory`. */
async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    names.push(path, ...isDirectory ? await namesIn(path) : []);
  }
  return names.sort();
}
