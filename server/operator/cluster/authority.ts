import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { StorageError } from "../../journal/files.ts";

/** A certificate and its key, as PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** The CA of a cluster: whoever has it can be any of its nodes. */
export type Authority = KeyPair;

/** A certificate, or a key, cannot be used. */
export class CertificateError extends StorageError {
  override readonly name = "CertificateError";
}

export interface AuthorityFiles extends Authority {
  /** Where they were read. */
  readonly paths: { readonly certificate: string; readonly key: string };
}

/** Checks that the key is the certificate's, and that this is valid. Throws CertificateError. */
export function checkAuthority(files: AuthorityFiles, nowMs: number): Authority {
  const { paths, certificate, key } = files;
  const parsed = parseCertificate(certificate, paths.certificate);
  if (!parsed.checkPrivateKey(parseKey(key, paths.key))) {
    throw new CertificateError(
      `Cannot issue certificates: ${paths.key} is not the key of ${paths.certificate}. Put back ` +
        "the one that chat cluster init made with it.",
    );
  }
  const [from, to] = validity(parsed);
  if (nowMs < from || nowMs >= to) {
    throw new CertificateError(
      `Cannot issue certificates: the CA of ${paths.certificate} is valid from ${dateText(from)} ` +
        `to ${dateText(to)}, and today is ${dateText(nowMs)}. If the clock is right, make a new ` +
        "cluster directory with chat cluster init.",
    );
  }
  return { certificate, key };
}

/** The first certificate in `pem`, and nothing else. Throws CertificateError, naming `path`. */
export function canonicalCertificate(pem: string, path: string): string {
  return parseCertificate(pem, path).toString();
}

/** Until when a certificate is valid, in ms since 1970. Throws CertificateError, naming `path`. */
export function expiryMs(certificate: string, path: string): number {
  return validity(parseCertificate(certificate, path))[1];
}

/** `2031-11-26` */
export function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function validity({ validFrom, validTo }: X509Certificate): [number, number] {
  return [Date.parse(validFrom), Date.parse(validTo)];
}

function parseCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unreadable(path, "certificate", error);
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw unreadable(path, "private key", error);
  }
}

/** What the library says of it may quote it. */
function unreadable(path: string, what: string, cause: unknown): CertificateError {
  if (!(cause instanceof Error)) throw cause;
  return new CertificateError(`Cannot use ${path}: it is no ${what} in PEM format`, { cause });
}
