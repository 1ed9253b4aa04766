import { assertEquals, assertThrows } from "@std/assert";
import { type NodeConfig, ServerConfig } from "../../config.ts";
import { ConfigError } from "../../config_error.ts";
import { planNodes } from "./plan.ts";

Deno.test("planNodes() takes names and ports as they are written, and hosts of any kind", () => {
  const nodes = planNodes(
    "node1=10.0.0.1:9100:9200, n_2=ship.example.org:9001:50051,A-3=[fe80::1%eth0]:9001:50051",
    "--nodes",
  );
  assertEquals(nodes.map(addresses), [
    "node1 10.0.0.1:9100 10.0.0.1:9200",
    "n_2 ship.example.org:9001 ship.example.org:50051",
    "A-3 [fe80::1%eth0]:9001 [fe80::1%eth0]:50051",
  ]);
  for (const { tls } of nodes) {
    assertEquals(tls, { cert: "node.crt", key: "node.key", ca: "ca.crt" });
  }
});

Deno.test("planNodes() gives nodes without ports the next ones that are free on their host", () => {
  const nodes = planNodes("a=h,b=H,c=h:9002,d=other,e=h:50052,f=[::1],g=[::1]", "--nodes");
  assertEquals(nodes.map(addresses), [
    "a h:9001 h:50051",
    "b H:9003 H:50053",
    "c h:9002 h:50054",
    "d other:9001 other:50051",
    "e h:50052 h:50055",
    "f [::1]:9001 [::1]:50051",
    "g [::1]:9002 [::1]:50052",
  ]);
});

Deno.test("planNodes() leaves the ports of known nodes to them, and refuses their names", () => {
  const known = planNodes("a=h,b=h", "--nodes");
  assertEquals(planNodes("c=h", "c=h", known).map(addresses), ["c h:9003 h:50053"]);
  assertEquals(faultsOf("b=h:9002", known), [
    "nodes[2].name: b is taken by nodes[1].name",
    "nodes[2].tcp: h:9002 is taken by nodes[1].tcp",
  ]);
});

Deno.test("planNodes() tells all faults at once, by the place of each node", () => {
  const expected = "expected NAME=HOST[:TCP[:GRPC]], with an address of version 6 in brackets";
  assertEquals(faultsOf("a=h,b,c=::1,=h,d d=h,e=h:x:70000,a=g,f=h/:0:0,invite=g,g=:1,"), [
    `nodes[1]: ${expected}, found "b"`,
    `nodes[2]: ${expected}, found "c=::1"`,
    `nodes[3]: ${expected}, found "=h"`,
    `nodes[9]: ${expected}, found "g=:1"`,
    `nodes[10]: ${expected}, found ""`,
    "nodes[7].tcp.port: expected the port where clients find it, found 0",
    "nodes[7].grpc.port: expected the port where other nodes find it, found 0",
    "nodes[8].name: expected another one than invite, which is a file beside the folders",
    'nodes[4].name: expected 1 to 32 letters, digits, _ or -, found "d d"',
    'nodes[5].tcp.port: expected a whole number from 0 to 65535, found "x"',
    "nodes[5].grpc.port: expected a whole number from 0 to 65535, found 70000",
    'nodes[7].tcp.host: expected a host name or an IP address, found "h/"',
    'nodes[7].grpc.host: expected a host name or an IP address, found "h/"',
    "nodes[6].name: a is taken by nodes[0].name",
  ]);
});

Deno.test("planNodes() refuses addresses that only a node itself can use", () => {
  assertEquals(faultsOf("a=0.0.0.0,b=[::]"), [
    "nodes[0].tcp.host: expected where others call it, found 0.0.0.0",
    "nodes[1].tcp.host: expected where others call it, found ::",
  ]);
});

Deno.test("planNodes() takes 100 nodes, and no more", () => {
  const list = (count: number) => Array.from({ length: count }, (_, it) => `n${it}=h`).join();
  assertEquals(planNodes(list(100), "--nodes").length, 100);
  assertEquals(faultsOf(list(101)).map((fault) => fault.slice(0, 40)), [
    "nodes: expected a list of 1 to 100 nodes",
  ]);
});

function addresses({ name, tcp, grpc }: NodeConfig): string {
  return [name, ...[tcp, grpc].map(ServerConfig.addressOf)].join(" ");
}

function faultsOf(text: string, known?: readonly NodeConfig[]): readonly string[] {
  const error = assertThrows(() => planNodes(text, "--nodes", known), ConfigError);
  return error.faults;
}
