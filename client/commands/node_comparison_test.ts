import { assertEquals } from "@std/assert";
import type { NodeStatus, PeerStatus } from "../../codec/message.ts";
import { statusOf } from "../testing/node_status.ts";
import { type Asked, compareNodes, verdict } from "./node_comparison.ts";

type Vector = Record<string, number>;

function answer(node: string, vector: Vector, changes: Partial<NodeStatus> = {}): Asked {
  const status = statusOf(node, { vector: new Map(Object.entries(vector)), ...changes });
  return { host: `${node}:9001`, name: node, status };
}

function peer(name: string, changes: Partial<PeerStatus> = {}): PeerStatus {
  return { name, state: "connected", behind: 0, ahead: 0, ...changes };
}

const cases: { when: string; asked: Asked[]; verdict: string }[] = [
  {
    when: "all have the same operations and state",
    asked: ["a", "b", "c"].map((node) => answer(node, { x: 3, y: 2 })),
    verdict: "all 3 equal",
  },
  {
    when: "one lists an origin of which it has nothing",
    asked: [answer("a", { x: 3, y: 0 }), answer("b", { x: 3 })],
    verdict: "all 2 equal",
  },
  {
    when: "one lacks operations",
    asked: [answer("a", { x: 3 }), answer("b", { x: 3 }), answer("c", { x: 1 }, { digest: "e" })],
    verdict: "2 of 3 equal; c is behind by 2 operations",
  },
  {
    when: "each has what the other lacks, and they have as many",
    asked: [answer("a", { x: 3, y: 1 }), answer("b", { x: 2, y: 2 }, { digest: "e" })],
    verdict: "not equal; a is behind by 1 operation; b is behind by 1 operation",
  },
  {
    when: "they have the same operations, and not the same state",
    asked: [answer("a", { x: 3 }), answer("b", { x: 3 }, { digest: "e" }), answer("c", { x: 3 })],
    verdict: "DIVERGED: a, b and c have the same operations, but not the same state; 2 of 3 equal",
  },
  {
    when: "one cannot be asked",
    asked: [answer("a", { x: 3 }), { host: "h:1", name: "b" }, answer("c", { x: 3 })],
    verdict: "2 of 3 equal; b unreachable",
  },
  {
    when: "two cannot be asked",
    asked: [answer("a", { x: 3 }), { host: "h:1", name: "b" }, { host: "h:2", name: "c" }],
    verdict: "b and c unreachable",
  },
  {
    when: "one that cannot be asked has no name here, and is some peer of the other",
    asked: [answer("a", { x: 3 }, { peers: [peer("b")] }), { host: "h:1" }],
    verdict: "h:1 unreachable",
  },
  { when: "none can be asked", asked: [{ host: "h:1" }], verdict: "no node answered" },
  { when: "there is but one", asked: [answer("a", { x: 3 })], verdict: "" },
  {
    when: "one is asked by two of its hosts",
    asked: [answer("a", { x: 3 }), { ...answer("a", { x: 3 }), host: "h:2" }],
    verdict: "",
  },
  {
    when: "one sees the others equal",
    asked: [answer("a", { x: 3 }, { peers: [peer("b"), peer("c")] })],
    verdict: "a sees all 3 equal",
  },
  {
    when: "one sees the others otherwise",
    asked: [answer("a", { x: 3 }, {
      peers: [
        peer("b", { ahead: 2, behind: 1 }),
        peer("c", { state: "unreachable", ahead: 1 }),
        peer("d", { state: "catching_up" }),
        peer("e"),
      ],
    })],
    verdict: "a sees b behind by 2 operations and ahead by 1 operation, " +
      "c unreachable and behind by 1 operation, d catching up, e equal",
  },
  {
    when: "two are equal and see a third that was not asked",
    asked: ["a", "b"].map((node) =>
      answer(node, { x: 3 }, { peers: ["a", "b", "c"].map((name) => peer(name)) })
    ),
    verdict: "2 of 3 equal; a sees c equal",
  },
  {
    when: "names are hostile",
    asked: [answer("a\x1b[2J", {}, { peers: [peer("b\n")] })],
    verdict: "a\\x1b[2J sees all 2 equal",
  },
];

for (const { when, asked, verdict: expected } of cases) {
  Deno.test(`verdict() compares nodes when ${when}`, () => {
    assertEquals(verdict(compareNodes(asked)), expected);
  });
}
