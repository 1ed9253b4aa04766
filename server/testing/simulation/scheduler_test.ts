import { assertEquals } from "@std/assert";
import { Process, Scheduler } from "./scheduler.ts";

Deno.test("Scheduler lets things happen in the order of their time, then of their making", async () => {
  const [scheduler, process] = [new Scheduler(), new Process("node1")];
  const happened: string[] = [];
  const happens = (what: string, atUs: number) =>
    scheduler.after(process, atUs, what, () => happened.push(`${what} at ${scheduler.nowUs}`));
  happens("late", 30);
  happens("early", 10);
  happens("also early", 10);
  happens("never", 20)();
  assertEquals(await scheduler.runUntil(() => false, 100), false);
  assertEquals(happened, ["early at 10", "also early at 10", "late at 30"]);
  assertEquals([scheduler.nowUs, scheduler.steps], [100, 3]);
});

Deno.test("Scheduler lets all that follows from one thing happen before the next", async () => {
  const [scheduler, process] = [new Scheduler(), new Process("node1")];
  const happened: string[] = [];
  scheduler.after(process, 1, "first", async () => {
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
    happened.push("what follows");
  });
  scheduler.after(process, 1, "second", () => happened.push("second"));
  await scheduler.runUntil(() => false, 10);
  assertEquals(happened, ["what follows", "second"]);
});

Deno.test("Scheduler stops once it is over", async () => {
  const [scheduler, process] = [new Scheduler(), new Process("node1")];
  let isOver = false;
  scheduler.after(process, 5, "end", () => isOver = true);
  assertEquals(await scheduler.runUntil(() => isOver, 100), true);
  assertEquals(scheduler.nowUs, 5);
});

Deno.test("nothing happens to a process that has ended, and its machine may say so", async () => {
  const [scheduler, process] = [new Scheduler(), new Process("node1")];
  const happened: string[] = [];
  scheduler.after(process, 1, "to nobody", () => happened.push("to nobody"), {
    onNobody: () => happened.push("nobody is there"),
  });
  process.end();
  await scheduler.runUntil(() => false, 10);
  assertEquals(happened, ["nobody is there"]);
});

Deno.test("what comes due in a pause happens after it, at once, timers first if so told", async () => {
  for (const timersFirst of [false, true]) {
    const [scheduler, process] = [new Scheduler(), new Process("node1")];
    const happened: string[] = [];
    process.pause();
    scheduler.after(process, 1, "bytes", () => happened.push("bytes"));
    scheduler.after(process, 2, "timer", () => happened.push("timer"), { isTimer: true });
    await scheduler.runUntil(() => false, 10);
    assertEquals(happened, []);
    scheduler.resume(process, timersFirst);
    await scheduler.runUntil(() => false, 20);
    assertEquals(happened, timersFirst ? ["timer", "bytes"] : ["bytes", "timer"]);
  }
});

Deno.test("Trace has a line for each event", async () => {
  const [scheduler, process] = [new Scheduler(), new Process("node1")];
  scheduler.after(process, 1500, "timer", () => {});
  await scheduler.runUntil(() => false, 2000);
  scheduler.note("#3", "node2 is killed");
  assertEquals([...scheduler.trace.lines()], [
    "     1.500 node1   timer",
    "     2.000 #3      node2 is killed",
  ]);
});
