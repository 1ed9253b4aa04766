/** Where a server listens for clients. */
export interface Host {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /**
   * The certificate of the CA, as PEM, that has to have issued the server's. With it the connection is
   * encrypted, without it is not.
   */
  readonly ca?: string;
}

export const PORT_DEFAULT = 9001;
const PORT_MAX = 65_535;

/**
 * Reads `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`; undefined if `text` is none of them. What could
 * act on a terminal is in no host: somebody else may have written it, as in an invite.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseHost("[::1]:9002"), { host: "::1", port: 9002 });
 * ```
 */
export function parseHost(text: string): Host | undefined {
  const match = /^(?:\[([\da-fA-F:.]+)\]|([^\s\p{C}:[\]/@]+))(?::(\d{1,5}))?$/u.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) return undefined;
  const port = Number(match?.[3] ?? PORT_DEFAULT);
  return port >= 1 && port <= PORT_MAX ? { host, port } : undefined;
}

/** The host as it is written in options and messages. */
export function formatHost({ host, port }: Host): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
