import type { NodeStatus, PeerStatus } from "../../codec/message.ts";
import { printable } from "../../codec/printable.ts";
import { counted } from "../text/wording.ts";

/** What was learnt of one node by asking it. */
export interface Asked {
  readonly host: string;
  /** What the configuration calls it. */
  readonly name?: string;
  /** Undefined if it could not be asked. */
  readonly status?: NodeStatus;
}

/** How the nodes of a cluster stand to each other. Names are as nodes, or the configuration, say. */
export interface Comparison {
  /** Nodes that were asked, or that those know of. */
  readonly nodes: number;
  readonly answered: number;
  /** How many have the same operations and the same state, at most. */
  readonly equal: number;
  /** Nodes that have the same operations as another one, but another state: a bug. */
  readonly diverged: readonly string[];
  /** Per node, how many operations it lacks that another one has. */
  readonly behind: ReadonlyMap<string, number>;
  /** Nodes that were asked in vain: by name, else by host. */
  readonly unreachable: readonly string[];
  /** Nodes that were not asked, as one that was sees them. */
  readonly seen: readonly SeenPeer[];
}

/** A node through the eyes of another. */
export interface SeenPeer extends Pick<PeerStatus, "name" | "state" | "behind" | "ahead"> {
  readonly by: string;
}

/** Compares operation by operation: two nodes with as many may lack each other's. */
export function compareNodes(asked: readonly Asked[]): Comparison {
  const statuses = distinct(asked.flatMap(({ status }) => status ?? []));
  const vain = asked.filter(({ status }) => status === undefined);
  const unreachable = vain.map(({ name, host }) => name ?? host);
  const seen = peersNotAsked(statuses, vain);
  return {
    nodes: statuses.length + unreachable.length + seen.length,
    answered: statuses.length,
    equal: largestGroup(statuses.map((status) => `${vectorKey(status)} ${status.digest}`)),
    diverged: divergedOf(statuses),
    behind: behindOf(statuses),
    unreachable,
    seen,
  };
}

/** The comparison in a line; empty if there is nothing to compare. */
export function verdict(comparison: Comparison): string {
  const { nodes, answered, diverged, behind, unreachable, seen } = comparison;
  if (answered === 0) return "no node answered";
  if (nodes === 1) return "";
  if (answered === 1 && nodes === 1 + seen.length && seen.every(isSeenEqual)) {
    return `${printable(seen[0]?.by ?? "")} sees all ${nodes} equal`;
  }
  const parts = [
    diverged.length > 0
      ? `DIVERGED: ${names(diverged)} have the same operations, but not the same state`
      : undefined,
    equalText(comparison),
    ...[...behind].map(([name, count]) =>
      `${printable(name)} is behind by ${counted(count, "operation")}`
    ),
    unreachable.length > 0 ? `${names(unreachable)} unreachable` : undefined,
    ...seenTexts(seen),
  ];
  return parts.filter((part) => part !== undefined).join("; ");
}

function equalText({ nodes, answered, equal }: Comparison): string | undefined {
  if (equal === nodes) return `all ${nodes} equal`;
  if (answered === 1) return undefined;
  return equal > 1 ? `${equal} of ${nodes} equal` : "not equal";
}

function seenTexts(seen: readonly SeenPeer[]): string[] {
  return [...Map.groupBy(seen, ({ by }) => by)].map(([by, peers]) =>
    `${printable(by)} sees ${peers.map(seenText).join(", ")}`
  );
}

function seenText(peer: SeenPeer): string {
  const { name, state, behind, ahead } = peer;
  const what = [
    isSeenEqual(peer) ? "equal" : undefined,
    state === "unreachable" ? "unreachable" : undefined,
    ahead > 0 ? `behind by ${counted(ahead, "operation")}` : undefined,
    behind > 0 ? `ahead by ${counted(behind, "operation")}` : undefined,
  ].filter((part) => part !== undefined);
  const standing = what.length > 0 ? what.join(" and ") : "catching up";
  return `${printable(name)} ${standing}`;
}

function isSeenEqual({ state, behind, ahead }: SeenPeer): boolean {
  return state === "connected" && behind === 0 && ahead === 0;
}

/** Each node once, by however many hosts it was asked. */
function distinct(statuses: readonly NodeStatus[]): NodeStatus[] {
  return [...new Map(statuses.map((status) => [status.origin, status])).values()];
}

function peersNotAsked(statuses: readonly NodeStatus[], vain: readonly Asked[]): SeenPeer[] {
  // Which of the peers a host is that has no name here and did not answer, nobody knows.
  if (vain.some(({ name }) => name === undefined)) return [];
  const known = new Set([...statuses.map(({ node }) => node), ...vain.map(({ name }) => name)]);
  const seen = new Map<string, SeenPeer>();
  for (const { node: by, peers } of statuses) {
    for (const { name, state, behind, ahead } of peers) {
      if (!known.has(name) && !seen.has(name)) seen.set(name, { by, name, state, behind, ahead });
    }
  }
  return [...seen.values()];
}

function divergedOf(statuses: readonly NodeStatus[]): string[] {
  const groups = Map.groupBy(statuses, vectorKey);
  const wrong = [...groups.values()].filter((group) =>
    new Set(group.map(({ digest }) => digest)).size > 1
  );
  return wrong.flat().map(({ node }) => node);
}

function behindOf(statuses: readonly NodeStatus[]): Map<string, number> {
  const most = new Map<string, number>();
  for (const [origin, count] of statuses.flatMap(({ vector }) => [...vector])) {
    most.set(origin, Math.max(count, most.get(origin) ?? 0));
  }
  const lacking = statuses.map(({ node, vector }): [string, number] => [
    node,
    [...most].reduce((sum, [origin, count]) => sum + count - (vector.get(origin) ?? 0), 0),
  ]);
  return new Map(lacking.filter(([, count]) => count > 0));
}

/** Equal for equal vectors: an origin of which a node has nothing may be listed or not. */
function vectorKey({ vector }: NodeStatus): string {
  const known = [...vector].filter(([, count]) => count > 0);
  return JSON.stringify(known.sort(([a], [b]) => a < b ? -1 : 1));
}

function largestGroup(keys: readonly string[]): number {
  return Math.max(0, ...Map.groupBy(keys, (key) => key).values().map((group) => group.length));
}

function names(all: readonly string[]): string {
  return all.map(printable).join(", ").replace(/, ([^,]*)$/, " and $1");
}
