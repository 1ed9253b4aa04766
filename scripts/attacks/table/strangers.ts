import type { Amounts, Attack } from "../attack.ts";
import { connectionFigure, connections, rateFigure } from "./figures.ts";

const rest = { nodes: 1, processes: 2 } as const;
const storm: Amounts = { full: { atOnce: 32 }, quick: { atOnce: 32 }, touch: { atOnce: 8 } };
const ofStorm = { ...rest, amounts: storm, figure: rateFigure("connections") } as const;
const flood = {
  ...rest,
  amounts: connections(100, 50, 10),
  figure: rateFigure("frames"),
} as const;

/** What strangers do to the port for clients. */
export const BY_STRANGERS: readonly Attack[] = [
  {
    ...rest,
    name: "idle connections",
    does: "opens 10,000 connections from 1,250 addresses, and says nothing",
    weapon: "idle",
    processes: 5,
    amounts: connections(2000, 200, 100),
    figure: connectionFigure,
    answers: [],
  },
  {
    ...rest,
    name: "slow frames",
    does: "sends a byte a second of a frame, on 2,000 connections",
    weapon: "slow",
    amounts: connections(1000, 200, 50),
    figure: connectionFigure,
    answers: [],
  },
  {
    ...ofStorm,
    name: "connect and close",
    does: "connects and hangs up, 64 at once",
    weapon: "connectAndClose",
  },
  {
    ...ofStorm,
    name: "connect and garble",
    does: "connects, sends 4 KiB that are no frame and hangs up, 64 at once",
    weapon: "connectAndGarble",
  },
  {
    ...ofStorm,
    name: "connect and reset",
    does: "connects, asks and resets the connection, 64 at once",
    weapon: "connectAndReset",
  },
  {
    ...flood,
    name: "claims",
    does: "claims frames of 4 GiB and goes on with them, on 200 connections",
    weapon: "claims",
    answers: ["frame_too_large"],
  },
  {
    ...flood,
    name: "nested lists",
    does: "sends lists in lists, 819 deep, on 200 connections",
    weapon: "nested",
    answers: ["bad_payload"],
  },
  {
    ...flood,
    name: "unknown types",
    does: "sends types that there are not, on 200 connections",
    weapon: "unknownTypes",
    answers: ["unknown_type"],
  },
  {
    ...flood,
    name: "names",
    does: "asks for one name after the other, on 200 connections",
    weapon: "names",
    answers: ["user_not_existing"],
  },
  {
    ...flood,
    name: "false tokens",
    does: "signs in with tokens that nobody issued, on 200 connections",
    weapon: "tokens",
    answers: ["login_failed"],
  },
];
