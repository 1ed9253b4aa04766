import type { NodeStatus, PeerStatus } from "../../codec/message.ts";
import { printable } from "../../codec/printable.ts";
import type { Paint } from "../text/paint.ts";
import { counted, lagOf } from "../text/wording.ts";
import type { Asked } from "./node_comparison.ts";

/** A node that was asked for its status, and what came of it. */
export interface NodeAnswer extends Asked {
  /** Why there is no status, if there is none. */
  readonly error?: string;
}

/** All about one node, as lines for a person. */
export function nodeText({ host, name, status, error = "" }: NodeAnswer, paint: Paint): string[] {
  if (status === undefined) {
    const head = name === undefined ? host : `${paint.name(printable(name))} ${host}`;
    return [`${head}  ${paint.strong("unreachable")}: ${printable(error)}`];
  }
  const { node, version, uptimeMs } = status;
  const head = `${paint.name(printable(node))} ${host}  ` +
    `chat ${printable(version)}, up ${duration(uptimeMs)}`;
  const rows: Row[] = [
    ...ownRows(status),
    ...status.peers.map((peer): Row => [printable(peer.name), peerText(peer, paint)]),
    ...status.warnings.map((text): Row => ["warning", paint.strong(printable(text))]),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return [head, ...rows.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`)];
}

type Row = readonly [label: string, text: string];

function ownRows(status: NodeStatus): Row[] {
  const { accounts, usersOnline, connections, messages, journalBytes, digest } = status;
  return [
    [
      "people",
      `${counted(accounts, "account")}, ${usersOnline} online, ` +
      counted(connections, "connection"),
    ],
    ["messages", `${messages}, journal ${size(journalBytes)}`],
    ["operations", operationsText(status)],
    ["digest", printable(digest)],
  ];
}

/** `120: 80 of its own (node1.k3), 40 of 2 other origins`: the vector in short. */
function operationsText({ vector, origin }: NodeStatus): string {
  const total = [...vector.values()].reduce((sum, count) => sum + count, 0);
  const own = vector.get(origin) ?? 0;
  const others = vector.size - (vector.has(origin) ? 1 : 0);
  if (others === 0) return `${total}, all its own (${printable(origin)})`;
  return `${total}: ${own} of its own (${printable(origin)}), ` +
    `${total - own} of ${counted(others, "other origin")}`;
}

function peerText(peer: PeerStatus, paint: Paint): string {
  const { state, why, version, behind, ahead, skewMs, roundTripUs } = peer;
  const isEqual = state === "connected" && behind === 0 && ahead === 0;
  const parts = [
    stateText(state, why, paint),
    isEqual ? "equal" : undefined,
    ...lagOf(peer),
    skewMs === undefined ? undefined : `clock ${signed(skewMs)} ms`,
    roundTripUs === undefined ? undefined : `${(roundTripUs / 1000).toFixed(1)} ms there and back`,
    version === undefined ? undefined : `chat ${printable(version)}`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

function stateText(state: PeerStatus["state"], why: string | undefined, paint: Paint): string {
  switch (state) {
    case "connected":
      return "connected";
    case "catching_up":
      return "catching up";
    case "unreachable":
      return paint.strong("unreachable") + (why === undefined ? "" : `: ${printable(why)}`);
    default:
      return state satisfies never;
  }
}

function signed(number: number): string {
  return number < 0 ? String(number) : `+${number}`;
}

function size(bytes: number): string {
  return bytes < 100_000 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
