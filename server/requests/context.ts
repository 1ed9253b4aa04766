import type { InvitationCheck } from "../auth/invitation.ts";
import type { NodeStatus, RefusalCode, Reply } from "../../codec/message.ts";
import type { SignInAttempt } from "../auth/sign_in_throttle.ts";
import type { Account } from "../core/account_table.ts";
import type { Cursor } from "../core/cursor.ts";
import type { Fact, Operation, Provenance } from "../core/operation.ts";
import type { ChatState } from "../core/state.ts";

/** What deciding a request may look at and do. Who provides it: session.ts and serve.ts. */
export interface RequestContext {
  readonly state: ChatState;
  readonly session: RequestSession;
  readonly passwords: Passwords;
  readonly attempts: SignInAttempts;
  readonly registration: Registration;
  readonly signUps: SignUps;
  readonly pace: WritePace;
  /** This node's name. */
  readonly node: string;
  nowMs(): number;
  /** A fresh account id. */
  newAccountId(): string;
  /** A fresh message key, for clients that sent none. */
  newKey(): string;
  /** When what is submitted now was made, by its stamp: a clock that was set back does not turn it back. */
  stampMs(): number;
  /** Makes a fact so. What is formed from now on waits until it is durable. */
  submit(fact: Fact): Operation;
  isOnline(account: Account): boolean;
  /** How many connections are signed in to it on this node. */
  connectionsOf(account: Account): number;
  status(): NodeStatus;
}

/** The part of a connection that requests decide about. */
export interface RequestSession {
  readonly address: string;
  /** The name that LOGIN_NAME gave, and what it was told about it. */
  claimed: { readonly name: string; readonly existed: boolean } | undefined;
  /** Until then it may not write: it was told to slow down. By the server's own clock, in ms. */
  slowUntilMs: number;
  /** Whether the account has as many connections as it may. */
  isOneTooMany(account: Account): boolean;
  signIn(account: Account): void;
  signOut(): void;
  /** Before a change of one's own password: the session goes on with its new hash. */
  renewCredential(passwordHash: string): void;
  /** Sends events from now on, after those that `since` does not cover; returns how many those are. */
  subscribe(since: Cursor | undefined): number;
  /** What a client that has seen everything so far would resume from. */
  cursor(): string;
}

/** How accounts come about over the network. */
export interface Registration {
  readonly mode: "open" | "invite" | "closed";
  /** Whether a text is an invitation of this cluster. */
  check(invitation: string): InvitationCheck;
}

/** `address` is where it comes from: none may keep the others waiting. */
export interface Passwords {
  hash(password: string, address: string): Promise<string>;
  matches(password: string, stored: string | undefined, address: string): Promise<boolean>;
}

/** Limits wrong passwords, per account and per address: see auth/sign_in_throttle.ts. */
export interface SignInAttempts {
  begin(name: string, address: string): Promise<SignInAttempt>;
  nowFamiliar(name: string, address: string): void;
}

/** Limits how many accounts one address creates. */
export interface SignUps {
  /** 0 if one more may be created, and then it is charged; else how long to wait first, in ms. */
  take(address: string): number;
}

/** Limits how fast an account writes: see pace.ts. */
export interface WritePace {
  /** 0 if the account may write what costs as much as so many messages; else how long to wait, in ms. */
  take(account: Account, session: RequestSession, cost: number): number;
  /** What is left of such a wait for one session, which it did not heed. */
  waitMs(session: RequestSession): number;
}

/**
 * What came of a request: a reply, which leaves once everything that was submitted before it is
 * durable here, or one that says on how many nodes something is durable, and waits for that.
 */
export type Outcome = Reply | CopiesOutcome;

export interface CopiesOutcome {
  readonly withCopies: (copies: number) => Reply;
  /** Of what; without, of the operation that was submitted for it. */
  readonly of?: Pick<Provenance, "origin" | "seq"> | "everything";
  /** Whether it tells what is so now, and waits for nothing but being durable here. */
  readonly isPrompt?: true;
}

/** A refusal is a value: the reply that tells the user what to do. */
export function refuse(code: RefusalCode, sentence: string): Reply {
  return { kind: "error", payload: { code, sentence } };
}

/** ERROR for what may be asked again after a time, by programs too: docs/PROTOCOL.md says how it reads. */
export function slowDown(what: string, waitMs: number): Reply {
  return refuse("slow_down", `${what}, try again in ${Math.ceil(waitMs)} ms`);
}

/** DONE for `count` things. */
export function done(count: number): CopiesOutcome {
  const withCopies = (copies: number): Reply => ({ kind: "done", payload: { count, copies } });
  // Nothing was submitted: it may have been before, by the same request on another node.
  return count === 0 ? { withCopies, of: "everything" } : { withCopies };
}
