interface LimitRow {
  readonly default: number;
  /** What a configuration may set it to, at least and at most. */
  readonly min: number;
  readonly max: number;
}

const MIB = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Every limit of a node in one place, on by default: `limits` in servers.json sets others. */
export const LIMITS = {
  /** Open connections of clients in all: beyond it, an account with many of them makes room for the next. */
  connectionsMax: { default: 10_000, min: 1, max: 1_000_000 },
  /** Open connections of one address. */
  connectionsPerAddressMax: { default: 2_000, min: 1, max: 1_000_000 },
  /** Connections that are signed in to one account: what it is told is told to each of them. */
  connectionsPerAccountMax: { default: 100, min: 1, max: 1_000_000 },
  /** How many may not be signed in: beyond it, one that waits makes room for the next. */
  anonymousConnectionsMax: { default: 2_000, min: 1, max: 1_000_000 },
  /**
   * Connections that may begin at once, and then a second, of all addresses from which nobody has signed
   * in lately: by TLS each costs a handshake.
   */
  connectionBurst: { default: 1_000, min: 1, max: 1_000_000 },
  connectionsPerSecond: { default: 400, min: 1, max: 1_000_000 },
  /**
   * Connections that one address may begin at once, and then a second. No fewer than it may have: all
   * come back at once when a node comes back.
   */
  connectionBurstPerAddress: { default: 2_000, min: 1, max: 1_000_000 },
  connectionsPerSecondPerAddress: { default: 200, min: 1, max: 1_000_000 },
  /** A connection that has not signed in by then is closed: clients connect when they need to. */
  signInDeadlineMs: { default: 30_000, min: 1000, max: DAY_MS },
  /** A frame that has begun is waited for so long in all: a message of 64 KiB at 9,600 bit/s. */
  frameDeadlineMs: { default: 60_000, min: 1000, max: DAY_MS },
  /**
   * A connection over which nothing has come for so long is closed: its other end may have vanished, and
   * of TLS the system is not told to look. Clients send PING.
   */
  silenceMs: { default: 60 * 60 * 1000, min: 1000, max: DAY_MS },
  /** Frames a second of one connection; what comes faster is read later. */
  framesPerSecondMax: { default: 20_000, min: 1, max: 1_000_000 },
  framesPerSecondAnonymousMax: { default: 100, min: 1, max: 1_000_000 },
  /**
   * Messages, or what costs as much, of one account at once, and then a second: more than a script
   * comes to whose disk is fast. Beyond it the answer is `slow_down`.
   */
  messageBurst: { default: 10_000, min: 1, max: 1_000_000_000 },
  messagesPerSecond: { default: 2_000, min: 1, max: 1_000_000_000 },
  /** Memory for frames of all connections of which not all has come: beyond it, the one with most is closed. */
  frameBytesTotalMax: { default: 128 * MIB, min: 4 * MIB, max: 1024 * 1024 * MIB },
  /** A connection whose output waits with more than this is not read from. */
  outboxPauseBytes: { default: MIB, min: 1024, max: 1024 * MIB },
  /** A connection whose output waits with more than this is closed: its reader is too slow. */
  outboxBytesMax: { default: 8 * MIB, min: MIB, max: 1024 * MIB },
  /** Memory for output of all connections that waits: beyond it, the one with most of it is closed. */
  outboxBytesTotalMax: { default: 128 * MIB, min: MIB, max: 1024 * 1024 * MIB },
  /** A connection that took none of its output for so long is closed. */
  writeStallMs: { default: 30_000, min: 1000, max: DAY_MS },
  /**
   * What a client was told elsewhere, and none of the nodes has while all are here, is lost after so long:
   * a link that is broken is found out much sooner.
   */
  lostAfterMs: { default: 60_000, min: 1000, max: DAY_MS },
  /** Passwords being hashed at once, if there are more cores: each takes 32 MiB and one core. */
  hashesAtOnce: { default: 2, min: 1, max: 64 },
  /**
   * Passwords waiting to be checked, and as many new ones: above it the answer is `busy` to whoever has
   * most there.
   */
  hashQueueMax: { default: 64, min: 1, max: 10_000 },
  /** Accounts that one address may create at once, as a class does, and how long until one more. */
  signUpsPerAddress: { default: 100, min: 1, max: 1_000_000 },
  signUpRefillMs: { default: 1_000, min: 1, max: DAY_MS },
  /** Wrong passwords before an account, or an address, has to wait. */
  wrongPasswordsPerAccount: { default: 10, min: 1, max: 1_000_000 },
  wrongPasswordsPerAddress: { default: 50, min: 1, max: 1_000_000 },
  /** How long until one more try is granted. */
  wrongPasswordRefillMs: { default: 10_000, min: 1, max: DAY_MS },
  /** Connections of other nodes and programs, in all and of one address. */
  peerConnectionsMax: { default: 256, min: 1, max: 10_000 },
  peerConnectionsPerAddressMax: { default: 64, min: 1, max: 10_000 },
  /** How many may begin in a second, of all addresses from which no node has called lately. */
  peerConnectionsPerSecond: { default: 100, min: 1, max: 1_000_000 },
  /** And how many of one address may begin in a second: a node comes back once or twice. */
  peerConnectionsPerSecondPerAddress: { default: 50, min: 1, max: 1_000_000 },
  /** A connection to the port for nodes that has called nothing by then is closed. */
  peerCallDeadlineMs: { default: 10_000, min: 1000, max: DAY_MS },
  /** Calls a second that one address may begin there; all from which no node has called, a tenth of it. */
  peerCallsPerSecondPerAddress: { default: 2_000, min: 10, max: 1_000_000 },
  /** Frames of HTTP/2 a second besides calls and what they carry: resets, pings and the like. */
  peerControlFramesPerSecondPerAddress: { default: 1_000, min: 10, max: 1_000_000 },
} as const satisfies Record<string, LimitRow>;

export type LimitName = keyof typeof LIMITS;
export type Limits = { readonly [N in LimitName]: number };

export const DEFAULT_LIMITS = Object.fromEntries(
  Object.entries(LIMITS).map(([name, row]) => [name, row.default]),
) as Limits;

/** Limits that end a connection which reaches them. */
export const ENDING_LIMITS = [
  "connectionsMax",
  "anonymousConnectionsMax",
  "signInDeadlineMs",
  "frameDeadlineMs",
  "frameBytesTotalMax",
  "silenceMs",
  "writeStallMs",
  "outboxBytesMax",
  "outboxBytesTotalMax",
] as const satisfies readonly LimitName[];

export type EndingLimit = (typeof ENDING_LIMITS)[number];
