/**
 * Operations: the facts that changed the state. Everything a node knows is the fold of operations;
 * live requests, replay after a crash and peers all go through the same `apply`.
 */

/** Hybrid logical time: ms since 1970, and a counter for what happens within one ms. */
export interface Stamp {
  readonly timeMs: number;
  readonly tick: number;
}

/** Who an operation is from, which of theirs it is, and when it was made. */
export interface Provenance extends Stamp {
  /** `node.epoch`: see {@linkcode originOf}. */
  readonly origin: string;
  /** 1, 2, 3… per origin, without gaps. */
  readonly seq: number;
}

/**
 * One incarnation of an account: 12 characters of base32. A name that is deleted and registered
 * again has a new one.
 */
export type AccountId = string;

/** A message's identity, made of its sender's account and its key: see message_id.ts. */
export type MessageId = string;

export interface MessageSent {
  readonly kind: "message_sent";
  readonly id: MessageId;
  /** Both names as they were then, for whoever reads the journal; accounts decide. */
  readonly sender: string;
  readonly recipient: string;
  readonly recipientAccount: AccountId;
  readonly content: string;
}

export interface MessagesRead {
  readonly kind: "messages_read";
  readonly by: AccountId;
  readonly ids: readonly MessageId[];
}

export interface MessagesDeleted {
  readonly kind: "messages_deleted";
  readonly by: AccountId;
  readonly ids: readonly MessageId[];
}

export interface AccountCreated {
  readonly kind: "account_created";
  readonly account: AccountId;
  readonly name: string;
  /** 1 for a new name, one more than the last for a name that was deleted. */
  readonly generation: number;
  /** Salted hash with its parameters: see password.ts. */
  readonly password: string;
}

export interface PasswordChanged {
  readonly kind: "password_changed";
  readonly account: AccountId;
  readonly password: string;
  /**
   * 2 for the first change, and one more than what is known for every further one: a change that
   * knows of another wins over it, whatever their nodes' clocks say.
   */
  readonly version: number;
}

export interface AccountDeleted {
  readonly kind: "account_deleted";
  readonly account: AccountId;
}

/** A fact that a newer version knows: kept and passed on as it came. */
export interface UnknownFact {
  readonly kind: "unknown";
  /** The journal's line without its CRC, so that nothing of it is lost. */
  readonly line: string;
}

/** What a request decided, before it has its place in the order of things. */
export type Fact =
  | MessageSent
  | MessagesRead
  | MessagesDeleted
  | AccountCreated
  | PasswordChanged
  | AccountDeleted;

export type Operation = (Fact | UnknownFact) & Provenance;

/** Ids that one read or delete operation carries at most, so that no journal line grows huge. */
export const IDS_PER_OPERATION_MAX = 1000;

/** An origin's name: which node, in which of its epochs. */
export function originOf(node: string, epoch: string): string {
  return `${node}.${epoch}`;
}

/** Whether `text` can be an origin: others would choke on a vector that names anything else. */
export function isOrigin(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,32}\.[0-9a-z]{1,32}$/.test(text);
}

/** The node's name in an origin. */
export function nodeOf(origin: string): string {
  return origin.slice(0, origin.lastIndexOf("."));
}

/** The order of a conversation: (time, origin, seq). Negative if `a` comes first. */
export function compareProvenance(a: Provenance, b: Provenance): number {
  if (a.timeMs !== b.timeMs) return a.timeMs - b.timeMs;
  if (a.tick !== b.tick) return a.tick - b.tick;
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1;
  return a.seq - b.seq;
}
