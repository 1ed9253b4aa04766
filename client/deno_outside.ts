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

async function connect({ host, port }: Host, timeoutMs: number): Promise<Socket> {
  const patience = new AbortController();
  const timer = setTimeout(
    () => patience.abort(new Error(`no connection within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    const connection = await Deno.connect({ hostname: host, port, signal: patience.signal });
    connection.setNoDelay(true);
    return connection;
  } catch (error) {
    throw patience.signal.aborted ? patience.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}
