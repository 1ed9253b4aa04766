import type { Address } from "./config.ts";
import type { Log } from "./log.ts";
import type { Connection } from "./session.ts";
import { connectionOf, isGone } from "./tcp.ts";
import type { NodeIdentity } from "./tls/identity.ts";

/** How long to wait after a connection could not be taken, or the port not be had again, in ms. */
const AGAIN_MS = 200;
/**
 * While connections wait, taking the next one is no turn of the event loop: after so many, those who are
 * connected have theirs.
 */
export const CONNECTIONS_PER_TURN = 16;
/** Each of these begins a handshake, which keeps the process busy. */
const HANDSHAKES_PER_TURN = 2;

/** That the address is taken, or not ours, is for the operator to put right. */
export class ListenError extends Error {
  override readonly name = "ListenError";

  constructor({ host, port }: Address, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot listen on ${host}:${port}: ${reason}`, { cause });
  }
}

/** Where clients connect: by TLS only, if the node has an identity, and in plain text only, if not. */
export class ClientPort {
  readonly #welcome: (connection: Connection) => void;
  readonly #log: Log;
  readonly #takenPerTurn: number;
  #listener: ClientListener;
  #accepting: Promise<void>;
  #isClosed = false;

  /** Listens from now on. Throws {@linkcode ListenError}. */
  constructor(
    address: Address,
    identity: NodeIdentity | undefined,
    welcome: (connection: Connection) => void,
    log: Log,
  ) {
    this.#welcome = welcome;
    this.#log = log;
    this.#takenPerTurn = identity === undefined ? CONNECTIONS_PER_TURN : HANDSHAKES_PER_TURN;
    this.#listener = listen(address, identity);
    this.#accepting = this.#accept(this.#listener);
  }

  /** Throws {@linkcode ListenError} if the address cannot be listened on. */
  static check(address: Address): void {
    listen(address, undefined).close();
  }

  get address(): Address {
    const { hostname: host, port } = this.#listener.addr;
    return { host, port };
  }

  /**
   * Meets new connections with this identity. The system gives the address back only once it is not
   * listened on any more: who connects in that moment, a millisecond, is refused and has to try again.
   */
  async renew(identity: NodeIdentity): Promise<void> {
    const { address } = this;
    this.#listener.close();
    await this.#accepting;
    for (;;) {
      if (this.#isClosed) return;
      try {
        this.#listener = listen(address, identity);
        this.#accepting = this.#accept(this.#listener);
        return;
      } catch (error) {
        if (!(error instanceof ListenError)) throw error;
        this.#log(error.message, { event: "accept_failed" });
        await pause(AGAIN_MS);
      }
    }
  }

  /** Takes no more connections; those that are open go on. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#listener.close();
    } catch (error) {
      // It is being renewed.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await this.#accepting;
  }

  /** Takes connections until the listener is closed. */
  async #accept(listener: ClientListener): Promise<void> {
    for (let taken = 1;; taken++) {
      if (taken % this.#takenPerTurn === 0) await pause(0);
      try {
        this.#welcome(connectionOf(await listener.accept()));
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        if (error instanceof Deno.errors.Interrupted) return;
        // It hung up before it was taken: whoever does so all the time must not keep others waiting.
        if (isGone(error)) continue;
        // Out of file descriptors, say: those who are connected must not suffer from it.
        const reason = error instanceof Error ? error.message : String(error);
        this.#log(`cannot take a connection: ${reason}`, { event: "accept_failed" });
        await pause(AGAIN_MS);
      }
    }
  }
}

type ClientListener = Deno.TcpListener | Deno.TlsListener;

function listen(address: Address, identity: NodeIdentity | undefined): ClientListener {
  const place = { hostname: address.host, port: address.port };
  try {
    if (identity === undefined) return Deno.listen(place);
    return Deno.listenTls({ ...place, cert: identity.cert, key: identity.key });
  } catch (error) {
    throw new ListenError(address, error);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
