/** What clients notice of compaction, and of a start from a snapshot: nothing. */

import { assert, assertEquals } from "@std/assert";
import { timedKey } from "../codec/timed_key.ts";
import type { Event } from "../codec/message.ts";
import { askNode } from "./operator/control.ts";
import { type TestServer, testServer } from "./testing/test_server.ts";
import { WireClient } from "./testing/wire_client.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

Deno.test("a repeated key is the same message after compaction and a new start, also if it was deleted", async () => {
  await withDirectory(async (start) => {
    const keys = [crypto.randomUUID(), timedKey(crypto.randomUUID(), Date.now()), "my own key"];
    const first = await start();
    const alice = await WireClient.signedIn(first.port, "alice");
    const ids: string[] = [];
    for (const key of keys) ids.push((await send(alice, key)).id);
    await alice.expect("done", { kind: "delete_messages", payload: ids });
    await compact(first);
    await first.stop();
    const second = await start();
    const again = await WireClient.signedIn(second.port, "alice");
    for (const [index, key] of keys.entries()) {
      assertEquals((await send(again, key)).id, ids[index]);
    }
    const listed = await again.expect("messages", {
      kind: "list_messages",
      payload: { with: "alice" },
    });
    assertEquals(listed, []);
    await compact(second);
    await second.stop();
  });
});

Deno.test("a key that tells it is older than 30 days is refused, unless its message is known", async () => {
  await withDirectory(async (start) => {
    const server = await start();
    const alice = await WireClient.signedIn(server.port, "alice");
    const keyOf = (days: number) => timedKey(crypto.randomUUID(), Date.now() - days * DAY_MS);
    const old = { kind: "send_message", payload: { to: "alice", content: "x", key: keyOf(30) } };
    assertEquals(await alice.refusal(old as Parameters<typeof alice.refusal>[0]), "key_too_old");
    const key = keyOf(29);
    assertEquals((await send(alice, key)).id, (await send(alice, key)).id);
    await send(alice, keyOf(-29));
    await server.stop();
  });
});

Deno.test("a cursor from before compaction and a new start misses nothing, and gets nothing twice", async () => {
  await withDirectory(async (start) => {
    const first = await start();
    const alice = await WireClient.signedIn(first.port, "alice");
    const bob = await WireClient.signedIn(first.port, "bob");
    const known = [
      await sendTo(alice, "bob"),
      await sendTo(alice, "bob"),
      await sendTo(alice, "bob"),
    ];
    const watching = await WireClient.signedIn(first.port, "bob");
    const { cursor } = await watching.expect("done", { kind: "subscribe", payload: {} });
    await bob.expect("done", { kind: "read_messages", payload: known.slice(0, 2) });
    await alice.expect("done", { kind: "delete_messages", payload: known.slice(2) });
    const fresh = await sendTo(alice, "bob");
    const gone = await sendTo(alice, "bob");
    await alice.expect("done", { kind: "delete_messages", payload: [gone] });
    await compact(first);
    const last = await sendTo(alice, "bob");
    await first.stop();

    const second = await start();
    for (const round of ["once", "again"]) {
      const back = await WireClient.signedIn(second.port, "bob");
      const since = round === "once" ? cursor : await latest(second.port);
      assert(since !== undefined);
      const { count } = await back.expect("done", { kind: "subscribe", payload: { since } });
      const told: Event[] = [];
      for (let index = 0; index < count; index++) told.push(await back.event());
      const ids = (kind: Event["kind"]) =>
        told.flatMap((event) =>
          event.kind !== kind
            ? []
            : event.kind === "message"
            ? [event.payload.id]
            : "ids" in event.payload
            ? event.payload.ids
            : []
        ).sort();
      const isFirst = round === "once";
      assertEquals(ids("message"), isFirst ? [fresh, last].sort() : []);
      assertEquals(ids("read"), isFirst ? known.slice(0, 2).sort() : []);
      assertEquals(ids("deleted").filter((id) => known.includes(id)), isFirst ? [known[2]] : []);
      back.close();
    }
    await second.stop();
  });
});

async function latest(port: number): Promise<string | undefined> {
  const client = await WireClient.signedIn(port, "bob");
  const { cursor } = await client.expect("done", { kind: "subscribe", payload: {} });
  client.close();
  return cursor;
}

async function compact(server: TestServer): Promise<void> {
  assert(await askNode(server.directory, { command: "compact" }) !== undefined);
}

async function sendTo(client: WireClient, to: string): Promise<string> {
  const payload = { to, content: "hello", key: crypto.randomUUID() };
  return (await client.expect("sent", { kind: "send_message", payload })).id;
}

async function send(client: WireClient, key: string) {
  const payload = { to: "alice", content: "hello", key };
  return await client.expect("sent", { kind: "send_message", payload });
}

/** A directory whose node is started anew, and stopped, by the test. */
async function withDirectory(
  body: (start: () => Promise<TestServer>) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "chat-test-" });
  try {
    await body(() => testServer({ directory }));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
