import { createHmac, timingSafeEqual } from "node:crypto";
import type { Account } from "../core/account_table.ts";
import type { AccountId } from "../core/operation.ts";

/** How long a token signs in, in ms. Each RESUME gives a new one. */
export const TOKEN_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * A token that signs `account` in again on any node: its incarnation and an expiry, with an HMAC
 * keyed by its stored password hash. A changed password or a deleted account ends it everywhere,
 * and no node has to remember it.
 */
export function issueToken(account: Account, nowMs: number): string {
  const claims = `${account.id}.${(nowMs + TOKEN_LIFETIME_MS).toString(36)}`;
  return `${claims}.${sign(claims, account).toString("base64url")}`;
}

/** The account id a token speaks of, believed only after {@linkcode isTokenOf}. */
export function accountIdIn(token: string): AccountId {
  return token.slice(0, token.indexOf("."));
}

/**
 * Whether `token` was issued for this account's present password, and still holds. For no account it takes
 * the same work, and says no.
 */
export function isTokenOf(account: Account | undefined, token: string, nowMs: number): boolean {
  const [id, expiry, signature, ...rest] = token.split(".");
  if (id === undefined || expiry === undefined || signature === undefined || rest.length > 0) {
    return false;
  }
  const expected = mac(account?.password?.hash ?? NO_HASH, `${id}.${expiry}`);
  const found = new TextEncoder().encode(signature);
  const wanted = new TextEncoder().encode(expected.toString("base64url"));
  if (found.length !== wanted.length || !timingSafeEqual(found, wanted)) return false;
  return account?.id === id && account.password !== undefined && parseInt(expiry, 36) > nowMs;
}

/** As long as the hash of a password. */
const NO_HASH = "-".repeat(88);

function sign(claims: string, account: Account): ReturnType<typeof mac> {
  if (account.password === undefined) throw new Error(`Cannot sign for ${account.id}: no password`);
  return mac(account.password.hash, claims);
}

function mac(key: string, text: string) {
  return createHmac("sha256", key).update(text).digest();
}
