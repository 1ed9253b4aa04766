import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { printable } from "../codec/printable.ts";
import { type Log, LOG_FORMATS, LOG_LINE_BYTES_MAX, type LogFacts, logTo } from "./log.ts";

const WALL_MS = Date.UTC(2026, 10, 27, 9);

Deno.test("logTo() text writes a sentence, and its facts in one order", () => {
  const lines = written("text", (log) => {
    log("node1 listening on 127.0.0.1:9001", { event: "listening" });
    log("alice signed in", {
      ...{ how: "password", address: "10.0.0.7", user: "alice" },
      event: "sign_in",
    });
    log("grüße bob signed out", { event: "sign_out", user: "grüße bob", address: "fe80::1%eth0" });
  });
  assertEquals(lines, [
    "chat: node1 listening on 127.0.0.1:9001",
    "chat: alice signed in event=sign_in user=alice address=10.0.0.7 how=password",
    'chat: grüße bob signed out event=sign_out user="grüße bob" address=fe80::1%eth0',
  ]);
});

Deno.test("logTo() json writes one object a line, the same facts in the same order", () => {
  const lines = written("json", (log) => {
    log("alice signed in", {
      ...{ how: "password", address: "10.0.0.7", user: "alice" },
      event: "sign_in",
    });
    log("12 more", { event: "more", of: "refused", count: 12, user: undefined });
  });
  assertEquals(lines, [
    '{"time":"2026-11-27T09:00:00.000Z","event":"sign_in","message":"alice signed in",' +
    '"user":"alice","address":"10.0.0.7","how":"password"}',
    '{"time":"2026-11-27T09:00:00.000Z","event":"more","message":"12 more","of":"refused","count":12}',
  ]);
});

Deno.test("logTo() text has no value that looks like more than one", () => {
  const values = ["a b", "", 'a"b', "a=b user=root", "a\nchat: b", "a\\b"];
  for (const user of values) {
    const [line = ""] = written("text", (log) => log("", { event: "sign_in", user }));
    assertEquals(JSON.parse(line.slice("chat:  event=sign_in user=".length)), user);
  }
});

Deno.test("logTo() writes one line of what is safe on a terminal, whatever it is given", () => {
  const hostile = fc.array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\x1b[2J", "\n", "\r", "\x9b31m", "\u202e", "\u2028", "\u{e0041}", "\ud800"),
      fc.constantFrom("e" + "\u0301".repeat(40), '"', "\\", " user=root", "\x1b]52;c;aGk=\x07"),
    ),
  ).map((parts) => parts.join(""));
  fc.assert(fc.property(hostile, hostile, hostile, (sentence, user, reason) => {
    for (const format of LOG_FORMATS) {
      const lines = written(format, (log) => log(sentence, { event: "refused", user, reason }));
      const [line = ""] = lines;
      assertEquals(lines.length, 1);
      assertEquals(printable(line), line);
      if (format === "json") assertEquals(JSON.parse(line).event, "refused");
    }
  }));
});

Deno.test("logTo() cuts a line at its limit, and none below", () => {
  const texts = ["x", "é", "😀", "\x1b", '"'];
  for (const format of LOG_FORMATS) {
    const facts: LogFacts = { event: "refused", user: "alice" };
    const around = bytesOf(written(format, (log) => log("", facts))[0]);
    const longest = "x".repeat(LOG_LINE_BYTES_MAX - around);
    assertEquals(
      written(format, (log) => log(longest, facts))[0]?.length,
      LOG_LINE_BYTES_MAX,
    );
    for (const text of texts) {
      const long = text.repeat(LOG_LINE_BYTES_MAX);
      const [line = ""] = written(format, (log) => log(long, { ...facts, reason: long }));
      assert(bytesOf(line) <= LOG_LINE_BYTES_MAX, `${format} ${text}: ${bytesOf(line)}`);
      assert(line.includes("…") && line.includes("alice"), line);
      if (format === "json") JSON.parse(line);
    }
  }
});

function written(format: (typeof LOG_FORMATS)[number], work: (log: Log) => void): string[] {
  const lines: string[] = [];
  work(logTo(format, (line) => lines.push(line), () => WALL_MS));
  return lines;
}

function bytesOf(line = ""): number {
  return new TextEncoder().encode(line).length;
}
