import type { Amounts, Attack } from "../attack.ts";
import { connections, frameFigure, number, rate } from "./figures.ts";

type Common = Pick<Attack, "nodes" | "processes" | "amounts" | "figure">;

/** What strangers do to the port for clients without trying to sign in. */
export const BY_STRANGERS: readonly Attack[] = [
  {
    name: "idle connections",
    does: "opens 10,000 connections and says nothing",
    weapon: "idle",
    nodes: 1,
    processes: 5,
    amounts: connections(2000, 200, 100),
    figure: ({ connections = 0, too_many_connections: refused = 0, closed = 0 }) =>
      `${number(connections)} connections, ${number(refused)} turned away, ${
        number(closed)
      } closed`,
  },
  {
    name: "vanished subscribers",
    does: "signs in on 1,000 connections, subscribes, and vanishes behind a black hole",
    weapon: "vanished",
    nodes: 1,
    processes: 2,
    amounts: connections(500, 100, 20),
    figure: ({ connections = 0 }) => `${number(connections)} connections`,
  },
  {
    name: "slow frames",
    does: "sends a byte a second of a frame, on 2,000 connections",
    weapon: "slow",
    nodes: 1,
    processes: 2,
    amounts: connections(1000, 200, 50),
    figure: ({ connections = 0, bytes = 0 }) =>
      `${number(connections)} connections, ${number(bytes)} bytes`,
  },
  {
    name: "byte by byte",
    does: "sends good frames in packets of one byte, half of it signed in",
    weapon: "byteByByte",
    nodes: 1,
    processes: 2,
    amounts: connections(32, 8, 4),
    figure: (counts, seconds) =>
      `${rate(counts, "bytes", seconds)}, ${number(counts.pong ?? 0)} answered`,
  },
  ...storms(),
  ...floods(),
];

function storms(): Attack[] {
  const amounts: Amounts = { full: { atOnce: 32 }, quick: { atOnce: 32 }, touch: { atOnce: 8 } };
  const rest: Common = {
    nodes: 1,
    processes: 2,
    amounts,
    figure: (counts, seconds) => rate(counts, "connections", seconds),
  };
  return [
    {
      name: "connect and close",
      does: "connects and hangs up",
      weapon: "connectAndClose",
      ...rest,
    },
    {
      name: "connect and garble",
      does: "connects and sends no frames",
      weapon: "connectAndGarble",
      ...rest,
    },
    {
      name: "connect and reset",
      does: "connects, asks, and resets",
      weapon: "connectAndReset",
      ...rest,
    },
  ];
}

function floods(): Attack[] {
  const rest: Common = {
    nodes: 1,
    processes: 2,
    amounts: connections(100, 50, 10),
    figure: frameFigure,
  };
  return [
    { name: "claims", does: "claims frames of 4 GiB", weapon: "claims", ...rest },
    { name: "nested lists", does: "sends lists in lists, 819 deep", weapon: "nested", ...rest },
    {
      name: "unknown types",
      does: "sends types that there are not",
      weapon: "unknownTypes",
      ...rest,
    },
    { name: "names", does: "asks for one name after the other", weapon: "names", ...rest },
    {
      ...{
        name: "false tokens",
        does: "signs in with tokens that nobody issued",
        weapon: "tokens",
      },
      ...rest,
      faults: ({ login_success: signedIn = 0 }) =>
        signedIn > 0 ? [`${signedIn} false tokens were taken`] : [],
    },
  ];
}
