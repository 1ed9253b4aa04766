import type { ReplyPayload } from "../../codec/message.ts";
import { NoSuchAccountError, RefusedError, WrongPasswordError } from "./errors.ts";
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
  }
  | { readonly user: string; readonly token: string };

/** A node that was reached does not take a session's token or passwords. */
export class NotAcceptedError extends Error {
  override readonly name = "NotAcceptedError";
}

/** Whether there is an account of this name. Begins a sign-in. */
export async function lookUp(link: Link, user: string): Promise<boolean> {
  const reply = await link.request({ kind: "login_name", payload: user });
  if (reply.kind === "user_existing") return true;
  if (reply.kind === "user_not_existing") return false;
  throw unexpected(reply);
}

/**
 * Signs in. Throws {@linkcode NoSuchAccountError} before a password is sent if the account is to
 * be created and `create` does not allow it, and {@linkcode WrongPasswordError}.
 */
export async function signInWithPassword(
  link: Link,
  { user, password, create = false }: Extract<Credentials, { readonly password: string }>,
): Promise<Session> {
  if (!await lookUp(link, user) && !create) throw new NoSuchAccountError(user);
  const reply = await link.request({ kind: "login_password", payload: password });
  if (reply.kind === "login_failed") throw new WrongPasswordError(user);
  return payloadOf(reply, "login_success");
}

/** What a client keeps to sign in again, on any node. */
export class Keyring {
  readonly user: string;
  #token: string | undefined;
  #passwords: readonly string[];

  constructor(user: string, passwords: readonly string[], token?: string) {
    this.user = user;
    this.#passwords = passwords;
    this.#token = token;
  }

  set token(token: string) {
    this.#token = token;
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
  async signIn(link: Link): Promise<Session> {
    if (this.#token !== undefined) {
      const session = await signInWithToken(link, this.user, this.#token);
      if (session !== undefined) return session;
    }
    for (const password of this.#passwords) {
      try {
        return await signInWithPassword(link, { user: this.user, password });
      } catch (error) {
        if (error instanceof NoSuchAccountError) break;
        if (!(error instanceof WrongPasswordError)) throw error;
      }
    }
    throw new NotAcceptedError("it does not take the session");
  }

  /** Like {@linkcode signIn}, but a refusal only counts against this node: others may do better. */
  async resume(link: Link): Promise<Session> {
    try {
      return await this.signIn(link);
    } catch (error) {
      throw error instanceof RefusedError ? new LinkLostError(error.message) : error;
    }
  }
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
