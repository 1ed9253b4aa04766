import { createPrivateKey, X509Certificate } from "node:crypto";
import { SERVER_NAME } from "../../codec/invite.ts";

/** What a node shows of itself, and whom it believes: texts in PEM. */
export interface NodeIdentity {
  /** Its certificate: the subject's common name (CN) is the node's name. */
  readonly cert: string;
  /** The certificate's private key. */
  readonly key: string;
  /** The certificate of the cluster's CA, which issued those of all nodes. */
  readonly ca: string;
}

/** Certificates that are valid for less than this are warned of, in ms. */
const EXPIRY_WARNING_MS = 30 * 24 * 60 * 60 * 1000;

/** What is wrong with the identity of the node called `name`, by the field that is at fault. */
export type IdentityFaults = { readonly [F in keyof NodeIdentity]?: string };

/**
 * Whether others would believe the identity of the node called `name`: better said at its start than
 * by each of them.
 */
export function faultsOf(identity: NodeIdentity, name: string, nowMs: number): IdentityFaults {
  const cert = parsed(identity.cert, (pem) => new X509Certificate(pem));
  const ca = parsed(identity.ca, (pem) => new X509Certificate(pem));
  const key = parsed(identity.key, createPrivateKey);
  if (cert === undefined || ca === undefined || key === undefined) {
    return {
      ...cert === undefined && { cert: "expected a certificate in PEM" },
      ...key === undefined && { key: "expected a private key in PEM" },
      ...ca === undefined && { ca: "expected a certificate in PEM" },
    };
  }
  const certFault = certificateFault(cert, name, nowMs) ?? issuerFault(cert, ca);
  const caFault = ca.ca ? timeFault(ca, nowMs) : "expected the certificate of a CA";
  const isPair = cert.checkPrivateKey(key);
  return {
    ...certFault !== undefined && { cert: certFault },
    ...!isPair && { key: "expected the key of the certificate, found another one" },
    ...caFault !== undefined && { ca: caFault },
  };
}

/** When the first of the certificates that an identity is made of expires, in ms since 1970. */
export function expiryMsOf({ cert, ca }: NodeIdentity): number {
  return Math.min(...[cert, ca].map((pem) => Date.parse(new X509Certificate(pem).validTo)));
}

/** What an operator is to be told some time before an identity expires; nothing before. */
export function expiryWarning(identity: NodeIdentity, nowMs: number): string | undefined {
  const expiryMs = expiryMsOf(identity);
  if (expiryMs - nowMs > EXPIRY_WARNING_MS) return undefined;
  const day = new Date(expiryMs).toISOString().slice(0, 10);
  return `its certificate ${nowMs > expiryMs ? "expired" : "expires"} on ${day}: renew it`;
}

/** Whose certificate it is: its subject's only common name. Undefined if it names nobody. */
export function nodeNamedIn({ subject }: CertifiedSubject): string | undefined {
  const name = subject?.CN;
  return typeof name === "string" ? name : undefined;
}

/** The part of `tls.PeerCertificate` that says who it is. */
export interface CertifiedSubject {
  readonly subject?: { readonly CN?: string | readonly string[] };
}

function certificateFault(cert: X509Certificate, name: string, nowMs: number): string | undefined {
  const found = nodeNamedIn(cert.toLegacyObject());
  if (found !== name) {
    return `expected the certificate of ${name} (by its common name, CN), found ` +
      (found === undefined ? "nobody's" : `that of ${found}`);
  }
  if (cert.checkHost(SERVER_NAME) === undefined) {
    return `expected DNS:${SERVER_NAME} among the names it is for, found ${
      cert.subjectAltName ?? "none"
    }`;
  }
  return timeFault(cert, nowMs);
}

function timeFault({ validFrom, validTo }: X509Certificate, nowMs: number): string | undefined {
  if (nowMs > Date.parse(validTo)) {
    return `it expired on ${validTo}: renew it, or put the clock right`;
  }
  if (nowMs < Date.parse(validFrom)) {
    return `it is not valid before ${validFrom}: is the clock right?`;
  }
  return undefined;
}

function issuerFault(cert: X509Certificate, ca: X509Certificate): string | undefined {
  return cert.checkIssued(ca) && cert.verify(ca.publicKey)
    ? undefined
    : "expected a certificate that the CA of this cluster has issued, found another CA's";
}

function parsed<T>(pem: string, parse: (pem: string) => T): T | undefined {
  try {
    return parse(pem);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
