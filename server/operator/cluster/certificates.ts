// Has to be there before the library, which declares the fields of certificates by it.
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { isIP } from "node:net";
import { SERVER_NAME } from "../../../codec/invite.ts";
import type { NodeConfig } from "../../config.ts";
import type { Authority, KeyPair } from "./authority.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_MS = 20 * 365 * DAY_MS;
const NODE_MS = 5 * 365 * DAY_MS;
/** The clock of a machine that is to believe a certificate may be behind this one's. */
const BEFORE_MS = DAY_MS;
const SERIAL_BYTES = 16;
const AUTHORITY_NAME_BYTES = 4;
const KEYS = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;

/** A new CA, which issues certificates of nodes and nothing below them. */
export async function makeAuthority(nowMs: number): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(KEYS, true, ["sign", "verify"]);
  const id = crypto.getRandomValues(new Uint8Array(AUTHORITY_NAME_BYTES)).toHex();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: commonName(`chat CA ${id}`),
    notBefore: new Date(nowMs - BEFORE_MS),
    notAfter: new Date(nowMs + AUTHORITY_MS),
    keys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return await pemOf(certificate, keys.privateKey);
}

/**
 * A certificate for a node, with a key of its own: the others know it by its name, clients by
 * {@linkcode SERVER_NAME}. It ends with the CA's, if that ends before.
 */
export async function issueCertificate(
  authority: Authority,
  { name, tcp, grpc }: NodeConfig,
  nowMs: number,
): Promise<KeyPair> {
  const issuer = new X509Certificate(authority.certificate);
  const signingKey = await crypto.subtle.importKey(
    "pkcs8",
    PemConverter.decodeFirst(authority.key),
    KEYS,
    false,
    ["sign"],
  );
  const keys = await crypto.subtle.generateKey(KEYS, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: commonName(name),
    issuer: issuer.subjectName,
    notBefore: new Date(nowMs - BEFORE_MS),
    notAfter: new Date(Math.min(nowMs + NODE_MS, issuer.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([
        { type: "dns", value: SERVER_NAME },
        ...[...new Set([tcp.host, grpc.host])].map(generalName),
      ]),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return await pemOf(certificate, keys.privateKey);
}

function generalName(host: string): JsonGeneralName {
  // The part after % is the name of an interface, of which only its own machine knows.
  const [address = ""] = host.split("%");
  return isIP(address) === 0 ? { type: "dns", value: host } : { type: "ip", value: address };
}

/** UTF-8, as the narrower kind of string, which has no underscore, would be for some names only. */
function commonName(text: string): Name {
  return new Name([{ CN: [{ utf8String: text }] }]);
}

/** Positive, and of as many bytes as it has: no leading one may be dropped, or has to be added. */
function newSerial(): string {
  const [first = 0, ...others] = crypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  return Uint8Array.of(first & 0x7f | 0x40, ...others).toHex();
}

async function pemOf(certificate: X509Certificate, key: CryptoKey): Promise<KeyPair> {
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", key);
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: `${PemConverter.encode(pkcs8, PemConverter.PrivateKeyTag)}\n`,
  };
}
