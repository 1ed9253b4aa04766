import type { RefusalCode, ReplyPayload } from "../../codec/message.ts";
import {
  NoSuchAccountError,
  OneTimeTokenError,
  RefusedError,
  WrongPasswordError,
} from "./errors.ts";
import { formatHost, type Host } from "./host.ts";
import { type Link, LinkLostError } from "./link.ts";
import { payloadOf, unexpected } from "./reply.ts";

/** Who is signed in, on which node, and the token to sign in by without a password. */
export type Session = ReplyPayload<"login_success">;

/** How to sign in. */
export type Credentials =
  | {
    readonly user: string;
    readonly password: string;
    /** Whether to create the account if there is none; else that is an error. */
    readonly create?: boolean;
    /** By which the account is created, where that takes one. */
    readonly invitation?: string;
  }
  | {
    readonly user: string;
    readonly oneTimeToken: string;
    /** The one that is chosen now. */
    readonly password: string;
  }
  | { readonly user: string; readonly token: string };

type ByPassword = Extract<Credentials, { readonly create?: boolean }>;
type ByOneTimeToken = Extract<Credentials, { readonly oneTimeToken: string }>;

/** A node that was reached does not take a session's token or passwords. */
export class NotAcceptedError extends Error {
  override readonly name = "NotAcceptedError";
  /** What the node says of the account, if it does. */
  readonly sentence: string | undefined;

  constructor(sentence?: string) {
    super(sentence ?? "it does not take the session");
    this.sentence = sentence;
  }
}

/** Refusals of a right password that stay, unlike those of a node that has too much to do. */
const ENDS_THE_SESSION: readonly string[] = ["account_disabled"] satisfies RefusalCode[];

/** Whether there is an account of this name. Begins a sign-in. */
export async function lookUp(link: Link, user: string): Promise<boolean> {
  const reply = await link.request({ kind: "login_name", payload: user });
  if (reply.kind === "user_existing") return true;
  if (reply.kind === "user_not_existing") return false;
  throw unexpected(reply);
}

/**
 * Signs in. Throws {@linkcode NoSuchAccountError} before a password is sent if the account is to
 * be created and `create` does not allow it, {@linkcode WrongPasswordError}, and
 * {@linkcode OneTimeTokenError}.
 */
export async function signInWithPassword(
  link: Link,
  { user, password, create = false, invitation }: ByPassword,
): Promise<Session> {
  const exists = await lookUp(link, user);
  if (!exists && !create) throw new NoSuchAccountError(user);
  const reply = exists || invitation === undefined
    ? await link.request({ kind: "login_password", payload: password })
    : await link.request({ kind: "redeem", payload: { user, token: invitation, password } });
  if (reply.kind === "login_failed") throw new WrongPasswordError(user);
  if (reply.kind === "error" && reply.payload.code === ("choose_password" satisfies RefusalCode)) {
    throw new OneTimeTokenError(user);
  }
  return payloadOf(reply, "login_success");
}

/**
 * How to sign in with a one-time token, on one node after another: a connection that is lost before the
 * answer leaves open whether the token is used. Throws {@linkcode WrongPasswordError} if it is not good.
 */
export function redeemer(
  { user, oneTimeToken: token, password }: ByOneTimeToken,
): (link: Link) => Promise<Session> {
  let mayBeUsed = false;
  return async (link) => {
    const wasTried = mayBeUsed;
    mayBeUsed = true;
    const reply = await link.request({ kind: "redeem", payload: { user, token, password } });
    if (reply.kind === "login_failed" && wasTried) {
      return await signInWithPassword(link, { user, password });
    }
    mayBeUsed = false;
    if (reply.kind === "login_failed") throw new WrongPasswordError(user, "the one-time token");
    return payloadOf(reply, "login_success");
  };
}

/** What a client keeps to sign in again, on any node. */
export class Keyring {
  /** What the account was called at first: a node that is behind knows it by no other name. */
  readonly #firstName: string;
  #user: string;
  #token: string | undefined;
  #passwords: readonly string[];
  /** Hosts that did not take the passwords since the last sign-in, and what they said of the account. */
  readonly #refusedAt = new Map<string, string | undefined>();

  constructor(user: string, passwords: readonly string[], token?: string) {
    this.#firstName = user;
    this.#user = user;
    this.#passwords = passwords;
    this.#token = token;
  }

  get user(): string {
    return this.#user;
  }

  /** After the server said so: the account goes by another name than it was asked for. */
  set user(name: string) {
    this.#user = name;
  }

  /** After a sign-in. Gives whether the account goes by a name that was not known before. */
  renew({ user, token }: Session): boolean {
    const isNewName = user !== this.#user && user !== this.#firstName;
    this.#user = user;
    this.#token = token;
    this.#refusedAt.clear();
    return isNewName;
  }

  /** After a change of the password, which ended the token: `passwords` has the right one. */
  replacePasswords(passwords: readonly string[], token?: string): void {
    this.#passwords = passwords;
    this.#token = token;
  }

  /**
   * Signs in by token, else by password. Never creates an account: a node that does not know it may
   * only be behind the others. Throws {@linkcode NotAcceptedError}.
   */
  async signIn(link: Link, host: Host): Promise<Session> {
    const names = [...new Set([this.#user, this.#firstName])];
    const session = await this.#byToken(link, names) ??
      await this.#byPassword(link, names, formatHost(host));
    if (session === undefined) throw new NotAcceptedError(this.#refusedAt.get(formatHost(host)));
    return session;
  }

  /** Like {@linkcode signIn}, but a refusal only counts against this node: others may do better. */
  async resume(link: Link, host: Host): Promise<Session> {
    try {
      return await this.signIn(link, host);
    } catch (error) {
      throw error instanceof RefusedError ? new LinkLostError(error.message) : error;
    }
  }

  async #byToken(link: Link, names: readonly string[]): Promise<Session | undefined> {
    if (this.#token === undefined) return undefined;
    for (const name of names) {
      const session = await signInWithToken(link, name, this.#token);
      if (session !== undefined) return session;
    }
    return undefined;
  }

  /** For a token that has expired. */
  async #byPassword(
    link: Link,
    names: readonly string[],
    host: string,
  ): Promise<Session | undefined> {
    // Asking on and on would use up the wrong passwords that the account's owner has there.
    if (this.#refusedAt.has(host)) return undefined;
    for (const password of this.#passwords) {
      const session = await signInUnderEither(link, names, password);
      if (session === undefined) continue;
      if ("token" in session) return session;
      this.#refusedAt.set(host, session.sentence);
    }
    return undefined;
  }
}

/** Signs in under the first of these names that the node knows; undefined if it knows none. */
async function signInUnderEither(
  link: Link,
  names: readonly string[],
  password: string,
): Promise<Session | NotAcceptedError | undefined> {
  for (const user of names) {
    try {
      return await signInWithPassword(link, { user, password });
    } catch (error) {
      if (error instanceof WrongPasswordError || error instanceof OneTimeTokenError) {
        return new NotAcceptedError();
      }
      if (error instanceof RefusedError && ENDS_THE_SESSION.includes(error.code)) {
        return new NotAcceptedError(error.sentence);
      }
      if (!(error instanceof NoSuchAccountError)) throw error;
    }
  }
  return undefined;
}

/** Signs in again; undefined if the node does not take the token. */
async function signInWithToken(
  link: Link,
  user: string,
  token: string,
): Promise<Session | undefined> {
  const reply = await link.request({ kind: "resume", payload: [user, token] });
  return reply.kind === "login_failed" ? undefined : payloadOf(reply, "login_success");
}
