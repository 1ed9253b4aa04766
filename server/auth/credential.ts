import { isStoredPassword } from "./password.ts";

/**
 * What an account's stored text says of how its owner signs in. It is kept where a password's hash is,
 * and written by the operations that there always were: `account_created` and `password_changed`. With
 * an operation of its own, a node of an older version would pass a disabling on without understanding
 * it, and let its owner in; two kinds of change to one thing would need an order between them; and
 * snapshots, digests, exports and imports would have to learn another field. As it is, a node of an older version
 * takes a text that it does not know for a hash that no password matches, sessions and tokens end where the text
 * changes, and of two texts that are written at once the same one wins everywhere.
 */
export type Credential = UsableCredential | {
  readonly state: "disabled";
  /** What it was before, and will be again. */
  readonly held: UsableCredential;
};

export type UsableCredential =
  | { readonly state: "password"; readonly hash: string }
  /** A token in the place of a password: good once, for choosing one. */
  | { readonly state: "one_time"; readonly hash: string; readonly expiresMs: number };

const ONE_TIME = /^once\$([1-9]\d{0,15})\$(.*)$/s;
const DISABLED = "disabled$";

/**
 * The operator's word outranks what the user changes at the same time on the other side of a partition,
 * so often as no user changes a password.
 */
export const OPERATOR_RANK = 1_000_000;
/** A disabling outranks resets, too, however many were made and used on the other side. */
export const DISABLING_RANK = 1000 * OPERATOR_RANK;

/** Reads any text: one of no known form is a hash that nothing matches. */
export function parseCredential(stored: string): Credential {
  return stored.startsWith(DISABLED)
    ? { state: "disabled", held: parseUsable(stored.slice(DISABLED.length)) }
    : parseUsable(stored);
}

function parseUsable(stored: string): UsableCredential {
  const [, expiry, hash] = ONE_TIME.exec(stored) ?? [];
  if (expiry === undefined || hash === undefined) return { state: "password", hash: stored };
  return { state: "one_time", hash, expiresMs: Number(expiry) };
}

export function formatCredential(credential: Credential): string {
  switch (credential.state) {
    case "password":
      return credential.hash;
    case "one_time":
      return `once$${credential.expiresMs}$${credential.hash}`;
    case "disabled":
      return DISABLED + formatCredential(credential.held);
    default:
      return credential satisfies never;
  }
}

/** What a secret is compared with, whether or not it would let anybody in. */
export function usableIn(credential: Credential): UsableCredential {
  return credential.state === "disabled" ? credential.held : credential;
}

/**
 * A credential that is in force again. `mark`, small letters and digits, makes the text another one than before: the
 * sessions and tokens that a disabling has ended stay ended.
 */
export function renewed(held: UsableCredential, mark: string): UsableCredential {
  const parts = held.hash.split("$");
  return { ...held, hash: [...parts.slice(0, HASH_PARTS), mark].join("$") };
}

/** Of `scrypt$N$r$p$salt$hash`. */
const HASH_PARTS = 6;

/** Whether a text is one that this program makes, and can be checked without harm. */
export function isStoredCredential(stored: string): boolean {
  return isStoredPassword(usableIn(parseCredential(stored)).hash);
}
