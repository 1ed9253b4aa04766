import { assertEquals } from "@std/assert";
import { describeConfiguration, differencesTo, type Membership } from "./membership.ts";
import type { Hello } from "./packet.ts";

const NODES = [{ name: "n1", addresses: "a" }, { name: "n2", addresses: "b" }];

Deno.test("differencesTo() tells of nodes that keep messages for another time, or for ever", () => {
  const never = membership("n1", undefined);
  const [short, long] = [membership("n1", 7), membership("n1", 30)];
  assertEquals(differencesTo(helloOf("n2", 7), short), []);
  assertEquals(differencesTo(helloOf("n2", undefined), never), []);
  assertEquals(differencesTo(helloOf("n2", 7), never), ["n2 has retention of 7 days"]);
  assertEquals(differencesTo(helloOf("n2", undefined), long), [
    "n2 does not have retention of 30 days",
  ]);
  assertEquals(differencesTo(helloOf("n2", 7), long), [
    "n2 has retention of 7 days",
    "n2 does not have retention of 30 days",
  ]);
});

Deno.test("differencesTo() tells of nodes that let others make accounts than this one", () => {
  const open = membership("n1", undefined);
  const closed: Membership = { ...open, registration: "closed" };
  const hello = helloOf("n2", undefined);
  assertEquals(differencesTo(hello, closed), ["n2 does not have registration closed"]);
  const closedHello = { ...hello, configuration: describeConfiguration(closed) };
  assertEquals(differencesTo(closedHello, open), ["n2 has registration closed"]);
  assertEquals(differencesTo(closedHello, closed), []);
});

function membership(node: string, retentionDays: number | undefined): Membership {
  return {
    ...{ node, copies: 2, copyTimeoutMs: 1000, retentionDays },
    ...{ registration: "open", nodes: NODES },
  };
}

function helloOf(node: string, retentionDays: number | undefined): Hello {
  return {
    ...{ protocol: 1, node, origin: `${node}.e`, process: "p", version: "0", features: [] },
    ...{ vector: "", nodes: NODES.map(({ name }) => name) },
    configuration: describeConfiguration(membership(node, retentionDays)),
  };
}
