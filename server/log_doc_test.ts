import { assertEquals, assertStringIncludes } from "@std/assert";
import { LOG_EVENTS, LOG_FORMATS, LOG_LINE_BYTES_MAX, type LogFacts, logTo } from "./log.ts";
import { EVENT_BURST, MORE_EVERY_MS, SOURCE_BURST } from "./log_budget.ts";

const PAGE = await Deno.readTextFile(new URL("../docs/OPERATIONS.md", import.meta.url));
const SECTION = PAGE.slice(PAGE.indexOf("## 16. The log"));

Deno.test("docs/OPERATIONS.md has every event of the log, in the order of the code, and no other", () => {
  const rows = [...SECTION.matchAll(/^\| `(\w+)` /gm)].map(([, event]) => event);
  assertEquals(rows, [...LOG_EVENTS]);
});

Deno.test("docs/OPERATIONS.md shows a line of the log as it is, in both forms", () => {
  const facts: LogFacts = {
    ...{ event: "sign_in", user: "alice", address: "10.0.0.7", how: "password" },
  };
  for (const format of LOG_FORMATS) {
    const write = (line: string) => assertStringIncludes(SECTION, `\n${line}\n`);
    logTo(format, write, () => Date.UTC(2026, 10, 27, 9))("alice signed in", facts);
  }
});

Deno.test("docs/OPERATIONS.md has the figures of the log", () => {
  const text = SECTION.replaceAll(/\s+/g, " ");
  assertStringIncludes(text, `at most ${LOG_LINE_BYTES_MAX} bytes`);
  assertStringIncludes(text, `${SOURCE_BURST} lines about one address come at once`);
  assertStringIncludes(text, `${EVENT_BURST.toLocaleString("en")} about all addresses`);
  assertStringIncludes(text, `every ${MORE_EVERY_MS / 1000} s one line`);
});
