import type { Connection } from "./session.ts";

/** Adapts Deno's connections, encrypted or not: the only part of the client port that knows of `Deno`. */
export function connectionOf(conn: Deno.TcpConn | Deno.TlsConn): Connection {
  // Of a TLS connection, Deno lets neither be set.
  if ("setNoDelay" in conn) {
    conn.setNoDelay(true);
    // A peer that vanished without a word is found by the kernel, however idle the connection is.
    conn.setKeepAlive(true);
  }
  let closed = false;
  let tlsFault: string | undefined;
  return {
    address: conn.remoteAddr.hostname,
    get tlsFault() {
      return tlsFault;
    },
    async read(into) {
      try {
        return await conn.read(into);
      } catch (error) {
        if (error instanceof Deno.errors.InvalidData) tlsFault = error.message;
        if (closed || isGone(error)) return null;
        throw error;
      }
    },
    write: (bytes) => conn.write(bytes),
    async endWriting() {
      try {
        await conn.closeWrite();
      } catch (error) {
        if (!closed && !isGone(error)) throw error;
      }
    },
    close() {
      if (closed) return;
      closed = true;
      conn.close();
    },
  };
}

/** Whether an error only says that the peer, or this side, has ended the connection. */
export function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.TimedOut ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BadResource ||
    // By TLS: it hung up without saying so, or never spoke TLS, or does not believe the certificate.
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.InvalidData;
}
