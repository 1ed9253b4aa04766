import type { RequestPayload } from "../../codec/message.ts";
import { formatCredential } from "../auth/credential.ts";
import { INVITATION_PREFIX } from "../auth/invitation.ts";
import { typedToken } from "../auth/one_time_token.ts";
import { type Outcome, refuse, type RequestContext } from "./context.ts";
import { isClaimable, NAME_RULE, usualName } from "./name.ts";
import {
  accountDisabled,
  LOGIN_FAILED,
  passwordFault,
  prove,
  signedInAnew,
  signUp,
  signUpRefusal,
  tooManyAttempts,
  unlessBusy,
  whoMayBeMeant,
} from "./sign_in.ts";

/** Signs in with a password that is chosen now, by what the operator gave. */
export async function redeem(
  context: RequestContext,
  { user, token, password }: RequestPayload<"redeem">,
): Promise<Outcome> {
  const name = usualName(user);
  if (name === undefined) return refuse("bad_name", NAME_RULE);
  const fault = passwordFault(password);
  if (fault !== undefined) return refuse("bad_password", `the new password is no good: ${fault}`);
  if (token.startsWith(INVITATION_PREFIX)) {
    return await signUpInvited(context, name, { invitation: token, password });
  }
  if (typedToken(password) === typedToken(token)) {
    return refuse("bad_password", "the new password has to be another than the one-time token");
  }
  return await choosePassword(context, name, { token, password });
}

/**
 * An invitation is nothing to guess and takes no hash to check, but whoever tries some in a row waits as
 * with passwords.
 */
async function signUpInvited(
  context: RequestContext,
  name: string,
  { invitation, password }: { readonly invitation: string; readonly password: string },
): Promise<Outcome> {
  const { registration, attempts, session: { address } } = context;
  if (registration.mode === "closed") return signUpRefusal(context) ?? LOGIN_FAILED;
  const attempt = await attempts.begin(name, address);
  if (attempt.waitMs > 0) return tooManyAttempts(attempt.waitMs);
  const check = registration.check(invitation);
  if (check === "none") return refuse("bad_invitation", "this is no invitation of this system");
  // It was one, and proves nothing about who has an account.
  attempt.abandoned();
  if (check === "expired") {
    return refuse(
      "bad_invitation",
      "this invitation has expired: ask the operator for another one",
    );
  }
  const taken = refuse("name_taken", "somebody else has this name");
  if (context.state.accounts.named(name) !== undefined) return taken;
  if (!isClaimable(name)) return refuse("bad_name", NAME_RULE);
  return await signUp(context, name, password, taken);
}

async function choosePassword(
  context: RequestContext,
  name: string,
  { token, password }: { readonly token: string; readonly password: string },
): Promise<Outcome> {
  const { attempts, session: { address } } = context;
  const attempt = await attempts.begin(name, address);
  if (attempt.waitMs > 0) return tooManyAttempts(attempt.waitMs);
  // Nobody's token: not worth hashing.
  if (passwordFault(token) !== undefined) return LOGIN_FAILED;
  for (const account of whoMayBeMeant(context.state.accounts, name)) {
    const proven = await prove(context, account, token);
    if ("kind" in proven) {
      attempt.abandoned();
      return proven;
    }
    const { credential } = proven;
    // A password is no token: whoever knows it signs in, and then changes it.
    if (credential === undefined || credential.state === "password") continue;
    attempt.succeeded();
    if (credential.state === "disabled") return accountDisabled();
    const hash = await unlessBusy(() => context.passwords.hash(password, address));
    if (typeof hash !== "string") return hash;
    // Of several who have the token, one is first; and the operator may have changed their mind.
    if (account?.password?.hash !== formatCredential(credential)) return LOGIN_FAILED;
    const version = account.password.version + 1;
    context.submit({ kind: "password_changed", account: account.id, password: hash, version });
    return signedInAnew(context, account);
  }
  return LOGIN_FAILED;
}
