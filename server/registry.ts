import type { Account } from "./core/account_table.ts";
import type { Position } from "./commit.ts";
import type { Limits } from "./limits.ts";

/** What others see of a client's connection: see session.ts. */
export interface ConnectedClient {
  /** Where it comes from: limits count per address. */
  readonly address: string;
  /** There is something new in its account's feed. */
  tellNew(): void;
  /**
   * Sends an event that is in no feed, unless it still catches up: what is, comes first. `frameAt` makes
   * the frame of it with a cursor: that of this client may be ahead of the node.
   */
  tellNow(position: Position, frameAt: (cursor: string) => Uint8Array): void;
  /** Tells it if its account has come to be called otherwise. */
  checkName(): void;
  /** Ends it if its account is gone or has another password than it signed in with. */
  checkCredential(): void;
  /** Ends it if it has waited too long: for its sign-in, or for its reader. */
  checkDeadlines(nowMs: number): void;
  /** Waits until all that it was sent is out, then ends it. */
  finish(): Promise<void>;
  end(reason?: "stopping"): void;
}

/** Who is connected: every session, by address and, once signed in, by account. */
export class SessionRegistry {
  readonly #limits: Limits;
  readonly #sessions = new Set<ConnectedClient>();
  readonly #byAccount = new Map<Account, Set<ConnectedClient>>();
  readonly #perAddress = new Map<string, number>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get accountsOnline(): number {
    return this.#byAccount.size;
  }

  /** Why one more connection of `address` has to be turned away; undefined if it need not. */
  refusal(address: string): string | undefined {
    if (this.#sessions.size >= this.#limits.connectionsMax) {
      return `this server takes ${this.#limits.connectionsMax} connections`;
    }
    if (this.connectionsOf(address) >= this.#limits.connectionsPerAddressMax) {
      return `this server takes ${this.#limits.connectionsPerAddressMax} connections of one address`;
    }
    return undefined;
  }

  connectionsOf(address: string): number {
    return this.#perAddress.get(address) ?? 0;
  }

  add(session: ConnectedClient): void {
    this.#sessions.add(session);
    this.#perAddress.set(session.address, this.connectionsOf(session.address) + 1);
  }

  remove(session: ConnectedClient): void {
    if (!this.#sessions.delete(session)) return;
    const left = this.connectionsOf(session.address) - 1;
    if (left > 0) this.#perAddress.set(session.address, left);
    else this.#perAddress.delete(session.address);
  }

  all(): Iterable<ConnectedClient> {
    return this.#sessions;
  }

  /** Those who are signed in. */
  accounts(): Iterable<Account> {
    return this.#byAccount.keys();
  }

  isOnline(account: Account): boolean {
    return this.#byAccount.has(account);
  }

  sessionsOf(account: Account): Iterable<ConnectedClient> {
    return this.#byAccount.get(account) ?? [];
  }

  /** True if it is the account's first session. */
  signIn(session: ConnectedClient, account: Account): boolean {
    const sessions = this.#byAccount.get(account);
    if (sessions === undefined) this.#byAccount.set(account, new Set([session]));
    else sessions.add(session);
    return sessions === undefined;
  }

  /** True if it was the account's last session. */
  signOut(session: ConnectedClient, account: Account): boolean {
    const sessions = this.#byAccount.get(account);
    if (sessions === undefined || !sessions.delete(session) || sessions.size > 0) return false;
    return this.#byAccount.delete(account);
  }
}
