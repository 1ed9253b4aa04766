import * as v from "valibot";
import { parseJson } from "./config/json_text.ts";
import { addressShape, configShape, didYouMean, field, shapeFaults } from "./config/shape.ts";
import { ConfigError } from "./config_error.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";

/** Where a node listens, or where its peers find it. */
export interface Address {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

/** Files, by paths relative to the configuration's. */
export interface TlsConfig {
  /** Certificate and key of the node, for clients and for the other nodes. */
  readonly cert: string;
  readonly key: string;
  /** The certificate of the cluster's CA, which issued all of theirs. */
  readonly ca: string;
}

export interface NodeConfig {
  /** Also the name of its data directory and of its operations' origin. */
  readonly name: string;
  /** For clients. */
  readonly tcp: Address;
  /** For the other nodes. */
  readonly grpc: Address;
  /** Without, everything is in plain text. */
  readonly tls?: TlsConfig | undefined;
  readonly desc?: string | undefined;
}

export interface ClusterConfig {
  /** On how many nodes an operation should be durable before it is acknowledged: never more than there are. */
  readonly copies: number;
  /** How long to wait for that, in ms. */
  readonly copyTimeoutMs: number;
}

export interface RetentionConfig {
  /** Messages older than so many days are deleted. */
  readonly days: number;
}

/** Who may make an account: anybody, whoever has an invitation, or only the operator. */
export type Registration = "open" | "invite" | "closed";

/** The nodes of the system: what `servers.json` says, wholly checked. */
export class ServerConfig {
  readonly source: string;
  readonly cluster: ClusterConfig;
  /** Undefined if messages are kept for ever. */
  readonly retention: RetentionConfig | undefined;
  readonly registration: Registration;
  readonly limits: Limits;
  readonly nodes: readonly NodeConfig[];

  private constructor(
    source: string,
    { cluster = {}, retention, registration = "open", limits, nodes }: v.InferOutput<
      typeof configShape
    >,
  ) {
    this.source = source;
    this.retention = retention;
    this.registration = registration;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.nodes = nodes;
    this.cluster = {
      // While nodes are added, one file at a time, there may be fewer than it will take.
      copies: Math.min(cluster.copies ?? COPIES_DEFAULT, nodes.length),
      copyTimeoutMs: cluster.copyTimeoutMs ?? COPY_TIMEOUT_DEFAULT_MS,
    };
  }

  /** Reads the text of the file `source`. Throws {@linkcode ConfigError}. */
  static parse(text: string, source: string): ServerConfig {
    const raw = parseJson(text, source);
    const result = v.safeParse(configShape, raw);
    const faults = [...shapeFaults(result.issues ?? []), ...crossFaults(raw)];
    if (!result.success || faults.length > 0) throw new ConfigError(source, faults);
    return new ServerConfig(source, result.output);
  }

  /** One node on this machine, whatever files lie about. */
  static solo(): ServerConfig {
    const host = "127.0.0.1";
    const node = { name: "solo", tcp: { host, port: 9001 }, grpc: { host, port: 50051 } };
    return new ServerConfig("the built-in configuration", { nodes: [node] });
  }

  /** The node called `name`. Throws {@linkcode ConfigError} if there is none. */
  getCurrentNode(name: string): NodeConfig {
    const node = this.nodes.find((one) => one.name === name);
    if (node !== undefined) return node;
    const names = this.nodes.map((one) => one.name);
    throw new ConfigError(this.source, [
      `no node is called ${JSON.stringify(name)}${didYouMean(name, names)}: there is ${
        names.join(", ")
      }`,
    ]);
  }

  /** All nodes but `exclude`. */
  getPeerNodes(exclude: string): NodeConfig[] {
    return this.nodes.filter((node) => node.name !== exclude);
  }

  /** Where all nodes but `exclude` are found by each other, as `host:port`. */
  getPeerGrpcAddrs(exclude: string): string[] {
    return this.getPeerNodes(exclude).map((node) => addressText(node.grpc));
  }

  /** Where a node listens for others, or is called, as `host:port`. */
  static addressOf(address: Address): string {
    return addressText(address);
  }

  /**
   * The hosts other than loopback on which nodes talk to each other. Without TLS they are to be
   * refused, unless the operator says that the network is trusted.
   */
  insecureGrpcHosts(): string[] {
    const plain = this.nodes.filter(({ tls }) => tls === undefined);
    const hosts = plain.map((node) => node.grpc.host).filter((host) => !isLoopback(host));
    return [...new Set(hosts)];
  }
}

const COPIES_DEFAULT = 2;
const COPY_TIMEOUT_DEFAULT_MS = 1000;
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/i;

/** Whether nothing but this machine can reach it. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Faults between fields. Looks at what is usable by itself, however wrong the rest is. */
function crossFaults(raw: unknown): string[] {
  const list = field(raw, "nodes");
  const nodes: readonly unknown[] = Array.isArray(list) ? list : [];
  const names = nodes.map((node, index) => ({
    path: `nodes[${index}].name`,
    text: field(node, "name"),
  }));
  const addresses = nodes.flatMap((node, index) =>
    ["tcp", "grpc"].map((key) => ({
      path: `nodes[${index}].${key}`,
      text: usableAddress(field(node, key)),
    }))
  );
  return [
    ...repetitions(names),
    ...repetitions(addresses),
    ...unfindable(nodes),
    ...plainBesideTls(nodes),
    ...invitationsWithoutTls(raw, nodes),
  ];
}

/** Nodes that the others cannot call, as their port is only known once they run. */
function unfindable(nodes: readonly unknown[]): string[] {
  if (nodes.length === 1) return [];
  return nodes.flatMap((node, index) =>
    field(field(node, "grpc"), "port") === 0
      ? [`nodes[${index}].grpc.port: expected the port where other nodes find it, found 0`]
      : []
  );
}

/** Of what one node sends encrypted, another one would pass on in plain text. */
function plainBesideTls(nodes: readonly unknown[]): string[] {
  const hasTls = (node: unknown) => field(node, "tls") !== undefined;
  const first = nodes.findIndex(hasTls);
  if (first < 0) return [];
  return nodes.flatMap((node, index) =>
    hasTls(node)
      ? []
      : [`nodes[${index}].tls: expected it on every node, as nodes[${first}] has it`]
  );
}

/** By their CA's certificate nodes know an invitation. */
function invitationsWithoutTls(raw: unknown, nodes: readonly unknown[]): string[] {
  const isPlain = nodes.every((node) => field(node, "tls") === undefined);
  return field(raw, "registration") === "invite" && isPlain
    ? ["registration: invite needs tls on every node: its CA signs the invitations"]
    : [];
}

function repetitions(places: readonly { path: string; text: unknown }[]): string[] {
  const firstPaths = new Map<string, string>();
  return places.flatMap(({ path, text }) => {
    if (typeof text !== "string") return [];
    const firstPath = firstPaths.get(text);
    if (firstPath === undefined) firstPaths.set(text, path);
    return firstPath === undefined ? [] : [`${path}: ${text} is taken by ${firstPath}`];
  });
}

/** An address as text; undefined if it is faulty by itself, or stands for any free port. */
function usableAddress(raw: unknown): string | undefined {
  const { success, output } = v.safeParse(addressShape, raw);
  if (!success || output.port === 0) return undefined;
  return addressText({ host: output.host.toLowerCase(), port: output.port });
}

function addressText({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
