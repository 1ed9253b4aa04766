import type { Reply } from "../../codec/message.ts";
import type { Account, AccountTable } from "../core/account_table.ts";
import { type Credential, parseCredential, usableIn } from "../auth/credential.ts";
import { typedToken } from "../auth/one_time_token.ts";
import {
  HashQueueFullError,
  PASSWORD_BYTES_MAX,
  PASSWORD_CHARACTERS_MIN,
} from "../auth/password.ts";
import { accountIdIn, issueToken, isTokenOf } from "../auth/token.ts";
import { done, type Outcome, refuse, type RequestContext, slowDown } from "./context.ts";
import { isClaimable, NAME_RULE, usualName } from "./name.ts";

type LoginSuccess = Extract<Reply, { kind: "login_success" }>;

/** So many accounts that lost a name are looked at: each costs a hash. */
const LOSERS_MAX = 2;

export const LOGIN_FAILED: Reply = { kind: "login_failed", payload: null };

export function loginName(context: RequestContext, text: string): Outcome {
  const name = usualName(text);
  const existed = name !== undefined && context.state.accounts.named(name) !== undefined;
  if (name === undefined || (!existed && !isClaimable(name))) return refuse("bad_name", NAME_RULE);
  context.session.claimed = { name, existed };
  return existed
    ? { kind: "user_existing", payload: null }
    : { kind: "user_not_existing", payload: null };
}

/**
 * Signs in, or signs up if the name was free when LOGIN_NAME asked. If that has changed since, it
 * fails: nobody gets an account they were not told of, and nobody else's.
 */
export async function loginPassword(context: RequestContext, password: string): Promise<Outcome> {
  const { claimed, address } = context.session;
  if (claimed === undefined) return refuse("bad_request", "send LOGIN_NAME before LOGIN_PASSWORD");
  const fault = passwordFault(password);
  if (!claimed.existed) {
    const refusal = signUpRefusal(context);
    if (refusal !== undefined) return refusal;
    if (fault !== undefined) return refuse("bad_password", fault);
    context.session.claimed = undefined;
    return await signUp(context, claimed.name, password);
  }
  const attempt = await context.attempts.begin(claimed.name, address);
  if (attempt.waitMs > 0) return tooManyAttempts(attempt.waitMs);
  // Nobody's password: not worth hashing, and wrong whoever it is for.
  if (fault !== undefined) return LOGIN_FAILED;
  for (const account of whoMayBeMeant(context.state.accounts, claimed.name)) {
    const proven = await prove(context, account, password);
    if ("kind" in proven) {
      attempt.abandoned();
      return proven;
    }
    const { credential } = proven;
    if (credential === undefined || account === undefined) continue;
    attempt.succeeded();
    switch (credential.state) {
      case "password":
        return unlessTooMany(context, account);
      case "one_time":
        return refuse("choose_password", "this was a one-time token: choose a password with it");
      case "disabled":
        return accountDisabled();
      default:
        return credential satisfies never;
    }
  }
  return LOGIN_FAILED;
}

/**
 * The credential that a secret has proven: of this account, as it is now. Every account takes the same
 * work, whatever its state, and so does none; and a token that has expired is a wrong password.
 */
export async function prove(
  context: RequestContext,
  account: Account | undefined,
  secret: string,
): Promise<{ readonly credential: Credential | undefined } | Reply> {
  const stored = account?.password?.hash;
  const credential = stored === undefined ? undefined : parseCredential(stored);
  const usable = credential && usableIn(credential);
  const typed = usable?.state === "one_time" ? typedToken(secret) : secret;
  const { address } = context.session;
  const matched = await unlessBusy(() => context.passwords.matches(typed, usable?.hash, address));
  if (typeof matched !== "boolean") return matched;
  // Both may have changed while the secret was being hashed.
  const isPresent = account?.deleted === false && account.password?.hash === stored;
  const hasExpired = usable?.state === "one_time" && usable.expiresMs <= context.nowMs();
  return { credential: matched && isPresent && !hasExpired ? credential : undefined };
}

export function accountDisabled(): Reply {
  return refuse("account_disabled", "the operator has disabled this account");
}

/** Why nobody may sign up who has no invitation; undefined if anybody may. */
export function signUpRefusal({ registration: { mode } }: RequestContext): Reply | undefined {
  switch (mode) {
    case "open":
      return undefined;
    case "invite":
      return refuse("invitation_needed", "only who has an invitation may make an account here");
    case "closed":
      return refuse("registration_closed", "ask the operator for an account");
    default:
      return mode satisfies never;
  }
}

/**
 * The owner of a name, and then whoever lost it to an earlier claim on another node: they know it by
 * nothing else, and LOGIN_SUCCESS tells them their alias. Nobody is one account whose password is
 * wrong.
 */
export function whoMayBeMeant(accounts: AccountTable, name: string): (Account | undefined)[] {
  const owner = accounts.named(name);
  const losers = accounts.claimantsOf(name)
    .filter((one) => one !== owner && accounts.existing(one.id) !== undefined);
  return [owner, ...losers.slice(0, LOSERS_MAX)];
}

export function resume(context: RequestContext, [text, token]: readonly [string, string]): Outcome {
  const name = usualName(text);
  const account = context.state.accounts.existing(accountIdIn(token));
  const isGenuine = isTokenOf(account, token, context.nowMs());
  if (!isGenuine || name === undefined || account === undefined) return LOGIN_FAILED;
  // A name that was lost to an earlier claim still signs in with the token of its account.
  const isTheirs = name === context.state.accounts.nameOf(account) || name === account.claim?.name;
  if (!isTheirs || account.password === undefined) return LOGIN_FAILED;
  // Nobody was ever given a token for one that is something else: this does not rest on that.
  if (parseCredential(account.password.hash).state !== "password") return LOGIN_FAILED;
  context.attempts.nowFamiliar(name, context.session.address);
  return unlessTooMany(context, account);
}

export function logout(context: RequestContext): Outcome {
  context.session.signOut();
  return { ...done(1), of: "everything", isPrompt: true };
}

export async function changePassword(
  context: RequestContext,
  [oldPassword, newPassword]: readonly [string, string],
  account: Account,
): Promise<Outcome> {
  const fault = passwordFault(newPassword);
  if (fault !== undefined) return refuse("bad_password", `the new password is no good: ${fault}`);
  const name = context.state.accounts.nameOf(account);
  const { address } = context.session;
  const attempt = await context.attempts.begin(name, address);
  if (attempt.waitMs > 0) return tooManyAttempts(attempt.waitMs);
  const stored = account.password?.hash;
  const hash = await unlessBusy(async () => {
    // Whoever is signed in has a password: in any other state their session has ended.
    const matched = passwordFault(oldPassword) === undefined &&
      await context.passwords.matches(oldPassword, stored, address);
    return matched ? await context.passwords.hash(newPassword, address) : undefined;
  });
  if (typeof hash === "object") {
    attempt.abandoned();
    return hash;
  }
  if (hash === undefined || account.deleted || account.password?.hash !== stored) {
    return refuse("wrong_password", "the old password is not right");
  }
  attempt.succeeded();
  context.session.renewCredential(hash);
  const version = (account.password?.version ?? 0) + 1;
  context.submit({ kind: "password_changed", account: account.id, password: hash, version });
  // The token of the old password is dead, here and everywhere.
  const token = issueToken(account, context.nowMs());
  return { withCopies: (copies) => ({ kind: "done", payload: { count: 1, copies, token } }) };
}

export function deleteAccount(context: RequestContext, account: Account): Outcome {
  context.session.signOut();
  context.submit({ kind: "account_deleted", account: account.id });
  return done(1);
}

/** `taken` if somebody else was quicker. */
export async function signUp(
  context: RequestContext,
  name: string,
  password: string,
  taken = LOGIN_FAILED,
): Promise<Outcome> {
  const { address } = context.session;
  const waitMs = context.signUps.take(address);
  if (waitMs > 0) return slowDown("too many accounts are created from your address", waitMs);
  const hash = await unlessBusy(() => context.passwords.hash(password, address));
  if (typeof hash !== "string") return hash;
  const { accounts } = context.state;
  if (accounts.named(name) !== undefined) return taken;
  const account = context.newAccountId();
  const generation = accounts.nextGeneration(name);
  context.submit({ kind: "account_created", account, name, generation, password: hash });
  return signedInAnew(context, accounts.get(account));
}

/** What is told to an account is told to each of its connections: one has no thousand of them. */
function unlessTooMany(context: RequestContext, account: Account): Outcome {
  if (!context.session.isOneTooMany(account)) return signedIn(context, account);
  return refuse("too_many_connections", "this account has as many connections as it may");
}

/** Signs in by a password that was stored just now: it says on how many nodes. */
export function signedInAnew(context: RequestContext, account: Account): Outcome {
  const { kind, payload } = signedIn(context, account);
  return { withCopies: (copies) => ({ kind, payload: { ...payload, copies } }) };
}

function signedIn(context: RequestContext, account: Account): LoginSuccess {
  context.session.claimed = undefined;
  context.session.signIn(account);
  const { node, state } = context;
  const user = state.accounts.nameOf(account);
  // By what a key's age is told.
  const time = context.stampMs();
  const token = issueToken(account, context.nowMs());
  return { kind: "login_success", payload: { user, node, unread: account.unread, token, time } };
}

/** What is wrong with a password, without looking at what it is; undefined if nothing is. */
export function passwordFault(password: string): string | undefined {
  if ([...password].length < PASSWORD_CHARACTERS_MIN) {
    return `a password has at least ${PASSWORD_CHARACTERS_MIN} characters`;
  }
  if (new TextEncoder().encode(password).length > PASSWORD_BYTES_MAX) {
    return `a password has at most ${PASSWORD_BYTES_MAX} bytes`;
  }
  return undefined;
}

export async function unlessBusy<T>(work: () => Promise<T>): Promise<T | Reply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HashQueueFullError)) throw error;
    return refuse("busy", "too many are signing in at once, try again in a few seconds");
  }
}

export function tooManyAttempts(waitMs: number): Reply {
  const seconds = Math.ceil(waitMs / 1000);
  return refuse("too_many_attempts", `too many wrong passwords, try again in ${seconds} s`);
}
