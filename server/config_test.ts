import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ServerConfig } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { DEFAULT_LIMITS, LIMITS } from "./limits.ts";

const NODES = [1, 2, 3].map((number) => ({
  name: `node${number}`,
  tcp: { host: "127.0.0.1", port: 9000 + number },
  grpc: { host: "127.0.0.1", port: 50050 + number },
  desc: `node ${number}`,
}));

Deno.test("ServerConfig.parse() reads what is given", () => {
  const cluster = { copies: 3, copyTimeoutMs: 250 };
  const config = parse({ cluster, nodes: NODES });
  assertEquals(config.cluster, cluster);
  assertEquals(config.nodes, NODES);
});

Deno.test("ServerConfig.parse() reads the project's own servers.json", async () => {
  const text = await Deno.readTextFile(new URL("../servers.json", import.meta.url));
  const config = ServerConfig.parse(text, "servers.json");
  assertEquals(config.nodes.map(({ name }) => name), ["node1", "node2", "node3"]);
  assertEquals(config.insecureGrpcHosts(), []);
});

Deno.test("ServerConfig.parse() fills in what is left out of cluster", () => {
  const withCluster = (cluster?: object, count = 3) =>
    parse({ ...cluster && { cluster }, nodes: NODES.slice(0, count) }).cluster;
  assertEquals(withCluster(), { copies: 2, copyTimeoutMs: 1000 });
  assertEquals(withCluster({}), { copies: 2, copyTimeoutMs: 1000 });
  assertEquals(withCluster({ copies: 1 }), { copies: 1, copyTimeoutMs: 1000 });
  assertEquals(withCluster(undefined, 1), { copies: 1, copyTimeoutMs: 1000 });
});

Deno.test("ServerConfig.parse() reads for how many days messages are kept", () => {
  assertEquals(parse({ nodes: NODES }).retention, undefined);
  for (const days of [1, 30, 36_500]) {
    assertEquals(parse({ retention: { days }, nodes: NODES }).retention, { days });
  }
  for (const days of [0, 36_501, 1.5, "30", null, -1]) {
    assertEquals(faultsOf({ retention: { days }, nodes: NODES }), [
      `retention.days: expected a whole number from 1 to 36500, found ${JSON.stringify(days)}`,
    ]);
  }
  assertEquals(faultsOf({ retention: {}, nodes: NODES }), [
    "retention.days: expected a whole number from 1 to 36500, found nothing",
  ]);
  assertEquals(faultsOf({ retention: 30, nodes: NODES }), [
    "retention: expected an object with days, found 30",
  ]);
  assertEquals(faultsOf({ retention: { days: 1, day: 1 }, nodes: NODES }), [
    "retention.day: no such field (did you mean days?)",
  ]);
});

Deno.test("ServerConfig.parse() reads who may make an account, anybody unless said otherwise", () => {
  assertEquals(parse({ nodes: NODES }).registration, "open");
  const tls = { cert: "node.crt", key: "node.key", ca: "ca.crt" };
  const withTls = NODES.map((node) => ({ ...node, tls }));
  for (const registration of ["open", "invite", "closed"] as const) {
    assertEquals(parse({ registration, nodes: withTls }).registration, registration);
  }
  assertEquals(parse({ registration: "closed", nodes: NODES }).registration, "closed");
  assertEquals(faultsOf({ registration: "invite", nodes: NODES }), [
    "registration: invite needs tls on every node: its CA signs the invitations",
  ]);
  assertEquals(faultsOf({ registration: "Open", nodes: NODES }), [
    `registration: expected "open" or "invite" or "closed", found "Open"`,
  ]);
});

Deno.test("ServerConfig.parse() sets limits, from the least to the most that each may be", () => {
  assertEquals(parse({ nodes: NODES }).limits, DEFAULT_LIMITS);
  assertEquals(parse({ limits: {}, nodes: NODES }).limits, DEFAULT_LIMITS);
  for (const [name, { min, max }] of Object.entries(LIMITS)) {
    const limitsWith = (value: unknown) => ({ limits: { [name]: value }, nodes: NODES });
    for (const value of [min, max]) {
      assertEquals(parse(limitsWith(value)).limits, { ...DEFAULT_LIMITS, [name]: value });
    }
    for (const value of [min - 1, max + 1, min + 0.5, `${min}`, null]) {
      assertEquals(faultsOf(limitsWith(value)), [
        `limits.${name}: expected a whole number from ${min} to ${max}, found ${
          JSON.stringify(value)
        }`,
      ]);
    }
  }
  assertEquals(faultsOf({ limits: { conectionsMax: 1 }, nodes: NODES }), [
    "limits.conectionsMax: no such field (did you mean connectionsMax?)",
  ]);
});

Deno.test("ServerConfig.parse() reads where each node's certificates are, and takes none or all", () => {
  const tls = { cert: "node.crt", key: "node.key", ca: "ca.crt" };
  const [first, second, third] = NODES.map((node) => ({ ...node, tls }));
  const config = parse({ nodes: [first, second, third] });
  assertEquals(config.nodes[1]?.tls, tls);
  assertEquals(faultsOf({ nodes: [NODES[0], second, NODES[2]] }), [
    "nodes[0].tls: expected it on every node, as nodes[1] has it",
    "nodes[2].tls: expected it on every node, as nodes[1] has it",
  ]);
  assertEquals(faultsOf({ nodes: [{ ...first, tls: { cert: "", key: 7, Ca: "x" } }] }), [
    `nodes[0].tls.cert: expected the path of a certificate, found ""`,
    "nodes[0].tls.key: expected the path of the certificate's key, found 7",
    "nodes[0].tls.ca: expected the path of the certificate of the cluster's CA, found nothing",
    "nodes[0].tls.Ca: no such field (did you mean ca?)",
  ]);
});

Deno.test("ServerConfig.getCurrentNode() finds a node, and names all when there is none", () => {
  const config = parse({ nodes: NODES });
  assertEquals(config.getCurrentNode("node2"), NODES[1]);
  const error = assertThrows(() => config.getCurrentNode("nod2"), ConfigError);
  assertEquals(error.faults, [
    `no node is called "nod2" (did you mean node2?): there is node1, node2, node3`,
  ]);
});

Deno.test("ServerConfig gives a node its peers and their addresses", () => {
  const config = parse({ nodes: NODES });
  assertEquals(config.getPeerNodes("node1"), NODES.slice(1));
  assertEquals(config.getPeerGrpcAddrs("node3"), ["127.0.0.1:50051", "127.0.0.1:50052"]);
  const [first, ...others] = NODES;
  const version6 = parse({ nodes: [{ ...first, grpc: { host: "::1", port: 7 } }, ...others] });
  assertEquals(version6.getPeerGrpcAddrs("node2"), ["[::1]:7", "127.0.0.1:50053"]);
});

Deno.test("ServerConfig.insecureGrpcHosts() names each host that is not loopback once", () => {
  const hosts = ["localhost", "127.0.0.2", "::1", "10.0.0.5", "10.0.0.5", "127.example.org"];
  const nodes = hosts.map((host, index) => ({
    name: `n${index}`,
    tcp: { host: "127.0.0.1", port: 0 },
    grpc: { host, port: 5000 + index },
  }));
  assertEquals(parse({ nodes }).insecureGrpcHosts(), ["10.0.0.5", "127.example.org"]);
  const tls = { cert: "node.crt", key: "node.key", ca: "ca.crt" };
  const encrypted = nodes.map((node) => ({ ...node, tls }));
  assertEquals(parse({ nodes: encrypted }).insecureGrpcHosts(), []);
});

Deno.test("ServerConfig.solo() is one node on this machine", () => {
  const config = ServerConfig.solo();
  assertEquals(config.getCurrentNode("solo").tcp, { host: "127.0.0.1", port: 9001 });
  assertEquals(config.getPeerNodes("solo"), []);
  assertEquals(config.cluster.copies, 1);
});

Deno.test("ServerConfig.parse() reports every wrong field at once", () => {
  const nodes = [
    { name: "no/de", tcp: { host: "", port: "x" }, grpc: { host: "a:1", port: 70000 } },
    { name: "node2", tcp: "127.0.0.1:9001", desc: 7 },
    "node3",
  ];
  assertEquals(faultsOf({ cluster: { copies: 0, copyTimeoutMs: 1.5 }, nodes }), [
    "cluster.copies: expected a whole number from 1 to 100, found 0",
    "cluster.copyTimeoutMs: expected a whole number from 1 to 60000, found 1.5",
    `nodes[0].name: expected 1 to 32 letters, digits, _ or -, found "no/de"`,
    `nodes[0].tcp.host: expected a host name or an IP address, found ""`,
    `nodes[0].tcp.port: expected a whole number from 0 to 65535, found "x"`,
    `nodes[0].grpc.host: expected a host name or an IP address, found "a:1"`,
    "nodes[0].grpc.port: expected a whole number from 0 to 65535, found 70000",
    `nodes[1].tcp: expected an object with host and port, found "127.0.0.1:9001"`,
    "nodes[1].grpc: expected an object with host and port, found nothing",
    "nodes[1].desc: expected a text, found 7",
    `nodes[2]: expected an object with name, tcp, grpc and, if wanted, tls and desc, found "node3"`,
  ]);
});

Deno.test("ServerConfig.parse() refuses what is no configuration at all", () => {
  for (const raw of [null, 7, "x", []]) {
    assertEquals(faultsOf(raw), [
      `all of it: expected an object with nodes and, if wanted, cluster, retention, registration and limits, found ${
        JSON.stringify(raw)
      }`,
    ]);
  }
  assertEquals(faultsOf({}), ["nodes: expected a list of 1 to 100 nodes, found nothing"]);
  assertEquals(faultsOf({ nodes: [] }), ["nodes: expected a list of 1 to 100 nodes, found []"]);
});

Deno.test("ServerConfig.parse() reports every unknown field, and what was probably meant", () => {
  const [first] = NODES;
  const node = { ...first, tpc: 1, tcp: { host: "127.0.0.1", Port: 1, port: 9001 } };
  assertEquals(faultsOf({ node: [], zebra: 1, nodes: [node] }), [
    "nodes[0].tcp.Port: no such field (did you mean port?)",
    "nodes[0].tpc: no such field (did you mean tcp?)",
    "node: no such field (did you mean nodes?)",
    "zebra: no such field",
  ]);
});

Deno.test("ServerConfig.parse() refuses names and addresses that come twice", () => {
  const [first, second, third] = NODES;
  const nodes = [
    first,
    { ...second, name: "node1", tcp: { host: "127.0.0.1", port: 50051 } },
    { ...third, grpc: third?.tcp },
  ];
  assertEquals(faultsOf({ nodes }), [
    "nodes[1].name: node1 is taken by nodes[0].name",
    "nodes[1].tcp: 127.0.0.1:50051 is taken by nodes[0].grpc",
    "nodes[2].grpc: 127.0.0.1:9003 is taken by nodes[2].tcp",
  ]);
});

Deno.test("ServerConfig.parse() reports a repeated name beside a wrong field", () => {
  const [first, second] = NODES;
  const faults = faultsOf({ nodes: [first, { ...second, name: "node1", desc: 1 }] });
  assertEquals(faults.length, 2);
});

Deno.test("ServerConfig.parse() lets port 0 come as often as it likes", () => {
  const any = { host: "127.0.0.1", port: 0 };
  const nodes = NODES.map((node) => ({ ...node, tcp: any }));
  assertEquals(parse({ nodes }).nodes.length, 3);
});

Deno.test("ServerConfig.parse() lets only a lone node be called on any port", () => {
  const nodes = NODES.map((node) => ({ ...node, grpc: { ...node.grpc, port: 0 } }));
  assertEquals(faultsOf({ nodes }).length, 3);
  assertEquals(parse({ nodes: nodes.slice(0, 1) }).nodes.length, 1);
});

Deno.test("ServerConfig.cluster asks for no more copies than there are nodes", () => {
  assertEquals(parse({ cluster: { copies: 4 }, nodes: NODES }).cluster.copies, 3);
  assertEquals(parse({ cluster: { copies: 2 }, nodes: NODES.slice(0, 1) }).cluster.copies, 1);
  assertEquals(parse({ cluster: { copies: 1 }, nodes: NODES }).cluster.copies, 1);
});

Deno.test("ServerConfig.parse() refuses a file that is nothing but brackets", () => {
  assertThrows(() => ServerConfig.parse("[".repeat(100_000), "x.json"), ConfigError);
});

Deno.test("ServerConfig.parse() takes hosts of every kind and refuses addresses with a port", () => {
  const [first] = NODES;
  const withHost = (host: string) => ({ nodes: [{ ...first, tcp: { host, port: 1 } }] });
  for (const host of ["localhost", "10.0.0.1", "::", "::1", "fe80::1%eth0", "a-b.example.org"]) {
    parse(withHost(host));
  }
  for (const host of ["", "a b", "127.0.0.1:9001", "[::1]", "tcp://x", "a/b", "a\n"]) {
    assertEquals(faultsOf(withHost(host)).length, 1, host);
  }
});

Deno.test("ServerConfig.parse() says where text stops being JSON", () => {
  const places: [string, number, number][] = [
    ["", 1, 1],
    ["nope", 1, 1],
    [`{"nodes": [\n  nope\n]}`, 2, 3],
    [`{"nodes": [],\n}`, 2, 1],
    [`{"nodes": [1,, 2]}`, 1, 14],
    [`{"nodes": []} x`, 1, 15],
    [`{\n  // why\n  "nodes": []}`, 2, 3],
    [`{"nodes" []}`, 1, 10],
    [`{"nodes": [`, 1, 12],
    [`{'nodes': []}`, 1, 2],
    [`{"nodes": ["\n"]}`, 1, 12],
  ];
  for (const [text, line, column] of places) {
    const error = assertThrows(() => ServerConfig.parse(text, "x.json"), ConfigError);
    assertEquals(error.faults.length, 1);
    const place = error.faults[0]?.split(": ")[0];
    assertEquals(place, `line ${line}, column ${column}`, text);
  }
});

Deno.test("ConfigError's message names the source and lists all faults", () => {
  const error = assertThrows(() => parse({ a: 1 }), ConfigError);
  assertInstanceOf(error, ConfigError);
  assertEquals(
    error.message,
    "Cannot use x.json:\n" +
      "  nodes: expected a list of 1 to 100 nodes, found nothing\n" +
      "  a: no such field",
  );
});

function parse(raw: unknown): ServerConfig {
  return ServerConfig.parse(JSON.stringify(raw), "x.json");
}

function faultsOf(raw: unknown): readonly string[] {
  return assertThrows(() => parse(raw), ConfigError).faults;
}
