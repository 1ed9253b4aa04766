import { assertEquals } from "@std/assert";
import { ManualClock } from "../testing/manual_clock.ts";
import { Notifier, type Notifying } from "./notifier.ts";

/** Tells of messages; returns what the terminal got, and why programs failed. */
function notifier(notifying: Partial<Notifying>) {
  const signals: string[] = [];
  const failures: unknown[] = [];
  const told = new Notifier(
    { rings: false, sequence: undefined, run: undefined, ...notifying },
    new ManualClock(),
    (sequence) => signals.push(sequence),
    (error) => failures.push(error),
  );
  return { told, signals, failures };
}

Deno.test("Notifier.tell() lets nobody begin, part or end a sequence", () => {
  const shown = { osc9: "\x1b]9;4,1,50: ", osc777: "\x1b]777;notify;4,1,50;" };
  for (const sequence of ["osc9", "osc777"] as const) {
    const { told, signals } = notifier({ sequence });
    // A number and a semicolon after OSC 9 move a progress bar, or run a macro.
    told.tell("4;1;50", "\x1b]0;title\x07\x9c\u202e");
    assertEquals(signals, [
      `${shown[sequence]}\\x1b]0;title\\x07\\x9c\\u{202e}\x1b\\`,
    ]);
  }
});

Deno.test("Notifier.tell() goes on when the program cannot be run", async () => {
  const error = new Error("no sh");
  const ran: string[] = [];
  const { told, failures } = notifier({
    run: (from) => {
      ran.push(from);
      return from === "bob" ? Promise.reject(error) : Promise.resolve();
    },
  });
  told.tell("bob", "one");
  // Everything that has to happen has settled by then.
  await Promise.resolve().then(() => {}).then(() => {});
  told.tell("carol", "two");
  assertEquals([ran, failures], [["bob", "carol"], [error]]);
});

Deno.test("Notifier.tell() rings at most once a second", () => {
  const clock = new ManualClock();
  const signals: string[] = [];
  const notifying = { rings: true, sequence: undefined, run: undefined };
  const told = new Notifier(notifying, clock, (sequence) => signals.push(sequence), () => {});
  for (let count = 0; count < 5; count++) told.tell("bob", "hello");
  assertEquals(signals, ["\x07"]);
  clock.advance(1_000);
  told.tell("bob", "hello");
  assertEquals(signals, ["\x07", "\x07"]);
});

Deno.test("Notifier.tell() runs one program at a time, and then for the last that came", async () => {
  const ran: string[] = [];
  const ends: (() => void)[] = [];
  const { told } = notifier({
    run: (_from, text) => {
      ran.push(text);
      return new Promise((resolve) => ends.push(resolve));
    },
  });
  for (const text of ["one", "two", "three"]) told.tell("bob", text);
  assertEquals(ran, ["one"]);
  ends[0]?.();
  await Promise.resolve().then(() => {}).then(() => {});
  assertEquals(ran, ["one", "three"]);
});
