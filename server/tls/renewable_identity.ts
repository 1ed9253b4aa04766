import type { NodeIdentity } from "./identity.ts";

/** A node's identity, which is replaced while the node runs: certificates expire. */
export class RenewableIdentity {
  #current: NodeIdentity | undefined;
  readonly #listeners: ((identity: NodeIdentity) => void | Promise<void>)[] = [];

  constructor(current: NodeIdentity | undefined) {
    this.#current = current;
  }

  /** Undefined if the node shows none: all is in plain text. */
  get current(): NodeIdentity | undefined {
    return this.#current;
  }

  /** Calls `listener` with every later identity. */
  onRenewed(listener: (identity: NodeIdentity) => void | Promise<void>): void {
    this.#listeners.push(listener);
  }

  /** Resolves once new connections are met with this identity; those that are open go on. */
  async renew(identity: NodeIdentity): Promise<void> {
    this.#current = identity;
    await Promise.all(this.#listeners.map((listener) => listener(identity)));
  }
}
