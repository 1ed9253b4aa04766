import { assertEquals, assertLess } from "@std/assert";
import { FrameWait } from "./frame_wait.ts";
import { ManualTimer } from "../testing/manual_timer.ts";
import { testServer } from "../testing/test_server.ts";
import { WireClient } from "../testing/wire_client.ts";
import { Turns } from "./turns.ts";

const flushed = () => new Promise<void>((resolve) => setTimeout(resolve));

function turnsOn(timer: ManualTimer): Turns {
  const sleep = (ms: number) => new Promise<void>((resolve) => void timer.after(ms, resolve));
  return new Turns({ nowMs: () => timer.nowMs(), sleep });
}

/** Keeps the process busy for so long. */
function work(timer: ManualTimer, turn: ReturnType<Turns["join"]>, ms: number): void {
  const startMs = timer.nowMs();
  timer.freeze(ms);
  turn.spend(startMs, timer.nowMs());
}

Deno.test("Turns lets whoever is not busy go on, and whoever was for a turn wait", () => {
  const timer = new ManualTimer();
  const turn = turnsOn(timer).join("alice");
  for (let count = 0; count < 100; count++) {
    work(timer, turn, 1);
    assertEquals(turn.isOver, false);
    timer.pass(2);
  }
  work(timer, turn, 21);
  assertEquals(turn.isOver, true);
});

Deno.test("Turns gives all connections of one account, together, half of the time", async () => {
  const timer = new ManualTimer();
  const turns = turnsOn(timer);
  let busyMs = 0;
  const connections = Array.from({ length: 64 }, async () => {
    const turn = turns.join("alice");
    for (let request = 0; request < 2; request++) {
      const ticket = turn.ticket();
      while (turn.isOver) await turn.next(ticket);
      work(timer, turn, 5);
      busyMs += 5;
    }
  });
  let isDone = false;
  const done = Promise.all(connections).then(() => isDone = true);
  let longestMs = 0;
  while (!isDone) {
    const beforeMs = busyMs;
    await flushed();
    longestMs = Math.max(longestMs, busyMs - beforeMs);
    timer.pass(2);
  }
  await done;
  // Others come after each turn, not after 64 of them.
  assertLess(longestMs, 40);
  assertLess(busyMs * 1.5, timer.nowMs());
});

Deno.test("connections of one account that wait for their turn let others have theirs between them", async () => {
  await using server = await testServer();
  const alice = await WireClient.connect(server.port);
  const { token } = await alice.signIn("alice");
  const content = "x".repeat(500);
  for (let sent = 0; sent < 1000; sent++) {
    await alice.send({ kind: "send_message", payload: { to: "alice", content } });
  }
  for (let sent = 0; sent < 1000; sent++) assertEquals((await alice.reply()).kind, "sent");
  const bob = await WireClient.signedIn(server.port, "bob");
  const credentials = { name: "alice", token };
  const many = await Promise.all(
    Array.from({ length: 40 }, () => WireClient.resumed(server.port, credentials)),
  );
  let answered = 0;
  const asked = many.map(async (client) => {
    // Each has the process busy for some ms.
    for (let times = 0; times < 3; times++) {
      await client.expect("messages", { kind: "list_messages", payload: { with: "alice" } });
      answered++;
    }
  });
  let isDone = false;
  const done = Promise.all(asked).then(() => isDone = true);
  let most = 0;
  while (!isDone) {
    const before = answered;
    await bob.expect("pong", { kind: "ping", payload: null });
    most = Math.max(most, answered - before);
  }
  await done;
  // All that were woken at once would be 40.
  assertLess(most, 20);
  for (const client of [alice, bob, ...many]) client.close();
});

Deno.test("Turns forgets whoever has no connection left", () => {
  const timer = new ManualTimer();
  const turns = turnsOn(timer);
  const turn = turns.join("alice");
  work(timer, turn, 30);
  assertEquals(turns.join("alice").isOver, true);
  turns.leave("alice");
  assertEquals(turns.join("alice").isOver, true);
  for (let count = 0; count < 2; count++) turns.leave("alice");
  assertEquals(turns.join("alice").isOver, false);
  assertEquals(turns.join("bob").isOver, false);
});

Deno.test("FrameWait counts the time that is waited within a frame, and none else", () => {
  const wait = new FrameWait();
  wait.begins(true, 0);
  assertEquals(wait.ms(10), 10);
  wait.ends(10);
  assertEquals(wait.ms(100), 10);
  wait.begins(true, 100);
  wait.ends(105);
  assertEquals(wait.ms(200), 15);
  wait.complete();
  wait.begins(false, 200);
  assertEquals(wait.ms(1000), 0);
});
