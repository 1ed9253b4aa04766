import type { RefusalCode, RequestKind } from "../codec/message.ts";
import type { LimitName } from "./limits.ts";
import type { Log, LogFacts } from "./log.ts";

/** Whom a line is about: where they come from, and as whom they are signed in, if they are. */
export interface Who {
  readonly address: string;
  readonly user?: string | undefined;
}

/** By what somebody signed in. */
export type SignInWay = "password" | "sign_up" | "token" | RequestKind;

/** Why somebody is signed in no more. */
export type SignOutReason =
  | RequestKind
  | LimitName
  /** Their connection has ended. */
  | "disconnected"
  /** Their account is gone, or has another password. */
  | "ended_elsewhere"
  | "stopping";

/**
 * What a node's log tells of its clients. Of what they send it has nothing but the kind of a request: what
 * is no name of an account may be a password that was typed into the wrong field.
 */
export class SessionLog {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  signedIn(who: Who, how: SignInWay): void {
    const did = how === "sign_up" ? "signed up" : "signed in";
    this.#log(`${who.user} ${did}`, { event: "sign_in", ...who, how });
  }

  /** Without a user if no account is called as they said. */
  signInFailed(who: Who, request: RequestKind): void {
    const told: LogFacts = { event: "sign_in_failed", ...who, request };
    if (who.user !== undefined) return this.#log(`could not sign in as ${who.user}`, told);
    this.#log("could not sign in: there is no such account", { ...told, reason: "unknown_name" });
  }

  signedOut(who: Who, reason: SignOutReason): void {
    this.#log(`${who.user} signed out`, { event: "sign_out", ...who, reason });
  }

  /** Without a request if what was sent is none. */
  refused(who: Who, request: RequestKind | undefined, code: RefusalCode | string): void {
    const what = request ?? "what is no request";
    this.#log(`refused ${what}: ${code}`, { event: "refused", ...who, request, code });
  }

  /** A connection that was not taken. */
  turnedAway(address: string, reason: string): void {
    this.#log(`turned a connection away: ${reason}`, { event: "turned_away", address, reason });
  }

  /** A connection whose other end does not speak TLS as it has to, or does not believe the certificate. */
  tlsFailed(address: string, reason: string): void {
    this.#log(`TLS failed: ${reason}`, { event: "tls_failed", address, reason });
  }

  /** A connection that was ended by a limit. */
  hungUp(who: Who, limit: LimitName): void {
    this.#log(`hung up: ${limit}`, { event: "hung_up", ...who, limit });
  }

  /** A connection that is read from more slowly, by a limit. */
  slowedDown(who: Who, limit: LimitName): void {
    this.#log(`slowed down: ${limit}`, { event: "slowed_down", ...who, limit });
  }
}
