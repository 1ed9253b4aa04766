import { assertEquals } from "@std/assert";
import { formatHost, parseHost } from "./host.ts";

Deno.test("parseHost() takes names and addresses, with and without port", () => {
  const cases: [string, string, number][] = [
    ["localhost", "localhost", 9001],
    ["10.0.0.1:9002", "10.0.0.1", 9002],
    ["[::1]", "::1", 9001],
    ["[fe80::1:2]:65535", "fe80::1:2", 65_535],
  ];
  for (const [text, host, port] of cases) {
    assertEquals(parseHost(text), { host, port });
    assertEquals(parseHost(formatHost({ host, port })), { host, port });
  }
});

Deno.test("parseHost() refuses what is not one host", () => {
  const wrong = [
    "",
    ":1",
    "a:",
    "a:0",
    "a:65536",
    "a:x",
    "::1",
    "[::1",
    "a b",
    "http://a:1",
    "a@b",
    "a\x1bc",
    "a\x9b2J:1",
    "a\u202eb",
  ];
  for (const text of wrong) assertEquals(parseHost(text), undefined, text);
});
