import { encodeMessage, type Event, LIST_ITEMS_MAX, writeEvent } from "../codec/message.ts";
import type { Commit } from "./commit.ts";
import type { Account } from "./core/account_table.ts";
import type { Change } from "./core/apply.ts";
import type { FeedEvent } from "./core/event_feed.ts";
import type { Operation, Provenance } from "./core/operation.ts";
import type { ChatState } from "./core/state.ts";
import type { VersionVector } from "./core/version_vector.ts";
import type { SessionRegistry } from "./registry.ts";
import { describeMessage } from "./requests/message.ts";

/**
 * Tells sessions what happened: events to those that subscribed, the end to those whose account is
 * gone or has another password.
 */
export class Broadcast {
  readonly #state: ChatState;
  readonly #registry: SessionRegistry;
  readonly #commit: Commit;

  constructor(state: ChatState, registry: SessionRegistry, commit: Commit) {
    this.#state = state;
    this.#registry = registry;
    this.#commit = commit;
    commit.onChange((change, operation) => this.#tell(change, operation));
  }

  /** To those who share a conversation with `account`. */
  presence(account: Account, online: boolean): void {
    const friends = [...account.conversations.keys()].map((number) => this.#state.accounts.at(number));
    const name = this.#state.accounts.nameOf(account);
    this.#send(friends, () => {
      const cursor = this.#state.vector.toString();
      return [{ kind: "presence", payload: { name, online, cursor } }];
    });
  }

  #tell(change: Change, operation: Operation): void {
    if (change.kind === "password_changed" || change.kind === "account_deleted") {
      for (const session of [...this.#registry.sessionsOf(change.account)]) session.checkCredential();
    }
    if (!("event" in change)) return;
    const { event, concerned } = change;
    this.#send(concerned, (viewer) => {
      return describeEvent(this.#state, event, viewer, this.#state.vector, operation);
    });
  }

  /** Encodes once for all sessions of an account. */
  #send(accounts: Iterable<Account>, describe: (viewer: Account) => readonly Event[]): void {
    for (const account of accounts) {
      let frames: readonly Uint8Array[] | undefined;
      for (const session of this.#registry.sessionsOf(account)) {
        if (!session.isLive) continue;
        frames ??= describe(account).map((event) => encodeMessage(writeEvent, event));
        for (const frame of frames) session.push(this.#commit.position, frame);
      }
    }
  }
}

/**
 * An event as `viewer` may see it, in frames of at most 1,000 ids: none if nothing of it is theirs
 * to see, or its message is gone by now. `seen` is what a client has that has got it. If a client is
 * cut off between two frames of one event, it resumes from before it.
 */
export function describeEvent(
  state: ChatState,
  event: FeedEvent,
  viewer: Account,
  seen: VersionVector,
  from: Pick<Provenance, "origin" | "seq">,
): readonly Event[] {
  const { accounts, messages } = state;
  if (event.kind === "message") {
    if (!messages.isPresent(event.row)) return [];
    const payload = { ...describeMessage(state, event.row), cursor: seen.toString() };
    return [{ kind: "message", payload }];
  }
  const ids = event.rows
    .filter((row) => messages.senderOf(row) === viewer.number || messages.recipientOf(row) === viewer.number)
    .map((row) => messages.idOf(row));
  const parts: Event[] = [];
  for (let start = 0; start < ids.length; start += LIST_ITEMS_MAX) {
    const part = ids.slice(start, start + LIST_ITEMS_MAX);
    const isLast = start + LIST_ITEMS_MAX >= ids.length;
    const cursor = (isLast ? seen : justBefore(seen, from)).toString();
    if (event.kind === "read") {
      const reader = accounts.nameOf(accounts.at(event.reader));
      parts.push({ kind: "read", payload: { reader, ids: part, cursor } });
    } else {
      parts.push({ kind: "deleted", payload: { ids: part, cursor } });
    }
  }
  return parts;
}

function justBefore(
  seen: VersionVector,
  { origin, seq }: Pick<Provenance, "origin" | "seq">,
): VersionVector {
  const before = seen.copy();
  before.advance(origin, seq - 1);
  return before;
}
