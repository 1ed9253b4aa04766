import type { DialTimeouts } from "./dialer.ts";
import type { Host } from "./host.ts";
import type { Outside } from "./outside.ts";
import type { RequestLimits } from "./request_queue.ts";

/** All in ms. */
export interface ClientTimeouts extends DialTimeouts {
  /** For the first connection and sign-in; 0 tries every host once. */
  readonly signInGiveUpMs: number;
  /** For getting back to a server after a loss. */
  readonly giveUpMs: number;
}

export interface ClientLimits extends RequestLimits {
  /** Events received and not taken; then reading stops. */
  readonly eventsMax: number;
  readonly eventBytesMax: number;
}

/** What is known of the connection, for those who show it. */
export type ConnectionState =
  | { readonly state: "connected"; readonly host: string; readonly node: string }
  /** Another host, or the same again, is tried in `nextTryMs`. */
  | {
    readonly state: "lost";
    readonly host: string;
    readonly why: string;
    readonly nextTryMs: number;
  }
  /** Nothing more will be tried: every request fails with `error`. */
  | { readonly state: "ended"; readonly error: unknown };

export interface ChatClientOptions {
  /** Tried in this order, and from each on when it fails. */
  readonly hosts: readonly Host[];
  /** Network, clock and randomness: see deno_outside.ts. */
  readonly outside: Outside;
  readonly timeouts?: Partial<ClientTimeouts>;
  readonly limits?: Partial<ClientLimits>;
  /** Called whenever the connection's state changes. */
  readonly onState?: (state: ConnectionState) => void;
}

export const TIMEOUTS_DEFAULT: ClientTimeouts = {
  connectMs: 3_000,
  // Long: a server may wait for copies, or for its turn to hash a password, before it answers.
  replyMs: 10_000,
  promptMs: 3_000,
  heartbeatMs: 2_000,
  stallMs: 1_000,
  backoffMinMs: 250,
  backoffMaxMs: 10_000,
  failoverJitterMs: 100,
  stableMs: 10_000,
  refusedByAllMs: 2_000,
  refusedBySomeMs: 10_000,
  signInGiveUpMs: 0,
  giveUpMs: Infinity,
};

export const LIMITS_DEFAULT: ClientLimits = {
  inFlightMax: 256,
  waitingMax: 10_000,
  triesMax: 5,
  eventsMax: 1_000,
  eventBytesMax: 4 * 1024 * 1024,
};
