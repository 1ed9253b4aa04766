import { assertEquals } from "@std/assert";
import type { Connection } from "../session.ts";
import { ManualTimer } from "../testing/manual_timer.ts";
import { TurnedAway } from "./turned_away.ts";

/** A connection that takes what is written once it is closed, or at once. */
function caller(isPrompt: boolean) {
  const closed = Promise.withResolvers<number>();
  const seen = { writtenBytes: 0, isClosed: false };
  const connection: Connection = {
    address: "192.0.2.1",
    read: () => Promise.resolve(null),
    write(bytes) {
      seen.writtenBytes += bytes.length;
      return isPrompt ? Promise.resolve(bytes.length) : closed.promise;
    },
    endWriting: () => Promise.resolve(),
    close() {
      seen.isClosed = true;
      closed.resolve(0);
    },
  };
  return { connection, seen };
}

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

Deno.test("TurnedAway tells why and closes, also a connection that never hears of it", async () => {
  const timer = new ManualTimer();
  const turnedAway = new TurnedAway(timer);
  const [prompt, silent] = [caller(true), caller(false)];
  for (const { connection } of [prompt, silent]) turnedAway.tell(connection, "full");
  await settled();
  assertEquals([prompt.seen.isClosed, silent.seen.isClosed], [true, false]);
  timer.pass(2000);
  await settled();
  assertEquals(silent.seen.isClosed, true);
});

Deno.test("TurnedAway keeps 100 connections that do not listen, and closes others at once", async () => {
  const timer = new ManualTimer();
  const turnedAway = new TurnedAway(timer);
  const flood = Array.from({ length: 101 }, () => caller(false));
  for (const { connection } of flood) turnedAway.tell(connection, "full");
  assertEquals(flood.filter(({ seen }) => seen.isClosed).length, 1);
  assertEquals(flood.at(-1)?.seen, { writtenBytes: 0, isClosed: true });
  timer.pass(2000);
  await settled();
  const next = caller(true);
  turnedAway.tell(next.connection, "full");
  await settled();
  assertEquals(next.seen.writtenBytes > 0, true);
});
