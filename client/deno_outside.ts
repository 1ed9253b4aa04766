import { SERVER_NAME } from "../codec/invite.ts";
import type { Clock, Host, Outside, Socket } from "./connection.ts";

const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

/** The network, clock and randomness of this machine. */
export const denoOutside: Outside = {
  connect,
  clock: systemClock,
  random: Math.random,
  uuid: () => crypto.randomUUID(),
};

async function connect({ host, port, ca }: Host, timeoutMs: number): Promise<Socket> {
  const patience = new AbortController();
  const timer = setTimeout(
    () => patience.abort(new Error(`no connection within ${timeoutMs} ms`)),
    timeoutMs,
  );
  const { signal } = patience;
  try {
    const connection = await Deno.connect({ hostname: host, port, signal });
    connection.setNoDelay(true);
    return ca === undefined ? connection : await encrypted(connection, ca, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Rejects if whoever answers cannot show a certificate that the CA has issued for a node. */
async function encrypted(
  connection: Deno.TcpConn,
  ca: string,
  signal: AbortSignal,
): Promise<Deno.TlsConn> {
  const tls = await Deno.startTls(connection, { hostname: SERVER_NAME, caCerts: [ca] });
  const close = () => tls.close();
  signal.addEventListener("abort", close);
  try {
    await tls.handshake();
    return tls;
  } catch (error) {
    if (!signal.aborted) tls.close();
    throw explained(error);
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/** Why there is no encrypted connection, for people: the library says it in its own words. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const said = error.message;
  const reason = /UnknownIssuer|BadSignature/.test(said)
    ? "its certificate is of another cluster, or of an older CA of this one"
    : /Expired/.test(said)
    ? "its certificate has expired, or a clock is wrong"
    : /InvalidContentType|corrupt message/.test(said)
    ? "what answers there does not speak TLS"
    : undefined;
  return reason === undefined ? error : new Error(`${reason} (${said})`, { cause: error });
}
