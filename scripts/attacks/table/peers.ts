import type { Attack } from "../attack.ts";
import { connections, number, rate } from "./figures.ts";

const rest = { nodes: 3, processes: 2, amounts: connections(8, 4, 2) } as const;

/** What strangers do to the port for nodes, where it is open to them. */
export const AT_THE_PORT_FOR_NODES: readonly Attack[] = [
  {
    name: "garbage for nodes",
    does: "sends 100,000 malformed or unauthenticated frames to the port for nodes",
    ...rest,
    weapon: "peerGarbage",
    hasAnEnd: true,
    amounts: {
      full: { connections: 16, frames: 50_000 },
      quick: { connections: 16, frames: 5000 },
      touch: { connections: 4, frames: 1000 },
    },
    figure: ({ frames = 0 }) => `${number(frames)} frames`,
  },
  {
    name: "rapid resets",
    does: "begins calls and resets them",
    weapon: "rapidResets",
    ...rest,
    figure: (counts, seconds) => rate(counts, "calls", seconds),
  },
  {
    name: "continuations",
    does: "sends headers without end",
    weapon: "continuations",
    ...rest,
    figure: (counts, seconds) => rate(counts, "frames", seconds),
  },
  {
    name: "pings",
    does: "sends PING as fast as can be",
    weapon: "pings",
    ...rest,
    figure: (counts, seconds) => rate(counts, "frames", seconds),
  },
  {
    name: "settings",
    does: "sends SETTINGS as fast as can be",
    weapon: "settings",
    ...rest,
    figure: (counts, seconds) => rate(counts, "frames", seconds),
  },
  {
    name: "header bombs",
    does: "lets a byte stand for 4 kB",
    weapon: "headerBombs",
    ...rest,
    figure: (counts, seconds) => rate(counts, "headers", seconds),
  },
  {
    name: "oversized calls",
    does: "sends what claims to be 9 MiB",
    weapon: "oversized",
    ...rest,
    figure: (counts, seconds) => rate(counts, "messages", seconds),
  },
  {
    name: "idle peers",
    does:
      "opens 1,000 connections to each node's port for nodes, of which one is killed and started",
    ...rest,
    weapon: "idlePeers",
    amounts: connections(1500, 600, 300),
    meanwhile: (site) => site.restart(1),
    figure: ({ connections = 0, closed = 0 }) =>
      `${number(connections)} connections, ${number(closed)} closed`,
  },
];
