import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/**
 * An invitation lets whoever has it make an account, any number of them, until it expires:
 * `invite.EXPIRY.RANDOM.SIGNATURE`, with the expiry in ms since 1970 in base 36, 16 random bytes and the
 * signature in base64url. The key of the cluster's CA signs it: ECDSA over P-256 with SHA-256, of the
 * text that is made of {@linkcode PURPOSE} and all before the last dot, as the 64 bytes of IEEE P1363.
 * Every node can check it by the CA's certificate alone, and none has to remember it.
 */
export const INVITATION_PREFIX = "invite.";

/** The same key signs certificates: nothing that it signs for one purpose may serve another. */
const PURPOSE = "chat-invitation:";
const RANDOM_BYTES = 16;
const SIGNATURE_BYTES = 64;
const FORM = /^(invite\.([0-9a-z]{1,10})\.[\w-]{22})\.([\w-]{86})$/;

export type InvitationCheck = "good" | "expired" | "none";

export interface InvitationTerms {
  /** ms since 1970. */
  readonly expiresMs: number;
  /** 16 bytes that nobody can guess. */
  readonly random: Uint8Array;
}

/** Makes an invitation, by the CA's private key as PEM. Throws RangeError if `random` is too short. */
export function signInvitation(caKeyPem: string, { expiresMs, random }: InvitationTerms): string {
  if (random.length !== RANDOM_BYTES) {
    throw new RangeError(`Cannot make an invitation of ${random.length} random bytes`);
  }
  const secret = Buffer.from(random).toString("base64url");
  const terms = `${INVITATION_PREFIX}${expiresMs.toString(36)}.${secret}`;
  const key = createPrivateKey(caKeyPem);
  const signature = sign("sha256", signed(terms), { key, dsaEncoding: "ieee-p1363" });
  return `${terms}.${signature.toString("base64url")}`;
}

/** The key by which invitations are checked, of the CA's certificate as PEM. */
export function invitationKeyOf(caCertificatePem: string): KeyObject {
  return createPublicKey(caCertificatePem);
}

/** Whether `text` is an invitation of the CA that has this key. */
export function verifyInvitation(
  text: string,
  caPublicKey: KeyObject,
  nowMs: number,
): InvitationCheck {
  const [, terms, expiry, signature] = FORM.exec(text) ?? [];
  if (terms === undefined || expiry === undefined || signature === undefined) return "none";
  const bytes = Buffer.from(signature, "base64url");
  // Two texts of one signature would be no harm; that there is only one is simpler to reason about.
  if (bytes.length !== SIGNATURE_BYTES || bytes.toString("base64url") !== signature) return "none";
  const key = { key: caPublicKey, dsaEncoding: "ieee-p1363" } as const;
  if (!verify("sha256", signed(terms), key, bytes)) return "none";
  return parseInt(expiry, 36) > nowMs ? "good" : "expired";
}

function signed(terms: string): Uint8Array {
  return new TextEncoder().encode(PURPOSE + terms);
}
