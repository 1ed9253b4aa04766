import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { SERVER_NAME } from "../../codec/invite.ts";
import { signInvitation } from "../auth/invitation.ts";
import type { NodeIdentity } from "../tls/identity.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** Clocks of tests may be years off. */
const VALID_MS = 10 * 365 * 24 * 60 * 60 * 1000;

/** What a certificate of a test may have in a way that none should. */
export interface CertificateOddities {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** What it is for, besides {@linkcode SERVER_NAME}. */
  readonly names?: readonly string[];
}

/** A CA that issues certificates for tests, good ones and others. */
export class TestAuthority {
  /** PEM. */
  readonly certificate: string;
  readonly #issuer: x509.X509Certificate;
  readonly #keys: CryptoKeyPair;

  private constructor(issuer: x509.X509Certificate, keys: CryptoKeyPair) {
    this.#issuer = issuer;
    this.#keys = keys;
    this.certificate = issuer.toString("pem");
  }

  static async make(): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: "CN=CA of a test",
      keys,
      signingAlgorithm: ALGORITHM,
      ...validity({}),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    });
    return new TestAuthority(certificate, keys);
  }

  /** An invitation to the cluster whose CA this is. */
  async invite(expiresMs: number): Promise<string> {
    return signInvitation(await pemOf(this.#keys.privateKey), {
      expiresMs,
      random: crypto.getRandomValues(new Uint8Array(16)),
    });
  }

  /** The identity of the node called `name`, good unless it is odd. */
  async issue(name: string, oddities: CertificateOddities = {}): Promise<NodeIdentity> {
    const keys = await newKeys();
    const names = oddities.names ?? [SERVER_NAME];
    const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: this.#issuer.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity(oddities),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: "dns", value } as const)),
        ),
      ],
    });
    return {
      cert: certificate.toString("pem"),
      key: await pemOf(keys.privateKey),
      ca: this.certificate,
    };
  }
}

async function pemOf(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

async function newKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function validity({ notBefore, notAfter }: CertificateOddities) {
  return {
    notBefore: notBefore ?? new Date(Date.now() - VALID_MS),
    notAfter: notAfter ?? new Date(Date.now() + VALID_MS),
  };
}
