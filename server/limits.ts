/** Every limit of the client port in one place, on by default. Tests and benchmarks may pass others. */
export interface Limits {
  /** Open connections in all. */
  readonly connectionsMax: number;
  /** Open connections of one address. */
  readonly connectionsPerAddressMax: number;
  /** A connection that has not signed in by then is closed. */
  readonly signInDeadlineMs: number;
  /** Frames a second of one connection; what comes faster is read later. */
  readonly framesPerSecondMax: number;
  readonly framesPerSecondAnonymousMax: number;
  /** A connection whose output waits with more than this is not read from. */
  readonly outboxPauseBytes: number;
  /** A connection whose output waits with more than this is closed: its reader is too slow. */
  readonly outboxBytesMax: number;
  /** A connection that took none of its output for so long is closed. */
  readonly writeStallMs: number;
  /**
   * What a client was told elsewhere, and none of the nodes has while all are here, is lost after so long:
   * a link that is broken is found out much sooner.
   */
  readonly lostAfterMs: number;
  /** Passwords being hashed at once; each takes 32 MiB and one core. */
  readonly hashesAtOnce: number;
  /** Passwords waiting to be hashed; above it the answer is `busy`. */
  readonly hashQueueMax: number;
  /** Wrong passwords before an account, or an address, has to wait. */
  readonly wrongPasswordsPerAccount: number;
  readonly wrongPasswordsPerAddress: number;
  /** How long until one more try is granted. */
  readonly wrongPasswordRefillMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  connectionsMax: 10_000,
  connectionsPerAddressMax: 2_000,
  signInDeadlineMs: 120_000,
  framesPerSecondMax: 20_000,
  framesPerSecondAnonymousMax: 100,
  outboxPauseBytes: 1024 * 1024,
  outboxBytesMax: 8 * 1024 * 1024,
  writeStallMs: 30_000,
  lostAfterMs: 60_000,
  hashesAtOnce: 2,
  hashQueueMax: 64,
  wrongPasswordsPerAccount: 10,
  wrongPasswordsPerAddress: 50,
  wrongPasswordRefillMs: 10_000,
};
