import { join } from "node:path";
import { formatInvite } from "../../../codec/invite.ts";
import { signInvitation } from "../../auth/invitation.ts";
import { type NodeConfig, ServerConfig } from "../../config.ts";
import { ConfigError } from "../../config_error.ts";
import type { Files } from "../../journal/files.ts";
import {
  type Authority,
  canonicalCertificate,
  CertificateError,
  checkAuthority,
  type KeyPair,
} from "./authority.ts";
import { TLS_FILES } from "./plan.ts";
import { unitText } from "./unit.ts";
import { readFileIfThere } from "./written_files.ts";

/** What the operator keeps, in the cluster's directory. */
export const CONFIG_FILE = "servers.json";
export const UNIT_FILE = "chat.service";
export const INVITE_FILE = "invite";
export const CA_KEY_FILE = "ca.key";

/** The configuration of a cluster, as its operator has it. */
export interface Master {
  readonly text: string;
  readonly config: ServerConfig;
}

/** What lets its reader make accounts. */
export interface Invitation {
  readonly text: string;
  /** ms since 1970. */
  readonly expiresMs: number;
}

/** How long an invitation is good unless the operator says otherwise. */
export const INVITATION_DAYS = 7;
const INVITATION_BYTES = 16;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The directory that a command names first, without slashes at its end. */
export function directoryOf([directory = ""]: readonly string[]): string {
  return directory.replace(/(?<=.)\/+$/, "");
}

/** Reads `servers.json`. Rejects with ConfigError, also if it names other files than are made here. */
export async function readMaster(files: Files, directory: string): Promise<Master> {
  const path = join(directory, CONFIG_FILE);
  const text = await readFileIfThere(files, path);
  if (text === undefined) {
    throw new ConfigError(path, [
      `there is no such file: ${directory} is no directory that chat cluster init made`,
    ]);
  }
  return masterOf(text, path);
}

/** Throws ConfigError as {@linkcode readMaster}. */
export function masterOf(text: string, path: string): Master {
  const config = ServerConfig.parse(text, path);
  const expected = JSON.stringify(TLS_FILES);
  const faults = config.nodes.flatMap(({ tls }, index) => {
    const { cert, key, ca } = tls ?? {};
    const found = JSON.stringify({ cert, key, ca });
    return found === expected
      ? []
      : [`nodes[${index}].tls: expected ${expected}, which each folder has, found ${found}`];
  });
  if (faults.length > 0) throw new ConfigError(path, faults);
  return { text, config };
}

/** Reads the CA with its key. Rejects with CertificateError if no certificate may be issued by it. */
export async function readAuthority(
  files: Files,
  directory: string,
  nowMs: number,
): Promise<Authority> {
  const paths = { certificate: join(directory, TLS_FILES.ca), key: join(directory, CA_KEY_FILE) };
  const certificate = await readCaCertificate(files, directory);
  const key = await readFileIfThere(files, paths.key);
  if (key === undefined) {
    throw new CertificateError(
      `Cannot issue anything: ${paths.key} is not there. It is the key of the cluster's CA, which ` +
        "chat cluster init made and which stays with the operator: put it back.",
    );
  }
  return checkAuthority({ paths, certificate, key }, nowMs);
}

/** The CA's certificate. Rejects with CertificateError if it is none. */
export async function readCaCertificate(files: Files, directory: string): Promise<string> {
  const path = join(directory, TLS_FILES.ca);
  const certificate = await readFileIfThere(files, path);
  if (certificate === undefined) {
    throw new CertificateError(
      `Cannot tell the cluster's CA: ${path} is not there. Put it back: every node's folder has it.`,
    );
  }
  return canonicalCertificate(certificate, path);
}

/** What a node's machine needs; without certificate and key if it has them. */
export function folderOf(
  { name }: NodeConfig,
  { text }: Master,
  caCertificate: string,
  pair: KeyPair | undefined,
): [path: string, text: string][] {
  return [
    ...pair === undefined ? [] : [
      [join(name, TLS_FILES.key), pair.key] satisfies [string, string],
      [join(name, TLS_FILES.cert), pair.certificate] satisfies [string, string],
    ],
    [join(name, TLS_FILES.ca), caCertificate],
    [join(name, UNIT_FILE), unitText(name)],
    [join(name, CONFIG_FILE), text],
  ];
}

/** A new invitation if it takes one to make an account. */
export function invitationOf(
  { registration }: ServerConfig,
  authority: Authority,
  { days, nowMs }: { readonly days: number; readonly nowMs: number },
): Invitation | undefined {
  if (registration !== "invite") return undefined;
  const expiresMs = nowMs + days * DAY_MS;
  const random = crypto.getRandomValues(new Uint8Array(INVITATION_BYTES));
  return { text: signInvitation(authority.key, { expiresMs, random }), expiresMs };
}

/** What an operator gives to users: one line. */
export function inviteOf(
  { nodes }: ServerConfig,
  ca: string,
  invitation: Invitation | undefined,
): string {
  const hosts = nodes.map(({ tcp }) => ServerConfig.addressOf(tcp));
  return formatInvite({ hosts, ca, ...invitation && { invitation: invitation.text } });
}
