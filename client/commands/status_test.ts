import { assertEquals } from "@std/assert";
import type { NodeStatus } from "../../codec/message.ts";
import { formatHost } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import { statusOf } from "../testing/node_status.ts";
import { ScriptedServer } from "../testing/scripted_server.ts";
import { TestShell } from "../testing/test_shell.ts";
import { runCommand } from "./command.ts";
import { EXIT } from "./exit_code.ts";
import { status } from "./status.ts";

const node1 = statusOf("node1", {
  uptimeMs: 11_100_000,
  connections: 3,
  usersOnline: 1,
  accounts: 2,
  messages: 120,
  journalBytes: 1_240_000,
  vector: new Map([["node1.e1", 80], ["node2.e1", 40], ["node2.e0", 3]]),
  peers: [
    {
      name: "node2",
      state: "connected",
      behind: 0,
      ahead: 0,
      skewMs: -3,
      roundTripUs: 420,
      version: "1.2.4",
    },
    { name: "node3", state: "unreachable", why: "refused\x07", behind: 0, ahead: 12 },
  ],
  warnings: ["node2 runs chat 1.2.4"],
});

/** Runs `chat status` with a servers.json of these nodes, and nodes that answer so; dead without. */
async function statusOfAll(nodes: readonly (NodeStatus | undefined)[], ...args: string[]) {
  const servers = nodes.map(() => new ScriptedServer());
  const config = {
    nodes: servers.map(({ host }, index) => ({ name: `node${index + 1}`, tcp: host })),
  };
  const shell = new TestShell({}, { files: { "servers.json": JSON.stringify(config) } });
  const answering = servers.map((server, index) => answer(server, nodes[index]));
  const command = [...args, "--config", "servers.json"];
  const code = await runCommand(status, command, { shell, outside: denoOutside });
  await Promise.all(answering);
  for (const server of servers) server[Symbol.dispose]();
  const hosts = servers.map(({ host }) => formatHost(host));
  return { code, stdout: shell.stdout, hosts };
}

async function answer(server: ScriptedServer, payload: NodeStatus | undefined): Promise<void> {
  if (payload === undefined) return server[Symbol.dispose]();
  const peer = await server.accept();
  await peer.expect("status");
  await peer.reply({ kind: "status", payload });
}

Deno.test("chat status tells all about each node, and how they differ", async () => {
  const node2 = statusOf("node2", { ...node1, node: "node2", origin: "node2.e1", peers: [] });
  const { code, stdout, hosts } = await statusOfAll([node1, { ...node2, warnings: [] }, undefined]);
  assertEquals(code, EXIT.done);
  const lines = stdout.replace(/Connection refused.*/, "(refused)").trimEnd().split("\n");
  assertEquals(lines, [
    `node1 ${hosts[0]}  chat 1.2.3, up 3 h 5 min`,
    "  people      2 accounts, 1 online, 3 connections",
    "  messages    120, journal 1.2 MB",
    "  operations  123: 80 of its own (node1.e1), 43 of 2 other origins",
    "  digest      d1",
    "  node2       connected, equal, clock -3 ms, 0.4 ms there and back, chat 1.2.4",
    "  node3       unreachable: refused\\x07, lacks 12 operations",
    "  warning     node2 runs chat 1.2.4",
    "",
    `node2 ${hosts[1]}  chat 1.2.3, up 3 h 5 min`,
    "  people      2 accounts, 1 online, 3 connections",
    "  messages    120, journal 1.2 MB",
    "  operations  123: 40 of its own (node2.e1), 83 of 2 other origins",
    "  digest      d1",
    "",
    `node3 ${hosts[2]}  unreachable: (refused)`,
    "",
    "2 of 3 equal; node3 unreachable",
  ]);
});

Deno.test("chat status --json gives an object for each node, whole, and one that sums up", async () => {
  const behind = statusOf("node2", { vector: new Map([["node1.e1", 79]]), digest: "d2" });
  const { code, stdout, hosts } = await statusOfAll([node1, behind, undefined], "--json");
  assertEquals(code, EXIT.done);
  const [first, second, third, last] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const vector = Object.fromEntries(node1.vector);
  assertEquals(first, { host: hosts[0], name: "node1", ...node1, vector });
  assertEquals([second.node, second.vector], ["node2", { "node1.e1": 79 }]);
  assertEquals(Object.keys(third), ["host", "name", "error"]);
  assertEquals(last, {
    summary: {
      nodes: 3,
      answered: 2,
      equal: 1,
      diverged: [],
      unreachable: ["node3"],
      seen: [],
      behind: { node2: 44 },
      verdict: "not equal; node2 is behind by 44 operations; node3 unreachable",
    },
  });
});

Deno.test("chat status exits with 3 when no node answers", async () => {
  const { code, stdout } = await statusOfAll([undefined, undefined]);
  assertEquals([code, stdout.trimEnd().split("\n").at(-1)], [3, "no node answered"]);
});

Deno.test("chat status takes a refusal for an answer that says nothing", async () => {
  using server = new ScriptedServer();
  const shell = new TestShell({});
  const args = ["--host", formatHost(server.host)];
  const running = runCommand(status, args, { shell, outside: denoOutside });
  const peer = await server.accept();
  await peer.expect("status");
  await peer.reply({ kind: "error", payload: { code: "unknown_type", sentence: "no STATUS" } });
  assertEquals(await running, EXIT.unreachable);
  assertEquals(shell.stdout.split("\n")[0], `${args[1]}  unreachable: no STATUS`);
});
