import { assert, assertEquals } from "@std/assert";
import type { LogEvent, LogFacts } from "./log.ts";
import { EVENT_BURST, LogBudget, MORE_EVERY_MS, SOURCE_BURST, SOURCES_MAX } from "./log_budget.ts";
import { ManualTimer } from "./testing/manual_timer.ts";

Deno.test("LogBudget tells what one address does up to its burst, then one more each second", () => {
  const { timer, told, tell } = budget();
  for (let count = 0; count < SOURCE_BURST + 5; count++) tell("refused", "10.0.0.7");
  assertEquals(told.length, SOURCE_BURST);
  timer.pass(999);
  tell("refused", "10.0.0.7");
  assertEquals(told.length, SOURCE_BURST);
  timer.pass(1);
  tell("refused", "10.0.0.7");
  tell("refused", "10.0.0.7");
  assertEquals(told.length, SOURCE_BURST + 1);
});

Deno.test("LogBudget tells of other addresses and events as before while one has too much", () => {
  const { told, tell } = budget();
  for (let count = 0; count < 10 * EVENT_BURST; count++) tell("refused", "10.0.0.7");
  assertEquals(told.length, SOURCE_BURST);
  for (let count = 0; count < SOURCE_BURST; count++) {
    tell("refused", "10.0.0.8");
    tell("turned_away", "10.0.0.7");
  }
  assertEquals(told.length, 3 * SOURCE_BURST);
});

Deno.test("LogBudget tells each sign-in of many users of one address, and few of one user", () => {
  const { told, tell } = budget();
  for (let user = 0; user < 500; user++) tell("sign_in", "10.0.0.7", `user${user}`);
  assertEquals(told.length, 500);
  for (let count = 0; count < SOURCE_BURST + 5; count++) tell("sign_in", "10.0.0.7", "alice");
  assertEquals(told.length, 500 + SOURCE_BURST);
  for (let user = 0; user < 500; user++) tell("sign_in_failed", "10.0.0.7", `user${user}`);
  assertEquals(told.length, 500 + 2 * SOURCE_BURST);
});

Deno.test("LogBudget tells of one event from all addresses up to its burst, then 20 a second", () => {
  const { timer, told, tell } = budget();
  for (let source = 0; source < EVENT_BURST + 100; source++) tell("refused", `10.0.0.${source}`);
  assertEquals(told.length, EVENT_BURST);
  timer.pass(1000);
  for (let source = 0; source < 100; source++) tell("refused", `10.1.0.${source}`);
  assertEquals(told.length, EVENT_BURST + 20);
  tell("sign_in", "10.0.0.7", "alice");
  assertEquals(told.length, EVENT_BURST + 21);
});

Deno.test("LogBudget loses no count: each line that it does not write is in one that says how many", () => {
  const { timer, told, tell } = budget();
  for (let count = 0; count < 1000; count++) tell("refused", "10.0.0.7");
  for (let count = 0; count < 100; count++) tell("refused", "10.0.0.8");
  for (let count = 0; count < 30; count++) tell("turned_away", "10.0.0.9");
  timer.pass(MORE_EVERY_MS - 1);
  const before = told.length;
  timer.pass(1);
  assertEquals(told.slice(before), [
    {
      ...{ event: "more", of: "refused", count: 1060, address: "10.0.0.7" },
      sentence: "1060 more like refused in the last 10 s, 980 of them from 10.0.0.7",
    },
    {
      ...{ event: "more", of: "turned_away", count: 10, address: "10.0.0.9" },
      sentence: "10 more like turned_away in the last 10 s, all from 10.0.0.9",
    },
  ]);
  timer.pass(10 * MORE_EVERY_MS);
  assertEquals(told.length, before + 2);
});

Deno.test("LogBudget.flush() tells at once what is untold, and once", () => {
  const { budget: one, timer, told, tell } = budget();
  for (let count = 0; count < SOURCE_BURST + 1; count++) tell("refused", "10.0.0.7");
  one.flush();
  assertEquals(told.at(-1)?.count, 1);
  one.flush();
  timer.pass(MORE_EVERY_MS);
  assertEquals(told.length, SOURCE_BURST + 1);
});

Deno.test("LogBudget counts all from more addresses than it remembers", () => {
  const { timer, told, tell } = budget();
  const sources = 3 * SOURCES_MAX;
  for (let source = 0; source < sources; source++) tell("turned_away", `address ${source}`);
  timer.pass(MORE_EVERY_MS);
  assertEquals(told.length, EVENT_BURST + 1);
  assertEquals(told.at(-1)?.count, sources - EVENT_BURST);
});

Deno.test("LogBudget passes on all that is about no address", () => {
  const { budget: one, told } = budget();
  for (let count = 0; count < 2 * EVENT_BURST; count++) one.log("", { event: "peer_lost" });
  assert(told.length === 2 * EVENT_BURST);
});

function budget() {
  const told: (LogFacts & { sentence: string })[] = [];
  const timer = new ManualTimer();
  const one = new LogBudget((sentence, facts) => told.push({ ...facts, sentence }), timer);
  const tell = (event: LogEvent, address: string, user?: string) =>
    one.log("", { event, address, user });
  return { budget: one, timer, told, tell };
}
