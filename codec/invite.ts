/** All that a client needs to reach a cluster, and to tell it from any other. */
export interface Invite {
  /** `HOST:PORT` of each node, or `[IPV6]:PORT`. */
  readonly hosts: readonly string[];
  /** The certificate of the cluster's CA, as PEM. */
  readonly ca: string;
  /** What lets whoever has it make an account, where that takes an invitation. */
  readonly invitation?: string;
}

/**
 * The name that every node's certificate is for, and that clients ask for, whatever address they dial:
 * addresses may change. The domain is reserved (ICANN, 2024), so no public CA may vouch for it.
 */
export const SERVER_NAME = "chat.internal";

const SCHEME = "chat://";
const TEXT_UNITS_MAX = 16 * 1024;
const PEM = /^-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END CERTIFICATE-----\s*$/;
const PEM_LINE_LENGTH = 64;

/**
 * An invite as one line of text, which needs no quotes in a shell but for an IPv6 address:
 * `chat://HOSTS/CA`, or `chat://HOSTS/CA/INVITATION`. HOSTS are separated by commas, CA is the
 * certificate's DER in base64url. Throws RangeError if `ca` is not one certificate.
 */
export function formatInvite({ hosts, ca, invitation }: Invite): string {
  const base64 = PEM.exec(ca)?.[1];
  if (base64 === undefined) throw new RangeError("Cannot make an invite: the CA is no certificate");
  const base64url = base64.replaceAll(/[\s=]/g, "").replaceAll("+", "-").replaceAll("/", "_");
  const parts = [hosts.join(","), base64url];
  return SCHEME + [...parts, ...invitation === undefined ? [] : [invitation]].join("/");
}

/** Reads what {@linkcode formatInvite} made; undefined if `text` is none. */
export function parseInvite(text: string): Invite | undefined {
  const line = text.trim();
  if (!line.startsWith(SCHEME) || line.length > TEXT_UNITS_MAX) return undefined;
  const [hosts = "", base64 = "", invitation, ...rest] = line.slice(SCHEME.length).split("/");
  if (rest.length > 0 || !/^[\w-]+$/.test(base64) || hosts === "") return undefined;
  if (invitation !== undefined && !/^[\w.-]+$/.test(invitation)) return undefined;
  const ca = pemOf(base64);
  return { hosts: hosts.split(","), ca, ...invitation === undefined ? {} : { invitation } };
}

function pemOf(base64url: string): string {
  const base64 = base64url.replaceAll("-", "+").replaceAll("_", "/");
  const padded = base64.padEnd(Math.ceil(base64.length / 4) * 4, "=");
  const lines = padded.match(new RegExp(`.{1,${PEM_LINE_LENGTH}}`, "g")) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
