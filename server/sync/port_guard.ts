import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { sourceOf } from "../address.ts";
import { Throttle } from "../throttle.ts";
import { FrameRate, type FrameRateLimits } from "./frame_guard.ts";
import { guarded } from "./http2_guard.ts";

export interface PortLimits extends FrameRateLimits {
  /** Connections at once, in all and of one address, and those of one that begin in a second. */
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly connectionsPerSecond: number;
  /** A connection that has called nothing by then is closed, in ms. */
  readonly callDeadlineMs: number;
}

/** What is known of an address while it has connections. */
interface Source {
  readonly rate: FrameRate;
  connections: number;
}

/** The connections to the port for nodes: who may come, and what they may do to it. */
export class PortGuard {
  readonly #limits: PortLimits;
  readonly #onRefusal: (address: string, why: string) => void;
  readonly #begun: Throttle<string>;
  readonly #sockets = new Set<Socket>();
  readonly #sources = new Map<string, Source>();

  constructor(limits: PortLimits, onRefusal: (address: string, why: string) => void) {
    const { connectionsPerAddressMax, connectionsPerSecond } = limits;
    this.#limits = limits;
    this.#onRefusal = onRefusal;
    this.#begun = new Throttle(connectionsPerAddressMax, 1000 / connectionsPerSecond);
  }

  /** Whether a connection may come, before a word or a handshake: if not, it is closed. */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? "";
    const key = sourceOf(address);
    const nowMs = performance.now();
    const source = this.#sources.get(key) ??
      { rate: new FrameRate(this.#limits, () => performance.now()), connections: 0 };
    const isFull = this.#sockets.size >= this.#limits.connectionsMax ||
      source.connections >= this.#limits.connectionsPerAddressMax;
    if (isFull || this.#begun.waitMs(key, nowMs) > 0) {
      this.#onRefusal(address, "too many connections");
      socket.destroy();
      return false;
    }
    this.#begun.charge(key, nowMs);
    source.connections++;
    this.#sources.set(key, source);
    this.#sockets.add(socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (--source.connections === 0) this.#sources.delete(key);
    });
    return true;
  }

  /** What may be heard of a connection that was admitted, or of what is encrypted in one. */
  listenTo(socket: Socket): Duplex {
    const address = socket.remoteAddress ?? "";
    const { callDeadlineMs } = this.#limits;
    const rate = this.#sources.get(sourceOf(address))?.rate ??
      new FrameRate(this.#limits, () => performance.now());
    return guarded(socket, { rate, callDeadlineMs }, (what) => this.#onRefusal(address, what));
  }

  /** Ends all connections. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
