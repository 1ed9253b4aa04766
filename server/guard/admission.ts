import { sourceOf } from "./address.ts";
import type { Limits } from "../limits.ts";
import type { SessionRegistry } from "../registry.ts";
import { StrangersPace } from "./strangers_pace.ts";
import { Throttle } from "./throttle.ts";

type AdmissionLimits = Pick<
  Limits,
  | "connectionsMax"
  | "connectionsPerAddressMax"
  | "anonymousConnectionsMax"
  | "connectionBurst"
  | "connectionsPerSecond"
  | "connectionBurstPerAddress"
  | "connectionsPerSecondPerAddress"
>;

/** An account with so many connections is no person with some devices: where all is full, it makes room. */
export const MANY_OF_ACCOUNT = 10;

/**
 * Who may connect. Whoever is signed in is not disconnected for others, unless their account has many
 * connections: those who are not, and ask for nothing, make room for the next, who may sign in at once.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #registry: SessionRegistry;
  readonly #nowMs: () => number;
  readonly #begun: Throttle<string>;
  readonly #strangers: StrangersPace;

  constructor(limits: AdmissionLimits, registry: SessionRegistry, nowMs: () => number) {
    const { connectionBurst, connectionsPerSecond } = limits;
    const { connectionBurstPerAddress, connectionsPerSecondPerAddress } = limits;
    this.#limits = limits;
    this.#registry = registry;
    this.#nowMs = nowMs;
    this.#begun = new Throttle(connectionBurstPerAddress, 1000 / connectionsPerSecondPerAddress);
    this.#strangers = new StrangersPace(registry.known, connectionBurst, connectionsPerSecond);
  }

  /**
   * Whether more strangers come than there is time for: then one more is closed without a word, as by TLS
   * a word costs as much as what it refuses.
   */
  isTooMuch(address: string): boolean {
    return this.#strangers.isTooMuch(address, this.#nowMs());
  }

  /**
   * Why one more connection of `address` has to be turned away; undefined if it need not, and then there
   * is room for it.
   */
  refusal(address: string): string | undefined {
    const { connectionsMax, connectionsPerAddressMax, anonymousConnectionsMax } = this.#limits;
    const source = sourceOf(address);
    const nowMs = this.#nowMs();
    const waitMs = this.#begun.waitMs(source, nowMs);
    if (waitMs > 0) return `too many connections of one address, try again in ${waitMs} ms`;
    this.#begun.charge(source, nowMs);
    if (this.#registry.connectionsOf(address) >= connectionsPerAddressMax) {
      return `this server takes ${connectionsPerAddressMax} connections of one address`;
    }
    if (this.#registry.anonymousCount >= anonymousConnectionsMax && !this.#makeRoom()) {
      return `this server takes ${anonymousConnectionsMax} connections that are not signed in`;
    }
    if (this.#registry.size >= connectionsMax && !this.#makeRoom() && !this.#makeRoomOfMost()) {
      return `this server takes ${connectionsMax} connections`;
    }
    return undefined;
  }

  #makeRoom(): boolean {
    const longest = this.#registry.longestAnonymous();
    longest?.end("anonymousConnectionsMax");
    return longest !== undefined;
  }

  /** One account, from a few addresses, could have all connections that there are. */
  #makeRoomOfMost(): boolean {
    const longest = this.#registry.longestOfMost(MANY_OF_ACCOUNT);
    longest?.end("connectionsMax");
    return longest !== undefined;
  }
}
