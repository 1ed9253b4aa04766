import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { formatInvite, parseInvite } from "./invite.ts";

const HOSTS = ["10.0.0.1:9001", "ship.example.org:9002", "[::1]:9003"];
/** Not of a certificate, but with every character that base64 has, and padding. */
const BYTES = Uint8Array.from({ length: 400 }, (_, index) => index * 89 % 256);

Deno.test("parseInvite() reads what formatInvite() made, with an invitation and without", () => {
  for (const length of [397, 398, 399, 400]) {
    const ca = pem(BYTES.subarray(0, length));
    for (const more of [{}, { invitation: "invite.abc-1.d_e.F" }]) {
      const invite = { hosts: HOSTS, ca, ...more };
      const text = formatInvite(invite);
      assertMatch(text, /^chat:\/\/[\w.:,[\]/-]+$/);
      assertEquals(parseInvite(text), invite);
      assertEquals(parseInvite(`  ${text}\r\n`), invite);
    }
  }
});

Deno.test("formatInvite() takes one certificate, and nothing else", () => {
  const ca = pem(BYTES);
  assertEquals(formatInvite({ hosts: HOSTS, ca: ca.replaceAll("\n", "\r\n") }).length > 400, true);
  for (const wrong of ["", "x", ca + ca, ca.replaceAll("CERTIFICATE", "PRIVATE KEY")]) {
    assertThrows(() => formatInvite({ hosts: HOSTS, ca: wrong }), RangeError);
  }
});

Deno.test("parseInvite() refuses what is no invite", () => {
  const wrong = [
    ...["", "chat://", "chat:///AAAA", "chat://a:1", "chat://a:1/", "https://a:1/AAAA"],
    ...["chat://a:1/A AA", "chat://a:1/AAAA/", "chat://a:1/AAAA/x y", "chat://a:1/AAAA/x/y"],
    `chat://a:1/${"A".repeat(16 * 1024)}`,
  ];
  for (const text of wrong) assertEquals(parseInvite(text), undefined, text);
});

function pem(der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
