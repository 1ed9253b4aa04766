import type { Attack } from "../attack.ts";
import { connectionFigure, connections, rateFigure } from "./figures.ts";

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
    figure: rateFigure("frames"),
  },
  {
    name: "rapid resets",
    does: "begins calls and resets them, on 16 connections",
    weapon: "rapidResets",
    ...rest,
    figure: rateFigure("calls"),
  },
  {
    name: "continuations",
    does: "sends header blocks without end, on 16 connections",
    weapon: "continuations",
    ...rest,
    figure: rateFigure("frames"),
  },
  {
    name: "pings",
    does: "sends PING as fast as can be, on 16 connections",
    weapon: "pings",
    ...rest,
    figure: rateFigure("frames"),
  },
  {
    name: "settings",
    does: "sends SETTINGS as fast as can be, on 16 connections",
    weapon: "settings",
    ...rest,
    figure: rateFigure("frames"),
  },
  {
    name: "header bombs",
    does: "sends headers of which each byte stands for 4 kB, on 16 connections",
    weapon: "headerBombs",
    ...rest,
    figure: rateFigure("headers"),
  },
  {
    name: "oversized calls",
    does: "sends messages that claim to be 9 MiB, on 16 connections",
    weapon: "oversized",
    ...rest,
    figure: rateFigure("messages"),
  },
  {
    name: "idle peers",
    does: "opens 1,000 connections to each node; then one is killed and started",
    ...rest,
    weapon: "idlePeers",
    amounts: connections(1500, 600, 300),
    meanwhile: (site) => site.restart(1),
    figure: connectionFigure,
  },
];
