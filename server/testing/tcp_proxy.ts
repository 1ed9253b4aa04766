import { writeAll } from "../../codec/frame.ts";

/**
 * What becomes of bytes. In a black hole they vanish while nothing is closed, as behind a cable that
 * was pulled; a black hole to one end swallows what the other end sends there.
 */
export type ProxyMode = "pass" | "blackhole" | "blackhole_to_target" | "blackhole_to_dialer";

type Direction = "to_target" | "to_dialer";

const BUFFER_BYTES = 64 * 1024;

/**
 * A network link that can be cut: what is dialled here reaches the target, as long as the mode says
 * so. A connection that has lost bytes never passes later ones, because TCP has no holes: once the
 * link is whole again such a connection is silent, and whoever closes it or finds it closed may dial
 * a new one.
 */
export class TcpProxy implements AsyncDisposable {
  /** May be changed at any time, for the connections that there are, too. */
  mode: ProxyMode = "pass";
  /** Of all connections so far. */
  swallowedBytes = 0;
  /** Gets all that comes from either end. */
  onBytes: (bytes: Uint8Array) => void = () => {};
  readonly #listener: Deno.TcpListener;
  readonly #targetPort: number;
  readonly #relays = new Map<Relay, Promise<void>>();
  readonly #accepting: Promise<void>;

  private constructor(listener: Deno.TcpListener, targetPort: number) {
    this.#listener = listener;
    this.#targetPort = targetPort;
    this.#accepting = this.#accept();
  }

  /** The target need not listen yet: who dials while it does not is disconnected. */
  static listen(targetPort: number): TcpProxy {
    return new TcpProxy(Deno.listen({ hostname: "127.0.0.1", port: 0 }), targetPort);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get connections(): number {
    return this.#relays.size;
  }

  /** Closes every connection that there is, on both ends. */
  reset(): void {
    for (const relay of this.#relays.keys()) relay.close();
  }

  async close(): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    this.reset();
    await Promise.all(this.#relays.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #accept(): Promise<void> {
    for await (const dialer of this.#listener) {
      const relay = new Relay(this, dialer);
      const running = relay.run(this.#targetPort);
      this.#relays.set(relay, running);
      void running.then(() => this.#relays.delete(relay));
    }
  }
}

/** One connection through a proxy. */
class Relay {
  readonly #proxy: TcpProxy;
  readonly #dialer: Deno.TcpConn;
  #target: Deno.TcpConn | undefined;
  /** Directions that have lost bytes, or the news that their sender has closed. */
  readonly #lossy = new Set<Direction>();
  /** Whether an end has closed it and the other, which still believes in it, was not told. */
  #isAbandoned = false;
  #isClosed = false;

  constructor(proxy: TcpProxy, dialer: Deno.TcpConn) {
    this.#proxy = proxy;
    this.#dialer = dialer;
    dialer.setNoDelay(true);
  }

  /** Resolves, never rejects, when the connection has ended. */
  async run(targetPort: number): Promise<void> {
    // Who dials into a black hole is spared what a real one does: that dialling takes for ever.
    const target = this.#proxy.mode === "blackhole" ? undefined : await dial(targetPort);
    this.#target = target;
    const isRefused = target === undefined && this.#proxy.mode !== "blackhole";
    if (isRefused || this.#isClosed) return this.close();
    await Promise.all([
      this.#pump("to_target", this.#dialer, target),
      target === undefined ? undefined : this.#pump("to_dialer", target, this.#dialer),
    ]);
    this.close();
  }

  close(): void {
    this.#isClosed = true;
    close(this.#dialer);
    if (this.#target !== undefined) close(this.#target);
  }

  async #pump(direction: Direction, from: Deno.TcpConn, to: Deno.TcpConn | undefined) {
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (;;) {
      const count = await read(from, buffer);
      if (typeof count !== "number") return await this.#end(direction, to, count);
      this.#proxy.onBytes(buffer.subarray(0, count));
      if (to !== undefined && this.#passes(direction)) {
        if (!await write(to, buffer.subarray(0, count))) return this.close();
        continue;
      }
      this.#lossy.add(direction);
      this.#proxy.swallowedBytes += count;
      // As a real end that is gone answers: with a reset, once it can be reached.
      if (this.#isAbandoned && this.#proxy.mode === "pass") return this.close();
    }
  }

  #passes(direction: Direction): boolean {
    const { mode } = this.#proxy;
    if (mode === "pass") return this.#lossy.size === 0;
    return mode !== "blackhole" && mode !== `blackhole_${direction}` && !this.#lossy.has(direction);
  }

  /** What `from` sends has ended: with a FIN, or with a reset or worse. */
  async #end(direction: Direction, to: Deno.TcpConn | undefined, how: "closed" | "broken") {
    if (to !== undefined && this.#passes(direction)) {
      if (how === "closed" && await closeWrite(to)) return;
      return this.close();
    }
    if (this.#proxy.mode === "pass") return this.close();
    this.#lossy.add(direction);
    this.#isAbandoned = true;
  }
}

async function dial(port: number): Promise<Deno.TcpConn | undefined> {
  try {
    const target = await Deno.connect({ hostname: "127.0.0.1", port });
    target.setNoDelay(true);
    return target;
  } catch (error) {
    const isAway = error instanceof Deno.errors.ConnectionRefused ||
      error instanceof Deno.errors.ConnectionReset;
    if (isAway) return undefined;
    throw error;
  }
}

/** How many bytes came, or how it ended. */
async function read(
  conn: Deno.TcpConn,
  buffer: Uint8Array,
): Promise<number | "closed" | "broken"> {
  try {
    return await conn.read(buffer) ?? "closed";
  } catch (error) {
    return brokenBy(error);
  }
}

async function write(conn: Deno.TcpConn, bytes: Uint8Array): Promise<boolean> {
  try {
    await writeAll(conn, bytes);
    return true;
  } catch (error) {
    return brokenBy(error) !== "broken";
  }
}

async function closeWrite(conn: Deno.TcpConn): Promise<boolean> {
  try {
    await conn.closeWrite();
    return true;
  } catch (error) {
    return brokenBy(error) !== "broken";
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch (error) {
    brokenBy(error);
  }
}

/** What an operation on a connection may fail with that either end, or this one, has closed. */
const BROKEN = [
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NotConnected,
  Deno.errors.TimedOut,
];

function brokenBy(error: unknown): "broken" {
  if (BROKEN.some((kind) => error instanceof kind)) return "broken";
  throw error;
}
