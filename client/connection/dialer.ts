import type { RefusalCode } from "../../codec/message.ts";
import { type HostFailure, RefusedError, UnreachableError } from "./errors.ts";
import { formatHost, type Host } from "./host.ts";
import { type EventSink, Link, LinkLostError, type LinkTimeouts } from "./link.ts";
import type { Outside } from "./outside.ts";
import { type RefusalLimits, Refusals } from "./refusals.ts";
import { NotAcceptedError } from "./sign_in.ts";

export interface DialTimeouts extends LinkTimeouts, RefusalLimits {
  /** For a TCP connection to come about. */
  readonly connectMs: number;
  /** After the first round over all hosts failed; doubles with every further one. */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** After a loss, so that a server's thousand clients do not all come at once; at most. */
  readonly failoverJitterMs: number;
  /** A connection that lasted less long counts as a failure of its host. */
  readonly stableMs: number;
}

/** A connection, and what was done with it first. */
export interface Dialed<T> {
  readonly link: Link;
  readonly host: Host;
  readonly value: T;
  readonly sinceMs: number;
}

/** A host that failed, and when the next one is tried. */
export interface FailedTry extends HostFailure {
  readonly nextTryMs: number;
}

export interface DialOptions<T> {
  /** What to do with a new connection before it counts as good, such as signing in. */
  readonly begin: (link: Link, host: Host) => Promise<T>;
  readonly sink: EventSink;
  /** After this time, the round over the hosts that is under way is the last; 0 is one round. */
  readonly giveUpMs: number;
  readonly onFailure?: (failure: FailedTry) => void;
}

/** What a round over all hosts came to. */
type Round<T> =
  | { readonly dialed: Dialed<T> }
  | { readonly failures: readonly HostFailure[]; readonly refusals: readonly NotAcceptedError[] };

/** Refusals that another host, or the same one later, may not give. */
const PASSING_REFUSALS: readonly string[] = [
  "busy",
  "too_many_connections",
] satisfies RefusalCode[];

const CLOSED = "the client was closed";

/** Connects to one of several hosts, in turn, with growing pauses after each round of failures. */
export class Dialer {
  readonly #hosts: readonly Host[];
  readonly #outside: Outside;
  readonly #timeouts: DialTimeouts;
  /** Index of the host in use, or to try next. */
  #current = 0;
  /** Rounds that failed since a connection was stable. */
  #failedRounds = 0;
  #closed = Promise.withResolvers<void>();
  #isClosed = false;
  /** The connection that {@linkcode dial} is beginning. */
  #begun: Link | undefined;

  constructor(hosts: readonly Host[], outside: Outside, timeouts: DialTimeouts) {
    if (hosts.length === 0) throw new RangeError("Cannot connect: the list of hosts is empty");
    this.#hosts = hosts;
    this.#outside = outside;
    this.#timeouts = timeouts;
  }

  /**
   * Tries hosts until `begin` succeeds with one. Throws what `begin` throws, unless another host
   * may do better; {@linkcode UnreachableError} after `giveUpMs`; and {@linkcode NotAcceptedError}
   * if by then, or for long enough to believe it, hosts have not taken the session.
   */
  async dial<T>(options: DialOptions<T>): Promise<Dialed<T>> {
    const { clock } = this.#outside;
    const startMs = clock.nowMs();
    const past = new Refusals(this.#timeouts);
    for (;;) {
      const round = await this.#tryAll(options);
      if ("dialed" in round) return round.dialed;
      const { failures, refusals } = round;
      const [refusal] = refusals;
      const nowMs = clock.nowMs();
      const doubtMs = past.doubtMs(refusals.length, failures.length, nowMs);
      if (refusal !== undefined && doubtMs <= 0) throw refusal;
      const pauseMs = Math.min(this.#backoffMs(), Math.ceil(doubtMs));
      if (nowMs - startMs + pauseMs > options.giveUpMs) {
        throw refusal ?? new UnreachableError(failures);
      }
      options.onFailure?.({ ...failureOf(failures), nextTryMs: pauseMs });
      await this.pause(pauseMs);
    }
  }

  /** How long to wait before the next {@linkcode dial} now that a connection is lost. */
  afterLoss(lost: Dialed<unknown>): number {
    this.#turn();
    const lastedMs = this.#outside.clock.nowMs() - lost.sinceMs;
    if (lastedMs < this.#timeouts.stableMs) return this.#backoffMs();
    this.#failedRounds = 0;
    return Math.round(this.#outside.random() * this.#timeouts.failoverJitterMs);
  }

  /** Resolves after this time, or when the dialer is closed. */
  async pause(pauseMs: number): Promise<void> {
    const passed = Promise.withResolvers<void>();
    const cancel = this.#outside.clock.after(pauseMs, passed.resolve);
    await Promise.race([passed.promise, this.#closed.promise]);
    cancel();
  }

  /** Ends a {@linkcode dial} that is under way. */
  close(): void {
    this.#isClosed = true;
    this.#closed.resolve();
    this.#begun?.close(CLOSED);
  }

  get #host(): Host {
    const host = this.#hosts[this.#current];
    if (host === undefined) throw new RangeError(`Cannot use host ${this.#current}: there is none`);
    return host;
  }

  #turn(): void {
    this.#current = (this.#current + 1) % this.#hosts.length;
  }

  async #tryAll<T>(options: DialOptions<T>): Promise<Round<T>> {
    const failures: HostFailure[] = [];
    const refusals: NotAcceptedError[] = [];
    for (;;) {
      const host = this.#host;
      try {
        return { dialed: await this.#try(host, options) };
      } catch (error) {
        this.#turn();
        if (!isPassing(error) || this.#isClosed) throw error;
        if (error instanceof NotAcceptedError) refusals.push(error);
        failures.push({ host: formatHost(host), why: error.message });
      }
      if (failures.length === this.#hosts.length) return { failures, refusals };
      options.onFailure?.({ ...failureOf(failures), nextTryMs: 0 });
    }
  }

  async #try<T>(host: Host, { begin, sink }: DialOptions<T>): Promise<Dialed<T>> {
    if (this.#isClosed) throw new LinkLostError(CLOSED);
    const link = await this.#connect(host, sink);
    this.#begun = link;
    if (this.#isClosed) link.close(CLOSED);
    try {
      return { link, host, value: await begin(link, host), sinceMs: this.#outside.clock.nowMs() };
    } catch (error) {
      link.close();
      throw error;
    } finally {
      this.#begun = undefined;
    }
  }

  async #connect(host: Host, sink: EventSink): Promise<Link> {
    const { connect, clock } = this.#outside;
    try {
      return new Link(await connect(host, this.#timeouts.connectMs), clock, this.#timeouts, sink);
    } catch (error) {
      throw new LinkLostError(error instanceof Error ? error.message : String(error));
    }
  }

  #backoffMs(): number {
    const { backoffMinMs, backoffMaxMs } = this.#timeouts;
    const wholeMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** this.#failedRounds++);
    return Math.round(wholeMs * (0.5 + this.#outside.random() / 2));
  }
}

function isPassing(error: unknown): error is Error {
  return error instanceof LinkLostError || error instanceof NotAcceptedError ||
    error instanceof RefusedError && PASSING_REFUSALS.includes(error.code);
}

function failureOf(failures: readonly HostFailure[]): HostFailure {
  const last = failures.at(-1);
  if (last === undefined) throw new RangeError("Cannot tell of a failure: there is none");
  return last;
}
