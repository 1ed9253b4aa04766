import { createServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type TLSSocket,
} from "node:tls";
import type { Log } from "../log.ts";
import { type NodeIdentity, nodeNamedIn } from "../tls/identity.ts";

/** What mutual TLS between nodes takes. */
export interface PeerTls {
  readonly identity: NodeIdentity;
  /** Whether a node of this name may call. */
  isNode(name: string): boolean;
}

export interface PeerDoor {
  /** Whether a connection may come, before a word or a handshake: if not, it is closed by that. */
  admit(socket: Socket): boolean;
  /** Takes a connection: `caller` is the node that has proved to be there, if it had to. */
  take(socket: Socket, caller: string | undefined): void;
}

/** Connections of other nodes, as soon as somebody listens. */
export interface PeerServer {
  readonly listener: Server;
  /** New connections are met with this identity, and checked by it. */
  renew(identity: NodeIdentity): void;
}

/** A handshake that takes longer is given up, in ms. */
const HANDSHAKE_MAX_MS = 5000;
/** HTTP/2 over TLS, as RFC 9113 calls it. */
const PROTOCOL = "h2";

/** A server of connections of other nodes, not yet listening: with TLS, it takes none of a stranger. */
export function createPeerServer(
  { admit, take }: PeerDoor,
  tls: PeerTls | undefined,
  log: Log,
): PeerServer {
  const secure = tls && createSecureServer(take, tls, log);
  const listener = createServer((socket) => {
    if (!admit(socket)) return;
    socket.setNoDelay(true);
    // Never what is closed already: of each, the TLS of Deno 2.9.6 would keep some 30 KiB for ever.
    if (secure === undefined) take(socket, undefined);
    else secure.emit("connection", socket);
  });
  return {
    listener,
    // What is not said again here would be as if it had never been said.
    renew: (identity) => secure?.setSecureContext(secureOptions(identity)),
  };
}

/** Makes TLS of the connections that it is handed: it never listens. */
function createSecureServer(take: PeerDoor["take"], tls: PeerTls, log: Log): TlsServer {
  let lastRefusal = "";
  // Once, not for every try.
  const refuse = (address: string | undefined, why: string) => {
    const line = `refused a connection of ${address ?? "somebody"} to the port for nodes: ${why}`;
    if (line !== lastRefusal) log(line, { event: "peer_refused", address, reason: why });
    lastRefusal = line;
  };
  const server = createTlsServer({
    ...secureOptions(tls.identity),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: [PROTOCOL],
    handshakeTimeout: HANDSHAKE_MAX_MS,
  }, (socket) => {
    const caller = nodeNamedIn(socket.getPeerCertificate());
    if (caller !== undefined && tls.isNode(caller)) return take(socket, caller);
    refuse(
      socket.remoteAddress,
      `its certificate is of ${caller ?? "nobody"}, which is no node here`,
    );
    socket.destroy();
  });
  server.on("tlsClientError", (error, socket) => {
    refuse(connectionUnder(socket)?.remoteAddress, refusalText(error, socket));
    socket.destroy();
  });
  return server;
}

function secureOptions({ cert, key, ca }: NodeIdentity) {
  return { cert, key, ca, minVersion: "TLSv1.3" } as const;
}

function refusalText(error: Error & { readonly code?: string }, socket: TLSSocket): string {
  if (socket.authorizationError) return "its certificate has expired, or is of another CA";
  if (error.code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "it shows no certificate";
  return `it fails at TLS (${error.message})`;
}

/** Of a socket whose handshake has failed, the library does not tell the address itself. */
function connectionUnder(socket: TLSSocket): Socket | undefined {
  return (socket as { readonly _parent?: Socket })._parent;
}
