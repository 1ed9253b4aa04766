import type { Hello } from "./packet.ts";

/** The version of the protocol between nodes that this program speaks. */
export const SYNC_PROTOCOL = 1;

/** What nodes compare of their configurations. */
export interface Membership {
  /** This node's name. */
  readonly node: string;
  readonly copies: number;
  readonly copyTimeoutMs: number;
  /** For how many days messages are kept; undefined if for ever. */
  readonly retentionDays?: number | undefined;
  /** Who may make an account over the network. */
  readonly registration: string;
  /** All nodes, with where each listens for clients and for nodes. */
  readonly nodes: readonly { readonly name: string; readonly addresses: string }[];
}

/** Why a node that says `hello` may not take part; undefined if it may. */
export function refusalOf(hello: Hello, { node, nodes }: Membership): string | undefined {
  if (hello.protocol !== SYNC_PROTOCOL) {
    return `${node} speaks version ${SYNC_PROTOCOL} of the protocol between nodes, ` +
      `${hello.node} (chat ${hello.version}) version ${hello.protocol}`;
  }
  if (hello.node === node) return `${hello.node} is the name of the node that was called`;
  const names = nodes.map(({ name }) => name);
  if (!names.includes(hello.node)) {
    return `${hello.node} is not in the configuration of ${node}, which has ${names.join(", ")}`;
  }
  if (!hello.nodes.includes(node)) {
    return `${node} is not in the configuration of ${hello.node}, which has ${
      hello.nodes.join(", ")
    }`;
  }
  return undefined;
}

/** What nodes tell each other of their configurations, besides the nodes' names. */
export function describeConfiguration(
  { copies, copyTimeoutMs, retentionDays, registration, nodes }: Membership,
): string {
  const settings = [
    `copies ${copies}`,
    `copyTimeoutMs ${copyTimeoutMs}`,
    ...(retentionDays === undefined ? [] : [`retention of ${retentionDays} days`]),
    // Nodes of versions that know no other say nothing of it.
    ...(registration === "open" ? [] : [`registration ${registration}`]),
  ];
  return [...settings, ...nodes.map(({ name, addresses }) => `${name} at ${addresses}`)].join("\n");
}

/** How another node's configuration differs from this one's, as clauses; none if it does not. */
export function differencesTo(hello: Hello, own: Membership): string[] {
  const theirs = new Set(hello.configuration.split("\n"));
  const ours = new Set(describeConfiguration(own).split("\n"));
  const [more, fewer] = [theirs.difference(ours), ours.difference(theirs)];
  return [
    ...[...more].map((line) => `${hello.node} has ${line}`),
    ...[...fewer].map((line) => `${hello.node} does not have ${line}`),
  ];
}
