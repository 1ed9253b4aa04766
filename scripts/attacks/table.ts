import type { Amounts, Attack } from "./attack.ts";
import type { Counts } from "./orders.ts";

type Common = Pick<Attack, "nodes" | "processes" | "amounts" | "figure">;

/** Each attack of the campaign, on one node or on the port for nodes of a cluster. */
export const ATTACKS: readonly Attack[] = [
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
  ...strangersFloods(),
  {
    name: "sign-ins",
    does: "signs in with a password on 1,000 connections at once, over and over",
    weapon: "signIns",
    nodes: 1,
    processes: 2,
    amounts: connections(500, 100, 50),
    peopleSignInBy: "password",
    figure: signInFigure,
  },
  {
    name: "sign-ups",
    does: "signs up on 1,000 connections at once, over and over",
    weapon: "signUps",
    nodes: 1,
    processes: 2,
    amounts: connections(500, 100, 50),
    peopleSignInBy: "password",
    figure: signInFigure,
  },
  {
    name: "guesses",
    does: "guesses one password 10,000 times, over three nodes and from 500 addresses",
    weapon: "guesses",
    nodes: 3,
    processes: 2,
    hasAnEnd: true,
    amounts: {
      full: { connections: 150, guesses: 5000 },
      quick: { connections: 50, guesses: 500 },
      touch: { connections: 30, guesses: 300 },
    },
    figure: ({ guesses = 0, login_failed: checked = 0, too_many_attempts: refused = 0 }) =>
      `${number(guesses)} guesses, ${number(checked)} checked, ${number(refused)} refused`,
    faults: guessFaults,
  },
  ...members(),
  ...peers(),
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

function strangersFloods(): Attack[] {
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

function members(): Attack[] {
  const rest = { nodes: 1, processes: 2, figure: frameFigure } as const;
  return [
    {
      name: "messages of one connection",
      does: "sends messages as fast as they are taken",
      ...rest,
      weapon: "messages",
      processes: 1,
      amounts: connections(1, 1, 1),
    },
    {
      name: "messages of 64 connections",
      does: "sends messages as fast as they are taken",
      ...rest,
      weapon: "messages",
      amounts: connections(32, 16, 8),
    },
    {
      name: "long messages",
      does: "sends messages of 64 KiB on 16 connections",
      ...rest,
      weapon: "longMessages",
      amounts: connections(8, 4, 2),
    },
    {
      name: "long frames",
      does: "sends frames of 1 MiB on 16 connections",
      ...rest,
      weapon: "longFrames",
      amounts: connections(8, 4, 2),
    },
    {
      name: "questions",
      does: "lists, searches and asks for the status on 64 connections",
      ...rest,
      weapon: "questions",
      amounts: connections(32, 16, 8),
    },
    {
      name: "old cursors",
      does: "subscribes from the very beginning, over and over, on 16 connections",
      ...rest,
      weapon: "oldCursors",
      amounts: connections(8, 4, 2),
    },
    {
      name: "deaf subscribers",
      does: "subscribes on 1,000 connections that read nothing, and sends 64 KiB to them",
      ...rest,
      weapon: "deafSubscribers",
      amounts: connections(500, 100, 20),
      figure: ({ connections = 0, sent = 0, slow_down: slowed = 0 }) =>
        `${number(connections)} connections, ${number(sent)} messages, ${number(slowed)} refused`,
    },
    {
      name: "deaf askers",
      does: "asks for 64 MiB on each of 200 connections that read nothing",
      ...rest,
      weapon: "deafAskers",
      amounts: connections(100, 20, 10),
      figure: ({ connections = 0 }) => `${number(connections)} connections`,
    },
  ];
}

function peers(): Attack[] {
  const rest = { nodes: 3, processes: 2, amounts: connections(8, 4, 2) } as const;
  return [
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
}

/** Of each process. */
function connections(full: number, quick: number, touch: number): Amounts {
  return {
    full: { connections: full },
    quick: { connections: quick },
    touch: { connections: touch },
  };
}

function frameFigure(counts: Counts, seconds: number): string {
  const { connections: _, frames: __, ...answers } = counts;
  const told = Object.entries(answers).map(([name, count]) => `${number(count)} ${name}`);
  return [rate(counts, "frames", seconds), ...told].join(", ");
}

function signInFigure(counts: Counts): string {
  const { tries = 0, login_success: taken = 0, busy = 0, too_many_attempts: slowed = 0 } = counts;
  return `${number(tries)} tries, ${number(taken)} signed in, ${number(busy + slowed)} refused`;
}

/** What an account may be guessed at: so many at once, and one more each so often, over all nodes. */
const GUESSES_AT_ONCE = 10;
const GUESS_EVERY_S = 10;
/** How many may be checked before nodes have told each other. */
const GUESSES_SPARE = 5;

function guessFaults({ login_failed: checked = 0, login_success = 0 }: Counts, seconds: number) {
  const max = Math.ceil(GUESSES_AT_ONCE + seconds / GUESS_EVERY_S) + GUESSES_SPARE;
  return [
    ...login_success > 0 ? ["a guess was taken for right"] : [],
    ...checked > max ? [`${checked} guesses were checked, of ${max}`] : [],
  ];
}

function rate(counts: Counts, what: string, seconds: number): string {
  const count = counts[what] ?? 0;
  return `${number(count)} ${what}, ${number(count / seconds)}/s`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString("en");
}
