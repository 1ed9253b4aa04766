import { type NodeConfig, ServerConfig, type TlsConfig } from "../../config.ts";
import { ConfigError } from "../../config_error.ts";

/** In each node's folder, beside its `servers.json`: the same names on every machine. */
export const TLS_FILES = { cert: "node.crt", key: "node.key", ca: "ca.crt" } satisfies TlsConfig;

const PORTS = { tcp: 9001, grpc: 50051 } as const;
const ENTRY = /^([^=]+)=(?:\[([^\]]*)\]|([^:[\]]+))(?::([^:]+))?(?::([^:]+))?$/;
const EXPECTED = "expected NAME=HOST[:TCP[:GRPC]], with an address of version 6 in brackets";
/** A node may listen there, but nobody can call it. */
const ANY_ADDRESS = ["0.0.0.0", "::"];
/** In the cluster's directory these are files: of a node, it would be a folder. */
const NAMES_TAKEN = ["invite"];

interface Entry {
  /** Its place among all nodes. */
  readonly index: number;
  readonly name: string;
  readonly host: string;
  /** A text if it is no number. */
  readonly tcp: number | string | undefined;
  readonly grpc: number | string | undefined;
}

/**
 * The nodes that `text` names, as `NAME=HOST[:TCP[:GRPC]],…`, beside those that are `known`. Those
 * without ports get the next ones that are free on their host. Throws {@linkcode ConfigError} for
 * `source` with all faults.
 */
export function planNodes(
  text: string,
  source: string,
  known: readonly NodeConfig[] = [],
): NodeConfig[] {
  const faults: string[] = [];
  const entries = text.split(",").flatMap((written, place): Entry[] => {
    const index = known.length + place;
    const entry = readEntry(written.trim(), index);
    if (entry === undefined) {
      faults.push(`nodes[${index}]: ${EXPECTED}, found ${JSON.stringify(written.trim())}`);
    }
    return entry === undefined ? [] : [entry];
  });
  for (const entry of entries) faults.push(...faultsOf(entry));
  const nodes = withPorts(entries, known);
  if (nodes.length > 0) {
    const found = faultsTogether(known, nodes, source, (at) => entries[at]?.index);
    const paths = faults.map(pathOf);
    faults.push(...found.filter((fault) => !paths.includes(pathOf(fault))));
  }
  if (faults.length > 0) throw new ConfigError(source, faults);
  return ServerConfig.parse(JSON.stringify({ nodes }), source).nodes.slice();
}

function readEntry(written: string, index: number): Entry | undefined {
  const [, name, bracketed, plain, tcp, grpc] = ENTRY.exec(written) ?? [];
  const host = bracketed ?? plain;
  if (name === undefined || host === undefined) return undefined;
  return { index, name: name.trim(), host, tcp: portOf(tcp), grpc: portOf(grpc) };
}

function portOf(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}

/** What is wrong with an entry, though a configuration may say it. */
function faultsOf({ index, name, host, tcp, grpc }: Entry): string[] {
  const path = `nodes[${index}]`;
  return [
    ...ANY_ADDRESS.includes(host)
      ? [`${path}.tcp.host: expected where others call it, found ${host}`]
      : [],
    ...NAMES_TAKEN.includes(name)
      ? [`${path}.name: expected another one than ${name}, which is a file beside the folders`]
      : [],
    ...tcp === 0 ? [`${path}.tcp.port: expected the port where clients find it, found 0`] : [],
    ...grpc === 0
      ? [`${path}.grpc.port: expected the port where other nodes find it, found 0`]
      : [],
  ];
}

/** As for a configuration, with ports that may still be anything. */
function withPorts(entries: readonly Entry[], known: readonly NodeConfig[]) {
  const taken = new Map<string, Set<unknown>>();
  const takenOn = (host: string) => taken.getOrInsertComputed(host.toLowerCase(), () => new Set());
  for (const { tcp, grpc } of known) {
    for (const { host, port } of [tcp, grpc]) takenOn(host).add(port);
  }
  for (const { host, tcp, grpc } of entries) takenOn(host).add(tcp).add(grpc);
  const free = (host: string, first: number) => {
    const ports = takenOn(host);
    let port = first;
    while (ports.has(port)) port++;
    ports.add(port);
    return port;
  };
  return entries.map(({ name, host, tcp, grpc }) => ({
    name,
    tcp: { host, port: tcp ?? free(host, PORTS.tcp) },
    grpc: { host, port: grpc ?? free(host, PORTS.grpc) },
    tls: TLS_FILES,
  }));
}

/** What a configuration with all of them would be refused for. */
function faultsTogether(
  known: readonly NodeConfig[],
  nodes: readonly unknown[],
  source: string,
  indexOf: (at: number) => number | undefined,
): readonly string[] {
  try {
    ServerConfig.parse(JSON.stringify({ nodes: [...known, ...nodes] }), source);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Entries that could not be read are not among them, but count.
    return error.faults.map((fault) =>
      fault.replaceAll(/\bnodes\[(\d+)\]/g, (path, digits) => {
        const index = indexOf(Number(digits) - known.length);
        return index === undefined ? path : `nodes[${index}]`;
      })
    );
  }
}

function pathOf(fault: string): string {
  return fault.slice(0, fault.indexOf(": "));
}
