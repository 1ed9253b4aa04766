import { assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { TestAuthority } from "../testing/test_authority.ts";
import { invitationKeyOf, signInvitation, verifyInvitation } from "./invitation.ts";

const EXPIRES_MS = 1_795_000_000_000;
const RANDOM = new Uint8Array(16).fill(7);
const CA_KEY = newKey();
const KEY = createPublicKey(CA_KEY);
const invitation = signInvitation(CA_KEY, { expiresMs: EXPIRES_MS, random: RANDOM });

Deno.test("verifyInvitation() takes what the CA of this certificate signed, until it expires", () => {
  const [word, expiry, random, signature = ""] = invitation.split(".");
  assertEquals([word, expiry, random], [
    "invite",
    EXPIRES_MS.toString(36),
    Buffer.from(RANDOM).toString("base64url"),
  ]);
  assertEquals(Buffer.from(signature, "base64url").length, 64);
  assertEquals(verifyInvitation(invitation, KEY, EXPIRES_MS - 1), "good");
  assertEquals(verifyInvitation(invitation, KEY, EXPIRES_MS), "expired");
});

Deno.test("verifyInvitation() refuses every invitation that is altered in one character", () => {
  for (let at = 0; at < invitation.length; at++) {
    for (const other of ["A", "b", ".", "7", "_", "="]) {
      if (other === invitation[at]) continue;
      const altered = invitation.slice(0, at) + other + invitation.slice(at + 1);
      assertEquals(verifyInvitation(altered, KEY, 0), "none", altered);
    }
  }
});

Deno.test("verifyInvitation() refuses texts of other forms, other keys and other purposes", () => {
  const terms = invitation.slice(0, invitation.lastIndexOf("."));
  const signedAs = (text: string) => {
    const key = { key: CA_KEY, dsaEncoding: "ieee-p1363" } as const;
    const signature = sign("sha256", new TextEncoder().encode(text), key);
    return `${terms}.${signature.toString("base64url")}`;
  };
  assertEquals(verifyInvitation(signedAs(`chat-invitation:${terms}`), KEY, 0), "good");
  for (
    const text of [
      "",
      "invite.",
      terms,
      `${invitation}.`,
      `${invitation}\n`,
      ` ${invitation}`,
      invitation.toUpperCase(),
      signedAs(terms),
      signInvitation(newKey(), { expiresMs: EXPIRES_MS, random: RANDOM }),
      "invite.".padEnd(4000, "a"),
    ]
  ) {
    assertEquals(verifyInvitation(text, KEY, 0), "none", text);
  }
  assertThrows(
    () => signInvitation(CA_KEY, { expiresMs: 1, random: new Uint8Array(15) }),
    RangeError,
  );
});

Deno.test("invitationKeyOf() is the key in a CA's certificate", async () => {
  const authority = await TestAuthority.make();
  const text = await authority.invite(EXPIRES_MS);
  assertEquals(verifyInvitation(text, invitationKeyOf(authority.certificate), 0), "good");
  assertEquals(verifyInvitation(text, KEY, 0), "none");
});

/** As PEM. */
function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}
