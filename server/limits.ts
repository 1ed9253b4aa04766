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
  /** Open connections of clients in all. */
  connectionsMax: { default: 10_000, min: 1, max: 1_000_000 },
  /** Open connections of one address. */
  connectionsPerAddressMax: { default: 2_000, min: 1, max: 1_000_000 },
  /** A connection that has not signed in by then is closed. */
  signInDeadlineMs: { default: 120_000, min: 1000, max: DAY_MS },
  /** Frames a second of one connection; what comes faster is read later. */
  framesPerSecondMax: { default: 20_000, min: 1, max: 1_000_000 },
  framesPerSecondAnonymousMax: { default: 100, min: 1, max: 1_000_000 },
  /** A connection whose output waits with more than this is not read from. */
  outboxPauseBytes: { default: MIB, min: 1024, max: 1024 * MIB },
  /** A connection whose output waits with more than this is closed: its reader is too slow. */
  outboxBytesMax: { default: 8 * MIB, min: MIB, max: 1024 * MIB },
  /** A connection that took none of its output for so long is closed. */
  writeStallMs: { default: 30_000, min: 1000, max: DAY_MS },
  /**
   * What a client was told elsewhere, and none of the nodes has while all are here, is lost after so long:
   * a link that is broken is found out much sooner.
   */
  lostAfterMs: { default: 60_000, min: 1000, max: DAY_MS },
  /** Passwords being hashed at once; each takes 32 MiB and one core. */
  hashesAtOnce: { default: 2, min: 1, max: 64 },
  /** Passwords waiting to be hashed; above it the answer is `busy`. */
  hashQueueMax: { default: 64, min: 1, max: 10_000 },
  /** Wrong passwords before an account, or an address, has to wait. */
  wrongPasswordsPerAccount: { default: 10, min: 1, max: 1_000_000 },
  wrongPasswordsPerAddress: { default: 50, min: 1, max: 1_000_000 },
  /** How long until one more try is granted. */
  wrongPasswordRefillMs: { default: 10_000, min: 1, max: DAY_MS },
} as const satisfies Record<string, LimitRow>;

export type LimitName = keyof typeof LIMITS;
export type Limits = { readonly [N in LimitName]: number };

export const DEFAULT_LIMITS = Object.fromEntries(
  Object.entries(LIMITS).map(([name, row]) => [name, row.default]),
) as Limits;
