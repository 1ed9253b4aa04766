import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { StorageError } from "../journal/files.ts";
import { askNode, CONTROL_SOCKET, type ControlHandlers, listenForOperator } from "./control.ts";

const POSITION = { segment: 1, bytes: 57, digest: "0123456789abcdef", vector: "" };
const HANDLERS: ControlHandlers = {
  compact: () => Promise.reject(new StorageError("Cannot compact: the disk is full")),
  position: () => Promise.resolve(POSITION),
};

Deno.test("askNode() gets what the node that runs answers, or why it did not do it", async () => {
  await inDirectory(async (directory) => {
    assertEquals(await askNode(directory, "position"), undefined);
    const listener = listenForOperator(directory, HANDLERS);
    assertEquals(await askNode(directory, "position"), POSITION);
    await assertRejects(() => askNode(directory, "compact"), StorageError, "the disk is full");
    listener.close();
    // What a node that was killed leaves behind is no node, and no obstacle to the next.
    assertEquals(await askNode(directory, "position"), undefined);
    const next = listenForOperator(directory, HANDLERS);
    assertEquals(await askNode(directory, "position"), POSITION);
    next.close();
  });
});

Deno.test("askNode() does not wait for ever for a node that is paused", async () => {
  await inDirectory(async (directory) => {
    const answer = Promise.withResolvers<typeof POSITION>();
    const listener = listenForOperator(directory, { ...HANDLERS, position: () => answer.promise });
    await assertRejects(() => askNode(directory, "position", 20), StorageError, "not answered");
    answer.resolve(POSITION);
    listener.close();
  });
});

Deno.test("the control socket is for its user only, and answers nonsense with an error", async () => {
  await inDirectory(async (directory) => {
    const listener = listenForOperator(directory, HANDLERS);
    const path = join(directory, CONTROL_SOCKET);
    assertEquals(((await Deno.lstat(path)).mode ?? 0) & 0o777, 0o600);
    for (const line of ["", "null", "{}", '{"command":"toString"}', "x".repeat(4000)]) {
      const conn = await Deno.connect({ transport: "unix", path });
      await conn.write(new TextEncoder().encode(`${line}\n`));
      const answer = await new Response(conn.readable).text();
      assertEquals(Object.keys(JSON.parse(answer)), ["error"], line.slice(0, 20));
    }
    assertEquals(await askNode(directory, "position"), POSITION);
    listener.close();
  });
});

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "chat-test-" });
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
