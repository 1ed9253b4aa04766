import { encodeMessage, writeEvent } from "../codec/message.ts";
import type { Commit } from "./commit.ts";
import type { Account } from "./core/account_table.ts";
import type { Change } from "./core/effects.ts";
import type { ChatState } from "./core/state.ts";
import type { SessionRegistry } from "./registry.ts";

/**
 * Tells sessions what happened: those that subscribed, that there is something new; those whose
 * account is gone or has another password, that they are over.
 */
export class Broadcast {
  readonly #state: ChatState;
  readonly #registry: SessionRegistry;
  readonly #commit: Commit;

  constructor(state: ChatState, registry: SessionRegistry, commit: Commit) {
    this.#state = state;
    this.#registry = registry;
    this.#commit = commit;
    commit.onChange((change) => this.#tell(change));
  }

  /** To those who share a conversation with `account`. */
  presence(account: Account, online: boolean): void {
    const name = this.#state.accounts.nameOf(account);
    // Nearly all are at one cursor, the node's: few frames are made.
    const frames = new Map<string, Uint8Array>();
    const frameAt = (cursor: string): Uint8Array => {
      const made = frames.get(cursor);
      if (made !== undefined) return made;
      const payload = { name, online, cursor };
      const frame = encodeMessage(writeEvent, { kind: "presence", payload });
      frames.set(cursor, frame);
      return frame;
    };
    for (const number of account.conversations.keys()) {
      for (const session of this.#registry.sessionsOf(this.#state.accounts.at(number))) {
        session.tellNow(this.#commit.position, frameAt);
      }
    }
  }

  #tell(change: Change): void {
    if ("concerned" in change) {
      for (const account of change.concerned) {
        for (const session of this.#registry.sessionsOf(account)) session.tellNew();
      }
    }
    // A name that is claimed twice has another owner now, perhaps.
    if (change.kind === "account_created") {
      const { accounts } = this.#state;
      for (const claimant of accounts.claimantsOf(change.account.claim?.name ?? "")) {
        for (const session of this.#registry.sessionsOf(claimant)) session.checkName();
      }
    }
    // After the event: that a session ends may tell of presence, with a cursor past the event.
    if (change.kind === "password_changed" || change.kind === "account_deleted") {
      for (const session of [...this.#registry.sessionsOf(change.account)]) {
        session.checkCredential();
      }
    }
  }
}
