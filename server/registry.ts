import { sourceOf } from "./guard/address.ts";
import type { Position } from "./commit.ts";
import type { Account } from "./core/account_table.ts";
import { KnownSources } from "./guard/known_sources.ts";
import type { EndingLimit } from "./limits.ts";

/** Why a connection ends. */
export type EndReason = EndingLimit | "disconnected" | "ended_elsewhere" | "stopping";

/** What others see of a client's connection: see session.ts. */
export interface ConnectedClient {
  /** Where it comes from: limits count per address. */
  readonly address: string;
  /** Whether it waits for the answer to a request, as while a password is checked. */
  readonly isAnswering: boolean;
  /** How much of its output waits, in bytes. */
  readonly waitingBytes: number;
  /** How much memory the beginning of a frame takes of which not all has come, in bytes. */
  readonly heldBytes: number;
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
  end(reason?: EndReason): void;
}

/** Who is connected: every session, by address and, once signed in, by account. */
export class SessionRegistry {
  /** From where somebody has signed in. */
  readonly known = new KnownSources();
  readonly #sessions = new Set<ConnectedClient>();
  readonly #byAccount = new Map<Account, Set<ConnectedClient>>();
  readonly #perSource = new Map<string, number>();
  /** Those who are not signed in, by source: for longest first. */
  readonly #anonymous = new Map<string, Set<ConnectedClient>>();
  #anonymousCount = 0;

  get size(): number {
    return this.#sessions.size;
  }

  get accountsOnline(): number {
    return this.#byAccount.size;
  }

  /** How many are not signed in. */
  get anonymousCount(): number {
    return this.#anonymousCount;
  }

  /** Of this address, or those that count as the same. */
  connectionsOf(address: string): number {
    return this.#perSource.get(sourceOf(address)) ?? 0;
  }

  add(session: ConnectedClient): void {
    const source = sourceOf(session.address);
    this.#sessions.add(session);
    this.#perSource.set(source, (this.#perSource.get(source) ?? 0) + 1);
    this.#addAnonymous(session);
  }

  remove(session: ConnectedClient): void {
    if (!this.#sessions.delete(session)) return;
    const source = sourceOf(session.address);
    const left = (this.#perSource.get(source) ?? 0) - 1;
    if (left > 0) this.#perSource.set(source, left);
    else this.#perSource.delete(source);
    this.#removeAnonymous(session);
  }

  /**
   * Of those who are not signed in and wait for nothing, the one that has been there for longest, from
   * where most of them come.
   */
  longestAnonymous(): ConnectedClient | undefined {
    let longest: ConnectedClient | undefined;
    let most = 0;
    for (const sessions of this.#anonymous.values()) {
      if (sessions.size <= most) continue;
      for (const session of sessions) {
        if (session.isAnswering) continue;
        [longest, most] = [session, sessions.size];
        break;
      }
    }
    return longest;
  }

  /** The one that has been there for longest of the account with most of them, if those are so many. */
  longestOfMost(countMin: number): ConnectedClient | undefined {
    let most: Set<ConnectedClient> | undefined;
    for (const sessions of this.#byAccount.values()) {
      if (sessions.size >= Math.max(countMin, (most?.size ?? 0) + 1)) most = sessions;
    }
    const [longest] = most ?? [];
    return longest;
  }

  /** The one with most of it, if any has some. */
  fullest(of: "waitingBytes" | "heldBytes"): ConnectedClient | undefined {
    let fullest: ConnectedClient | undefined;
    for (const session of this.#sessions) {
      if (session[of] > (fullest?.[of] ?? 0)) fullest = session;
    }
    return fullest;
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

  connectionsOfAccount(account: Account): number {
    return this.#byAccount.get(account)?.size ?? 0;
  }

  sessionsOf(account: Account): Iterable<ConnectedClient> {
    return this.#byAccount.get(account) ?? [];
  }

  /** True if it is the account's first session. */
  signIn(session: ConnectedClient, account: Account): boolean {
    this.#removeAnonymous(session);
    this.known.add(session.address);
    const sessions = this.#byAccount.get(account);
    if (sessions === undefined) this.#byAccount.set(account, new Set([session]));
    else sessions.add(session);
    return sessions === undefined;
  }

  /** True if it was the account's last session. */
  signOut(session: ConnectedClient, account: Account): boolean {
    this.#addAnonymous(session);
    const sessions = this.#byAccount.get(account);
    if (sessions === undefined || !sessions.delete(session) || sessions.size > 0) return false;
    return this.#byAccount.delete(account);
  }

  #addAnonymous(session: ConnectedClient): void {
    const source = sourceOf(session.address);
    const sessions = this.#anonymous.get(source);
    if (sessions === undefined) this.#anonymous.set(source, new Set([session]));
    else sessions.add(session);
    this.#anonymousCount++;
  }

  #removeAnonymous(session: ConnectedClient): void {
    const source = sourceOf(session.address);
    const sessions = this.#anonymous.get(source);
    if (!sessions?.delete(session)) return;
    this.#anonymousCount--;
    if (sessions.size === 0) this.#anonymous.delete(source);
  }
}
