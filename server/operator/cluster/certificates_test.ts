// What the library needs, before it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { SERVER_NAME } from "../../../codec/invite.ts";
import { Scratch } from "../../testing/scratch.ts";
import { faultsOf } from "../../tls/identity.ts";
import { type Authority, CertificateError, checkAuthority, type KeyPair } from "./authority.ts";
import { issueCertificate, makeAuthority } from "./certificates.ts";
import { planNodes } from "./plan.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const YEAR_MS = 365 * DAY_MS;
const PATHS = { certificate: "lab/ca.crt", key: "lab/ca.key" };
const NOW_MS = Date.now();

Deno.test("makeAuthority() makes a CA that issues nodes' certificates, for 20 years", async () => {
  const { certificate, key } = await makeAuthority(NOW_MS);
  const ca = new X509Certificate(certificate);
  assertMatch(ca.subject, /^CN=chat CA [0-9a-f]{8}$/);
  assertEquals([ca.issuer, ca.ca, ca.checkIssued(ca)], [ca.subject, true, true]);
  assert(ca.verify(ca.publicKey));
  assert(ca.checkPrivateKey(createPrivateKey(key)));
  assertMatch(key, /^-----BEGIN PRIVATE KEY-----\n/);
  assertValidity(ca, DAY_MS, 20 * YEAR_MS);
  assertEquals(checkAuthority({ certificate, key, paths: PATHS }, NOW_MS), { certificate, key });
  const other = await makeAuthority(NOW_MS);
  assertNotEquals(new X509Certificate(other.certificate).subject, ca.subject);
});

Deno.test("issueCertificate() names the node, the hosts it is called by, and what clients ask for", async () => {
  const authority = await makeAuthority(NOW_MS);
  const ca = new X509Certificate(authority.certificate);
  const cases: Record<string, string> = {
    "node1=10.0.0.1": "IP Address:10.0.0.1",
    "node_2=ship.example.org": "DNS:ship.example.org",
    "n-3=[2001:db8::1]": "IP Address:2001:db8::1",
    "N4=[fe80::1%eth0]": "IP Address:fe80::1",
  };
  for (const [entry, host] of Object.entries(cases)) {
    const { name, pair } = await issue(authority, entry);
    const certificate = new X509Certificate(pair.certificate);
    assertEquals(certificate.subject, `CN=${name}`);
    assertEquals(certificate.subjectAltName, `DNS:${SERVER_NAME}, ${host}`);
    const { extensions } = new x509.X509Certificate(pair.certificate);
    const purposes = extensions.find((it) => it instanceof x509.ExtendedKeyUsageExtension);
    const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
    assertEquals([...purposes?.usages ?? []], [serverAuth, clientAuth]);
    const usage = extensions.find((it) => it instanceof x509.KeyUsagesExtension);
    assertEquals([usage?.usages, usage?.critical], [x509.KeyUsageFlags.digitalSignature, true]);
    assertEquals([certificate.ca, certificate.checkIssued(ca)], [false, true]);
    assert(certificate.verify(ca.publicKey));
    assert(certificate.checkPrivateKey(createPrivateKey(pair.key)));
    assertValidity(certificate, DAY_MS, 5 * YEAR_MS);
    const identity = { cert: pair.certificate, key: pair.key, ca: authority.certificate };
    assertEquals(faultsOf(identity, name, NOW_MS), {});
  }
});

Deno.test("issueCertificate() gives each a serial number of 128 bits that is positive, and a new key", async () => {
  const authority = await makeAuthority(NOW_MS);
  const pairs = await Promise.all(
    Array.from({ length: 50 }, async () => (await issue(authority, "node1=h")).pair),
  );
  const serials = pairs.map(({ certificate }) => new X509Certificate(certificate).serialNumber);
  for (const serial of serials) assertMatch(serial, /^[4-7][0-9A-F]{31}$/);
  assertEquals(new Set(serials).size, pairs.length);
  assertEquals(new Set(pairs.map(({ key }) => key)).size, pairs.length);
});

Deno.test("issueCertificate() issues nothing for longer than the CA is valid", async () => {
  const authority = await makeAuthority(NOW_MS - 19 * YEAR_MS);
  const { pair } = await issue(authority, "node1=h");
  assertEquals(
    new X509Certificate(pair.certificate).validTo,
    new X509Certificate(authority.certificate).validTo,
  );
});

Deno.test("checkAuthority() refuses a CA with another one's key, before its time and after it", async () => {
  const [authority, other] = [await makeAuthority(NOW_MS), await makeAuthority(NOW_MS)];
  const refused = (more: Partial<Authority>, nowMs = NOW_MS) =>
    assertThrows(
      () => checkAuthority({ paths: PATHS, ...authority, ...more }, nowMs),
      CertificateError,
    )
      .message;
  assertStringIncludes(refused({ key: other.key }), "lab/ca.key is not the key of lab/ca.crt");
  assertEquals(refused({ key: "x" }), "Cannot use lab/ca.key: it is no private key in PEM format");
  assertEquals(
    refused({ certificate: authority.key }),
    "Cannot use lab/ca.crt: it is no certificate in PEM format",
  );
  const end = Date.parse(new X509Certificate(authority.certificate).validTo);
  assertMatch(refused({}, end), /^Cannot issue certificates: the CA of lab\/ca.crt is valid from /);
  assertEquals(checkAuthority({ paths: PATHS, ...authority }, end - 1).key, authority.key);
  assertMatch(refused({}, NOW_MS - 2 * DAY_MS), /today is \d{4}-\d\d-\d\d\. If the clock is right/);
});

Deno.test("a client believes a node's certificate by its CA, whatever address it dials", async () => {
  const authority = await makeAuthority(NOW_MS);
  const { pair } = await issue(authority, "node1=ship.example.org");
  await handshake(pair, authority.certificate);
});

Deno.test("a client refuses a certificate of another CA, one that has expired, and another name", async () => {
  const [authority, other] = [await makeAuthority(NOW_MS), await makeAuthority(NOW_MS)];
  const { pair } = await issue(authority, "node1=127.0.0.1");
  const refused = (pair: KeyPair, ca: string, name?: string) =>
    assertRejects(() => handshake(pair, ca, name), Error, "invalid peer certificate");
  await refused(pair, other.certificate);
  await refused(pair, authority.certificate, "other.internal");
  const old = await makeAuthority(NOW_MS - 10 * YEAR_MS);
  const { pair: expired } = await issue(old, "node1=127.0.0.1", NOW_MS - 6 * YEAR_MS);
  await refused(expired, old.certificate);
});

Deno.test({
  name: "openssl verifies a node's certificate as a server's and as a client's, by strict rules",
  ignore: !await hasOpenssl(),
  async fn() {
    const authority = await makeAuthority(NOW_MS);
    const { pair } = await issue(authority, "node_1=127.0.0.1");
    await using scratch = await Scratch.make();
    const [ca, node] = [
      await scratch.write(authority.certificate),
      await scratch.write(pair.certificate),
    ];
    for (const purpose of ["sslserver", "sslclient"]) {
      const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", ca, node];
      const { code, stdout } = await new Deno.Command("openssl", { args }).output();
      assertEquals([code, new TextDecoder().decode(stdout)], [0, `${node}: OK\n`]);
    }
    const args = ["x509", "-in", ca, "-noout", "-text"];
    const text = new TextDecoder().decode(
      (await new Deno.Command("openssl", { args }).output()).stdout,
    );
    assertMatch(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
    assertMatch(text, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    assertStringIncludes(text, "prime256v1");
    assertStringIncludes(text, "ecdsa-with-SHA256");
  },
});

async function issue(
  authority: Authority,
  entry: string,
  nowMs = NOW_MS,
): Promise<{ name: string; pair: KeyPair }> {
  const [node] = planNodes(entry, "--nodes");
  if (node === undefined) throw new Error("Cannot issue a certificate for nobody");
  return { name: node.name, pair: await issueCertificate(authority, node, nowMs) };
}

/** One byte from a server with this certificate, to a client that believes this CA. */
async function handshake(pair: KeyPair, ca: string, hostname = SERVER_NAME): Promise<void> {
  const { certificate: cert, key } = pair;
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const serve = async () => {
    using connection = await listener.accept();
    await connection.handshake();
    await connection.write(Uint8Array.of(7));
  };
  const ask = async () => {
    const { port } = listener.addr;
    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    using connection = await Deno.startTls(plain, { hostname, caCerts: [ca] });
    await connection.handshake();
    const byte = new Uint8Array(1);
    await connection.read(byte);
    assertEquals(byte, Uint8Array.of(7));
  };
  const [asked] = await Promise.allSettled([ask(), serve()]);
  if (asked.status === "rejected") throw asked.reason;
}

function assertValidity(certificate: X509Certificate, beforeMs: number, afterMs: number): void {
  const [from, to] = [certificate.validFrom, certificate.validTo].map(Date.parse);
  // Certificates have whole seconds.
  assertLess(Math.abs((from ?? 0) - (NOW_MS - beforeMs)), 1000);
  assertLess(Math.abs((to ?? 0) - (NOW_MS + afterMs)), 1000);
  assertGreater(to ?? 0, NOW_MS);
}

async function hasOpenssl(): Promise<boolean> {
  try {
    return (await new Deno.Command("openssl", { args: ["version"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
