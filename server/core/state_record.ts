import type { EventSource } from "./event_feed.ts";
import type { AccountId, MessageId, Operation, Provenance, Stamp } from "./operation.ts";

/**
 * What operations led to, without the operations: a snapshot is a list of these. Each can be merged
 * into any state, in any order and more than once, and none has a place in an origin's sequence. Only
 * the last of a snapshot says which operations all of them together stand for.
 */
export type StateRecord =
  | AccountState
  | MessageState
  | DeletedState
  | LooseOperation
  | Checkpoint
  | Coverage;

/** What a journal holds, and nodes send each other. */
export type Entry = Operation | StateRecord;

/** Where an operation has its place, a record of the state has none. */
interface NoPlace {
  readonly origin: "";
  readonly seq: 0;
}

export const NO_PLACE: NoPlace = { origin: "", seq: 0 };

export interface AccountState extends NoPlace {
  readonly kind: "account_state";
  readonly account: AccountId;
  readonly claim?: { readonly name: string; readonly generation: number; readonly at: Provenance };
  readonly password?: { readonly hash: string; readonly version: number; readonly at: Provenance };
  readonly deletion?: Provenance;
}

/** A message that is there, or would be but for an account that was deleted: then its text is empty. */
export interface MessageState extends NoPlace {
  readonly kind: "message_state";
  readonly id: MessageId;
  readonly sender: string;
  readonly recipient: string;
  readonly recipientAccount: AccountId;
  readonly content: string;
  readonly at: Provenance;
  /** The operation that marked it as read. */
  readonly read?: EventSource;
}

/** Messages of one sender that were deleted, by operations of one origin: never to come back. */
export interface DeletedState extends NoPlace {
  readonly kind: "deleted_state";
  readonly sender: AccountId;
  /** None of them was sent after this, ms since 1970. */
  readonly sentMs: number;
  /** Whose operations deleted them. */
  readonly by: string;
  readonly recipients: readonly AccountId[];
  readonly deleted: readonly DeletedMessage[];
}

export interface DeletedMessage {
  readonly id: MessageId;
  /** Index into the recipients. */
  readonly recipient: number;
  /** Which operation deleted it. */
  readonly seq: number;
}

/** An operation whose effect is still to come, or that only newer versions understand. */
export interface LooseOperation extends NoPlace {
  readonly kind: "loose_operation";
  readonly operation: Operation;
}

/** All these operations had been made by then: so long ago is what they did, at least. */
export interface Checkpoint extends NoPlace {
  readonly kind: "checkpoint";
  /** ms since 1970. */
  readonly timeMs: number;
  readonly vector: ReadonlyMap<string, number>;
}

/** What came before, back to the start of the snapshot, stands for all these operations. */
export interface Coverage extends NoPlace {
  readonly kind: "coverage";
  readonly vector: ReadonlyMap<string, number>;
  /** The node's clock: no operation that is covered was stamped by it later. */
  readonly clock: Stamp;
}

export function isStateRecord(entry: Entry): entry is StateRecord {
  return entry.origin === "";
}
