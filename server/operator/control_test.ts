import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { StorageError } from "../journal/files.ts";
import { askNode, CONTROL_SOCKET, type ControlHandlers, listenForOperator } from "./control.ts";

const POSITION = { segment: 1, bytes: 57, digest: "0123456789abcdef", vector: "" };
const HANDLERS: ControlHandlers = {
  compact: () => Promise.reject(new StorageError("Cannot compact: the disk is full")),
  position: () => Promise.resolve(POSITION),
  account_add: () => ({ error: "there is an account of this name already" }),
  account_reset: () => ({ error: "there is no account of this name" }),
  account_disable: ({ name }) => ({ name, isNew: true, copies: 1 }),
  account_enable: ({ name }) => ({ name, isNew: false, copies: 1 }),
  account_list: ({ after = "" }) => ({ accounts: [], next: `${after}next` }),
};

Deno.test("askNode() gets what the node that runs answers, or why it did not do it", async () => {
  await inDirectory(async (directory) => {
    assertEquals(await askNode(directory, { command: "position" }), undefined);
    const listener = listenForOperator(directory, HANDLERS);
    assertEquals(await askNode(directory, { command: "position" }), POSITION);
    await assertRejects(
      () => askNode(directory, { command: "compact" }),
      StorageError,
      "the disk is full",
    );
    listener.close();
    // What a node that was killed leaves behind is no node, and no obstacle to the next.
    assertEquals(await askNode(directory, { command: "position" }), undefined);
    const next = listenForOperator(directory, HANDLERS);
    assertEquals(await askNode(directory, { command: "position" }), POSITION);
    next.close();
  });
});

Deno.test("askNode() takes fields to the node, and a refusal back as its failure", async () => {
  await inDirectory(async (directory) => {
    const listener = listenForOperator(directory, HANDLERS);
    const name = 'carol "\u2028';
    const disabled = await askNode(directory, { command: "account_disable", name });
    assertEquals(disabled, { name, isNew: true, copies: 1 });
    const page = await askNode(directory, { command: "account_list", after: "a" });
    assertEquals(page, { accounts: [], next: "anext" });
    assertEquals((await askNode(directory, { command: "account_list" }))?.next, "next");
    const adding = askNode(directory, { command: "account_add", name, lifetimeMs: 1 });
    await assertRejects(() => adding, StorageError, "there is an account of this name already");
    listener.close();
  });
});

Deno.test("askNode() does not wait for ever for a node that is paused", async () => {
  await inDirectory(async (directory) => {
    const answer = Promise.withResolvers<typeof POSITION>();
    const listener = listenForOperator(directory, { ...HANDLERS, position: () => answer.promise });
    await assertRejects(
      () => askNode(directory, { command: "position" }, 20),
      StorageError,
      "not answered",
    );
    answer.resolve(POSITION);
    listener.close();
  });
});

Deno.test("the control socket is for its user only, and answers nonsense with an error", async () => {
  await inDirectory(async (directory) => {
    const listener = listenForOperator(directory, HANDLERS);
    const path = join(directory, CONTROL_SOCKET);
    assertEquals(((await Deno.lstat(path)).mode ?? 0) & 0o777, 0o600);
    const nonsense = ["", "null", "{}", '{"command":"toString"}', "x".repeat(4000)];
    nonsense.push('{"command":"account_disable"}', '{"command":"account_disable","name":1}');
    nonsense.push('{"command":"account_add","name":"carol","lifetimeMs":-1}');
    for (const line of nonsense) {
      const conn = await Deno.connect({ transport: "unix", path });
      await conn.write(new TextEncoder().encode(`${line}\n`));
      const answer = await new Response(conn.readable).text();
      assertEquals(Object.keys(JSON.parse(answer)), ["error"], line.slice(0, 20));
    }
    assertEquals(await askNode(directory, { command: "position" }), POSITION);
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
