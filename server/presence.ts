import type { Timer } from "./commit.ts";
import type { Account } from "./core/account_table.ts";
import type { AccountId } from "./core/operation.ts";
import type { ChatState } from "./core/state.ts";
import type { SessionRegistry } from "./registry.ts";

export interface PresenceParts {
  readonly state: ChatState;
  readonly registry: SessionRegistry;
  readonly timer: Timer;
  /** Tells people: the account is online on some node now, or on none any more. */
  readonly tell: (account: Account, online: boolean) => void;
}

/** What another node says of who is signed in there. */
export interface RemotePresence {
  /** Replaces all that it said before. */
  readonly fromScratch: boolean;
  readonly online: readonly AccountId[];
  readonly offline: readonly AccountId[];
}

/** How long those of a node that is lost count as online: their clients are following elsewhere. */
export const FOLLOW_MS = 3000;

/** Who is online, on whatever node. It is not stored: each node tells what it knows of its own. */
export class Presence {
  readonly #parts: PresenceParts;
  readonly #elsewhere = new Map<string, Set<AccountId>>();
  readonly #forgetting = new Map<string, () => void>();
  #tellNodes: ((account: AccountId, online: boolean) => void) | undefined;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  /** From now on other nodes are told of this one's. */
  tellNodes(tell: (account: AccountId, online: boolean) => void): void {
    this.#tellNodes = tell;
  }

  isOnline(account: Account): boolean {
    return this.#parts.registry.isOnline(account) || this.#isElsewhere(account.id);
  }

  /** The accounts that are signed in on this node. */
  *local(): Generator<AccountId> {
    for (const account of this.#parts.registry.accounts()) yield account.id;
  }

  /** The account's first session on this node has begun. */
  cameHere(account: Account): void {
    this.#tellNodes?.(account.id, true);
    if (!this.#isElsewhere(account.id)) this.#parts.tell(account, true);
  }

  /** The account's last session on this node has ended. */
  leftHere(account: Account): void {
    this.#tellNodes?.(account.id, false);
    if (!this.#isElsewhere(account.id)) this.#parts.tell(account, false);
  }

  changed(node: string, { fromScratch, online, offline }: RemotePresence): void {
    this.#keep(node);
    const there = this.#elsewhere.get(node) ?? new Set<AccountId>();
    // Only those that were named may have changed: it may be one of ten thousand.
    const named = new Set([...online, ...offline, ...(fromScratch ? there : [])]);
    const before = new Map([...named].map((id) => [id, this.#isAnywhere(id)]));
    if (fromScratch) there.clear();
    for (const id of online) there.add(id);
    for (const id of offline) there.delete(id);
    this.#elsewhere.set(node, there);
    for (const [id, wasOnline] of before) {
      const account = this.#parts.state.accounts.existing(id);
      const isOnline = this.#isAnywhere(id);
      if (account !== undefined && isOnline !== wasOnline) this.#parts.tell(account, isOnline);
    }
  }

  /** The node can tell nothing more. */
  lost(node: string): void {
    this.#keep(node);
    const cancel = this.#parts.timer.after(FOLLOW_MS, () => {
      this.changed(node, { fromScratch: true, online: [], offline: [] });
    });
    this.#forgetting.set(node, cancel);
  }

  /** No timer runs any more. */
  stop(): void {
    for (const cancel of this.#forgetting.values()) cancel();
  }

  #keep(node: string): void {
    this.#forgetting.get(node)?.();
    this.#forgetting.delete(node);
  }

  #isAnywhere(id: AccountId): boolean {
    const account = this.#parts.state.accounts.existing(id);
    return account !== undefined && this.isOnline(account);
  }

  #isElsewhere(id: AccountId): boolean {
    for (const there of this.#elsewhere.values()) if (there.has(id)) return true;
    return false;
  }
}
