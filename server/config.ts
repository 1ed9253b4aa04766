import * as v from "valibot";
import { ConfigError } from "./config_error.ts";

/** Where a node listens, or where its peers find it. */
export interface Address {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

export interface NodeConfig {
  /** Also the name of its data directory and of its operations' origin. */
  readonly name: string;
  /** For clients. */
  readonly tcp: Address;
  /** For the other nodes. */
  readonly grpc: Address;
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

/** The nodes of the system: what `servers.json` says, wholly checked. */
export class ServerConfig {
  readonly source: string;
  readonly cluster: ClusterConfig;
  /** Undefined if messages are kept for ever. */
  readonly retention: RetentionConfig | undefined;
  readonly nodes: readonly NodeConfig[];

  private constructor(
    source: string,
    { cluster = {}, retention, nodes }: v.InferOutput<typeof configShape>,
  ) {
    this.source = source;
    this.retention = retention;
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
    const hosts = this.nodes.map((node) => node.grpc.host).filter((host) => !LOOPBACK.test(host));
    return [...new Set(hosts)];
  }
}

const COPIES_DEFAULT = 2;
const COPY_TIMEOUT_DEFAULT_MS = 1000;
const COPY_TIMEOUT_MAX_MS = 60_000;
const RETENTION_DAYS_MAX = 36_500;
const PORT_MAX = 65_535;
const NODES_MAX = 100;
const NESTING_MAX = 100;
/** A name is part of file names and of operations' origins. */
const NODE_NAME = /^[A-Za-z0-9_-]{1,32}$/;
/** A name, or an address of version 4 or 6; a single colon would be a port's. */
const HOST = /^(?:[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*:[0-9A-Fa-f.:%A-Za-z]*)$/;
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/i;

const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/uy;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** Of what was found, so many characters are shown. */
const SHOWN_MAX = 60;
/** A name is taken for another one with so many characters wrong, at most. */
const TYPOS_MAX = 2;
/** How valibot calls what {@linkcode knownFields} adds. */
const UNKNOWN_FIELD = "raw_check";

const wholeNumber = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

const addressShape = knownFields({
  host: v.pipe(v.string(), v.regex(HOST)),
  port: wholeNumber(0, PORT_MAX),
});

const nodeShape = knownFields({
  name: v.pipe(v.string(), v.regex(NODE_NAME)),
  tcp: addressShape,
  grpc: addressShape,
  desc: v.optional(v.string()),
});

const configShape = knownFields({
  cluster: v.optional(knownFields({
    copies: v.optional(wholeNumber(1, NODES_MAX)),
    copyTimeoutMs: v.optional(wholeNumber(1, COPY_TIMEOUT_MAX_MS)),
  })),
  retention: v.optional(knownFields({ days: wholeNumber(1, RETENTION_DAYS_MAX) })),
  nodes: v.pipe(v.array(nodeShape), v.minLength(1), v.maxLength(NODES_MAX)),
});

/** What each field has to be, for people. No two fields of one name differ. */
const EXPECTED: ReadonlyMap<unknown, string> = new Map([
  ["cluster", "an object with copies and copyTimeoutMs"],
  ["copies", `a whole number from 1 to ${NODES_MAX}`],
  ["copyTimeoutMs", `a whole number from 1 to ${COPY_TIMEOUT_MAX_MS}`],
  ["retention", "an object with days"],
  ["days", `a whole number from 1 to ${RETENTION_DAYS_MAX}`],
  ["nodes", `a list of 1 to ${NODES_MAX} nodes`],
  ["name", "1 to 32 letters, digits, _ or -"],
  ["tcp", "an object with host and port"],
  ["grpc", "an object with host and port"],
  ["host", "a host name or an IP address"],
  ["port", `a whole number from 0 to ${PORT_MAX}`],
  ["desc", "a text"],
]);
const EXPECTED_NODE = "an object with name, tcp, grpc and, if wanted, desc";
const EXPECTED_ALL = "an object with nodes and, if wanted, cluster and retention";

/** An object with these fields; every other one is a fault, not only the first. */
function knownFields<const E extends v.ObjectEntries>(entries: E) {
  return v.pipe(
    v.custom<Record<string, unknown>>(isObject),
    v.looseObject(entries),
    v.rawCheck(({ dataset: { value }, addIssue }) => {
      const input = value as Record<string, unknown>;
      for (const key of Object.keys(input).filter((it) => !Object.hasOwn(entries, it))) {
        const hint = didYouMean(key, Object.keys(entries));
        const path = { type: "object", origin: "key", input, key, value: input[key] } as const;
        addIssue({ message: `no such field${hint}`, path: [path] });
      }
    }),
  );
}

function shapeFaults(issues: readonly v.BaseIssue<unknown>[]): string[] {
  const faults = new Map<string, string>();
  for (const { path: items = [], type, message, input } of issues) {
    const path = pathText(items.map(({ key }) => key));
    const fault = type === UNKNOWN_FIELD
      ? message
      : `expected ${expected(items.at(-1)?.key)}, ${found(input)}`;
    // A field may fail several checks of what it has to be.
    if (!faults.has(path)) faults.set(path, `${path}: ${fault}`);
  }
  return [...faults.values()];
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
  return [...repetitions(names), ...repetitions(addresses), ...unfindable(nodes)];
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

function isObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

function field(raw: unknown, key: string): unknown {
  return isObject(raw) ? raw[key] : undefined;
}

function expected(key: unknown): string {
  if (key === undefined) return EXPECTED_ALL;
  return typeof key === "number" ? EXPECTED_NODE : EXPECTED.get(key) ?? "something else";
}

function found(input: unknown): string {
  if (input === undefined) return "found nothing";
  const text = JSON.stringify(input);
  return `found ${text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text}`;
}

function pathText(keys: readonly unknown[]): string {
  const text = keys.map((key) => typeof key === "number" ? `[${key}]` : `.${key}`).join("");
  return text === "" ? "all of it" : text.replace(/^\./, "");
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const lines = text.slice(0, jsonFaultAt(text)).split("\n");
    const column = (lines.at(-1)?.length ?? 0) + 1;
    const said = cause.message.replace(/ in JSON at .*| *\(line .*|, ".*is not valid JSON$/s, "");
    throw new ConfigError(source, [
      `line ${lines.length}, column ${column}: not JSON: ${said}`,
    ]);
  }
}

/** Where `text` stops being JSON: JSON.parse() tells only in some of its errors. */
function jsonFaultAt(text: string): number {
  let at = 0;
  const take = (token: RegExp): boolean => {
    token.lastIndex = at;
    if (!token.test(text)) return false;
    at = token.lastIndex;
    return true;
  };
  const takeList = (item: () => boolean, end: RegExp): boolean => {
    if (take(end)) return true;
    while (item()) if (!take(/,\s*/y)) return take(end);
    return false;
  };
  const takeMember = () => take(STRING) && take(/\s*/y) && take(/:/y) && takeValue();
  let nesting = 0;
  const takeValue = (): boolean => {
    take(/\s*/y);
    if (take(SCALAR) || take(STRING)) return take(/\s*/y);
    // What is nested deeper than a configuration ever is, is at fault there.
    if (nesting === NESTING_MAX) return false;
    nesting++;
    const taken = take(/\{\s*/y)
      ? takeList(takeMember, /\}\s*/y)
      : take(/\[\s*/y) && takeList(takeValue, /\]\s*/y);
    nesting--;
    return taken;
  };
  takeValue();
  return at;
}

/** ` (did you mean x?)` if one of `known` is close to what was written. */
function didYouMean(written: string, known: readonly string[]): string {
  const [closest] = known
    .map((name) => ({ name, edits: edits(written.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= TYPOS_MAX && edits < name.length)
    .sort((a, b) => a.edits - b.edits);
  return closest === undefined ? "" : ` (did you mean ${closest.name}?)`;
}

/** How many characters to add, drop or change to make `b` of `a`. */
function edits(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, character] of [...a].entries()) {
    const current = [row + 1];
    for (let column = 1; column <= b.length; column++) {
      const changed = (above[column - 1] ?? 0) + (character === b[column - 1] ? 0 : 1);
      const shorter = Math.min(above[column] ?? 0, current[column - 1] ?? 0) + 1;
      current.push(Math.min(changed, shorter));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}
