import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { sourceOf } from "../guard/address.ts";
import { KnownSources } from "../guard/known_sources.ts";
import { StrangersPace } from "../guard/strangers_pace.ts";
import { Throttle } from "../guard/throttle.ts";
import { FrameRate, type FrameRateLimits } from "./frame_guard.ts";
import { guarded } from "./http2_guard.ts";

export interface PortLimits extends FrameRateLimits {
  /** Connections at once, in all and of one address, and those of one that begin in a second. */
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly connectionsPerSecondPerAddress: number;
  /** How many may begin in a second, of all addresses from which no node has called. */
  readonly connectionsPerSecond: number;
  /** A connection that has called nothing by then is closed, in ms. */
  readonly callDeadlineMs: number;
}

/** What is known of an address while it has connections. */
interface Source {
  /** Its own, once a node has called from there: strangers have one together. */
  rate: FrameRate | undefined;
  connections: number;
}

/** All strangers together may begin this part of the calls that one node's address may. */
const STRANGERS_CALLS_PART = 10;

/** The connections to the port for nodes: who may come, and what they may do to it. */
export class PortGuard {
  readonly #limits: PortLimits;
  readonly #onRefusal: (address: string, why: string) => void;
  readonly #begun: Throttle<string>;
  /** From where a node has called. */
  readonly #known = new KnownSources();
  readonly #strangers: StrangersPace;
  readonly #strangersRate: FrameRate;
  readonly #sockets = new Set<Socket>();
  /** By address and port, those who have not proved who they are: for longest first. */
  readonly #unproved = new Map<string, Socket>();
  readonly #sources = new Map<string, Source>();

  /** `nodes` are where other nodes are, as far as their addresses are known. */
  constructor(
    limits: PortLimits,
    onRefusal: (address: string, why: string) => void,
    nodes: readonly string[] = [],
  ) {
    for (const address of nodes) this.#known.add(address);
    const { connectionsMax, connectionsPerAddressMax } = limits;
    const { connectionsPerSecondPerAddress, connectionsPerSecond } = limits;
    this.#limits = limits;
    const callsPerSecond = Math.ceil(limits.callsPerSecond / STRANGERS_CALLS_PART);
    this.#strangersRate = new FrameRate({ ...limits, callsPerSecond }, () => performance.now());
    this.#onRefusal = onRefusal;
    this.#begun = new Throttle(connectionsPerAddressMax, 1000 / connectionsPerSecondPerAddress);
    this.#strangers = new StrangersPace(this.#known, connectionsMax, connectionsPerSecond);
  }

  /**
   * Whether a connection may come, before a word or a handshake: if not, it is closed. Whoever has not
   * proved to be a node for longest makes room.
   */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? "";
    const key = sourceOf(address);
    const nowMs = performance.now();
    const source = this.#sources.get(key) ?? { rate: undefined, connections: 0 };
    const isOfTooMany = source.connections >= this.#limits.connectionsPerAddressMax ||
      this.#begun.waitMs(key, nowMs) > 0 || this.#strangers.isTooMuch(address, nowMs);
    if (isOfTooMany || !this.#makeRoom()) {
      this.#onRefusal(address, "too many connections");
      socket.destroy();
      return false;
    }
    this.#begun.charge(key, nowMs);
    source.connections++;
    this.#sources.set(key, source);
    const place = placeOf(socket);
    this.#sockets.add(socket);
    this.#unproved.set(place, socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#unproved.get(place) === socket) this.#unproved.delete(place);
      if (--source.connections === 0) this.#sources.delete(key);
    });
    return true;
  }

  /**
   * From now on it makes no room for others: it has proved to be a node's, or in plain text there is
   * nothing to prove. The socket may be the one above TLS.
   */
  take(socket: Socket, { isProved }: { readonly isProved: boolean }): void {
    this.#unproved.delete(placeOf(socket));
    if (isProved) this.#known.add(socket.remoteAddress ?? "");
  }

  /** What may be heard of a connection that was admitted, or of what is encrypted in one. */
  listenTo(socket: Socket): Duplex {
    const address = socket.remoteAddress ?? "";
    const { callDeadlineMs } = this.#limits;
    const rate = this.#rateOf(address);
    return guarded(socket, { rate, callDeadlineMs }, (what) => this.#onRefusal(address, what));
  }

  /** Ends all connections. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #rateOf(address: string): FrameRate {
    const source = this.#sources.get(sourceOf(address));
    if (source === undefined || !this.#known.has(address)) return this.#strangersRate;
    source.rate ??= new FrameRate(this.#limits, () => performance.now());
    return source.rate;
  }

  #makeRoom(): boolean {
    if (this.#sockets.size < this.#limits.connectionsMax) return true;
    const [longest] = this.#unproved.values();
    if (longest === undefined) return false;
    // What it leaves is counted at its end, which comes after this.
    this.#sockets.delete(longest);
    this.#unproved.delete(placeOf(longest));
    longest.destroy();
    return true;
  }
}

function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
