import type { Attack } from "../attack.ts";
import { connectionFigure, connections, rateFigure } from "./figures.ts";

const rest = { nodes: 1, processes: 2, figure: rateFigure("frames") } as const;

/** What those may do who have signed in, with accounts of their own. */
export const BY_MEMBERS: readonly Attack[] = [
  {
    ...rest,
    name: "vanished subscribers",
    does: "signs in on 1,000 connections, subscribes, and vanishes behind a black hole",
    weapon: "vanished",
    amounts: connections(500, 100, 20),
    figure: connectionFigure,
    answers: ["login_success", "done"],
  },
  {
    ...rest,
    name: "byte by byte",
    does: "sends PING in packets of one byte on 64 connections, half of them signed in",
    weapon: "byteByByte",
    amounts: connections(32, 8, 4),
    figure: rateFigure("bytes"),
    answers: ["login_success", "pong"],
  },
  {
    name: "messages of one connection",
    does: "sends messages as fast as they are taken",
    ...rest,
    weapon: "messages",
    processes: 1,
    amounts: connections(1, 1, 1),
    answers: ["login_success", "sent"],
  },
  {
    name: "messages of 64 connections",
    does: "sends messages as fast as they are taken",
    ...rest,
    weapon: "messages",
    amounts: connections(32, 16, 8),
    answers: ["login_success", "sent"],
  },
  {
    name: "long messages",
    does: "sends messages of 64 KiB on 16 connections",
    ...rest,
    weapon: "longMessages",
    amounts: connections(8, 4, 2),
    answers: ["login_success", "sent"],
  },
  {
    name: "long frames",
    does: "sends frames of 1 MiB on 16 connections",
    ...rest,
    weapon: "longFrames",
    amounts: connections(8, 4, 2),
    answers: ["login_success", "done"],
  },
  {
    name: "questions",
    does: "lists, searches and asks for the status on 64 connections",
    ...rest,
    weapon: "questions",
    amounts: connections(32, 16, 8),
    answers: ["login_success", "messages", "found", "status", "users", "conversations"],
  },
  {
    name: "old cursors",
    does: "subscribes from the very beginning, over and over, on 16 connections",
    ...rest,
    weapon: "oldCursors",
    amounts: connections(8, 4, 2),
    answers: ["login_success", "done"],
  },
  {
    name: "deaf subscribers",
    does: "subscribes on 1,000 connections that read nothing, and sends 64 KiB to them",
    ...rest,
    weapon: "deafSubscribers",
    amounts: connections(500, 100, 20),
    figure: connectionFigure,
  },
  {
    name: "deaf askers",
    does: "asks for 64 MiB on each of 200 connections that read nothing",
    ...rest,
    weapon: "deafAskers",
    amounts: connections(100, 20, 10),
    figure: connectionFigure,
  },
];
