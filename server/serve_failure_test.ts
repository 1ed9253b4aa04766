import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { printable } from "../codec/printable.ts";
import { LOG_FORMATS } from "./log.ts";
import {
  fromSource,
  fromSourceAfter,
  type Program,
  ServerProcess,
} from "./testing/server_process.ts";
import { ClosedError, type Credentials, signUp, WireClient } from "./testing/wire_client.ts";

/** Sends until the server is gone; returns what it acknowledged. */
async function sendUntilGone(port: number, user: Credentials): Promise<string[]> {
  const acknowledged: string[] = [];
  const client = await WireClient.resumed(port, user);
  try {
    for (;;) {
      const content = `${acknowledged.length} ${"x".repeat(1000)}`;
      const send = { kind: "send_message", payload: { to: user.name, content } } as const;
      const { id } = await client.expect("sent", send);
      acknowledged.push(id);
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
    return acknowledged;
  } finally {
    client.close();
  }
}

Deno.test("SIGTERM ends a node in good order, as soon as it listens", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-fails-" });
  for (let round = 0; round < 3; round++) {
    const server = await ServerProcess.start(fromSource, directory);
    const { code } = await server.stop();
    assertEquals(code, 0, server.log.join("\n"));
  }
  await Deno.remove(directory, { recursive: true });
});

async function failsCleanly(failing: Program, says: string): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "chat-fails-" });
  const healthy = await ServerProcess.start(fromSource, directory);
  const user = await signUp(healthy.port, "alice", "correct horse");
  await healthy.stop();

  const broken = await ServerProcess.start(failing, directory);
  const acknowledged = await sendUntilGone(broken.port, user);
  const { code } = await broken.ended;
  assertEquals(code, 1, broken.log.join("\n"));
  assertStringIncludes(broken.log.join("\n"), "Cannot write journal");
  assertStringIncludes(broken.log.join("\n"), says);
  assertGreater(acknowledged.length, 0);

  const mended = await ServerProcess.start(fromSource, directory);
  const client = await WireClient.resumed(mended.port, user);
  const list = { kind: "list_messages", payload: { with: "alice" } } as const;
  const found = (await client.expect("messages", list)).map(({ id }) => id);
  assertEquals(found, acknowledged);
  client.close();
  await mended.stop();
  await Deno.remove(directory, { recursive: true });
}

Deno.test("a journal that cannot grow ends the node with a message, and nothing unsaid is kept", async () => {
  // The limit on a file's size stands in for a full disk: with its signal ignored, writes fail.
  const limited = `trap "" XFSZ; ulimit -f 64; exec "$@"`;
  const args = ["-c", limited, "sh", fromSource.command, ...fromSource.args];
  await failsCleanly({ command: "sh", args }, "bytes could be written");
});

Deno.test({
  name: "a failed fsync ends the node with a message, and nothing unsaid is kept (strace)",
  ignore: !await isInstalled("strace"),
  async fn() {
    const inject = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync"];
    const fault = ["-e", "inject=fdatasync:error=EIO:when=20+"];
    const args = [...inject, ...fault, fromSource.command, ...fromSource.args];
    await failsCleanly({ command: "strace", args }, "Input/output error");
  },
});

Deno.test("a node without file descriptors for one more connection goes on serving the others", async () => {
  const directory = await Deno.makeTempDir({ prefix: "chat-fails-" });
  const args = ["-c", `ulimit -n 60; exec "$@"`, "sh", fromSource.command, ...fromSource.args];
  const server = await ServerProcess.start({ command: "sh", args }, directory);
  const first = await WireClient.connect(server.port);
  await first.expect("pong", { kind: "ping", payload: null });
  const crowd = await Promise.all(
    Array.from({ length: 100 }, () => WireClient.connect(server.port)),
  );
  do await first.expect("pong", { kind: "ping", payload: null }); while (
    !server.log.some((line) => line.includes("cannot take a connection"))
  );
  for (const client of crowd) client.close();
  const next = await WireClient.connect(server.port);
  await next.expect("pong", { kind: "ping", payload: null });
  for (const client of [first, next]) client.close();
  assertEquals((await server.stop()).code, 0);
  await Deno.remove(directory, { recursive: true });
});

for (const format of LOG_FORMATS) {
  Deno.test(`a fault that nothing catches ends a node with a line of its log (${format})`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "chat-fails-" });
    const fault = new URL("testing/fault_on_signal.ts", import.meta.url).pathname;
    const options = format === "json" ? { log: format } : {};
    const server = await ServerProcess.start(fromSourceAfter(fault), directory, 0, options);
    Deno.kill(server.pid, "SIGUSR2");
    assertEquals((await server.ended).code, 70);
    const last = server.log.at(-1) ?? "";
    assertStringIncludes(last, "this is a bug in chat");
    assertEquals(printable(last), last);
    if (format === "json") {
      const events = server.log.map((line) => JSON.parse(line).event);
      assertEquals(events, ["start", "listening", "bug"]);
    }
    await Deno.remove(directory, { recursive: true });
  });
}

async function isInstalled(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["-V"], stdout: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
