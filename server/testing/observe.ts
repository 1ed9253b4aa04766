import type { Account } from "../core/account_table.ts";
import { MemberHash, SetDigest } from "../core/digest.ts";
import { senderOf } from "../core/message_id.ts";
import type { MessageId, Provenance } from "../core/operation.ts";
import type { ChatState } from "../core/state.ts";

/** Everything of a state that anybody can ever see, as plain data in one order everywhere. */
export interface Observed {
  accounts: ObservedAccount[];
  /** Per name ever claimed: who has it, and the generation of the next claim. */
  names: [name: string, owner: string | null, nextGeneration: number][];
  existingCount: number;
  messages: ObservedMessage[];
  presentCount: number;
  vector: [origin: string, seq: number][];
}

export interface ObservedAccount {
  id: string;
  name: string | null;
  generation: number | null;
  exists: boolean;
  deleted: boolean;
  password: string | null;
  unread: number;
  conversations: ObservedConversation[];
}

export interface ObservedConversation {
  with: string;
  unread: number;
  /** Oldest first. */
  ids: MessageId[];
}

export interface ObservedMessage {
  id: MessageId;
  status: "deleted" | "read" | "unread";
  /** Absent if it was deleted by its identity, or has not come. */
  put?: { recipient: string; at: Provenance };
  /** Null if it is not there. */
  content: string | null;
}

export function observe(state: ChatState): Observed {
  const accounts = accountsOf(state).filter(({ claim, deleted, password }) =>
    claim !== undefined || deleted || password !== undefined
  );
  const names = new Set(accounts.flatMap(({ claim }) => claim?.name ?? []));
  return {
    accounts: accounts.map((account) => observeAccount(state, account)).sort(by(({ id }) => id)),
    names: [...names].sort().map((name) => [
      name,
      state.accounts.named(name)?.id ?? null,
      state.accounts.nextGeneration(name),
    ]),
    existingCount: state.accounts.existingCount,
    messages: rowsOf(state).map((row) => observeMessage(state, row)).sort(by(({ id }) => id)),
    presentCount: state.messages.presentCount,
    vector: [...state.vector.entries()].sort(by(([origin]) => origin)),
  };
}

/** What of a state has to be the same after a snapshot: not how much is known of what is gone. */
export function seen(state: ChatState) {
  return seenOf(observe(state));
}

export function seenOf({ messages, ...rest }: Observed) {
  const gone = new Set(rest.accounts.filter(({ deleted }) => deleted).map(({ id }) => id));
  return {
    ...rest,
    messages: messages.filter(({ content }) => content !== null),
    deleted: messages.filter(({ status, id }) =>
      status === "deleted" && !gone.has(senderOf(id) ?? "")
    ).map(({ id }) => id),
  };
}

/** What the state keeps up to date step by step, counted again from scratch. */
export function recount(state: ChatState) {
  const { messages } = state;
  const digest = new SetDigest();
  const hashOf = (text: string) => new MemberHash().start().text(text).low;
  const unread = new Map<string, number>();
  let presentCount = 0;
  for (const row of rowsOf(state)) {
    if (!messages.isPresent(row)) continue;
    digest.add(messages.hashOf(row, hashOf(messages.senderIdOf(row))));
    presentCount++;
    if (messages.isRead(row)) continue;
    const pair = `${state.recipient(row).id} ${state.sender(row).id}`;
    unread.set(pair, (unread.get(pair) ?? 0) + 1);
  }
  for (const account of accountsOf(state)) {
    const { claim, deleted, password } = account;
    if (claim !== undefined || deleted || password !== undefined) {
      digest.add(state.accounts.hashOf(account));
    }
  }
  return {
    digest: digest.toString(),
    presentCount,
    unread: [...unread].sort(),
    unreadInAll: accountsOf(state).map(({ id, unread: _ }) => [id, unreadInAll(unread, id)]),
  };
}

/** The same as the state keeps it. */
export function counted(state: ChatState): ReturnType<typeof recount> {
  const unread: [string, number][] = [];
  for (const account of accountsOf(state)) {
    for (const [friend, conversation] of account.conversations) {
      const count = conversation.unreadBy(account.number);
      if (count !== 0) unread.push([`${account.id} ${state.accounts.idOf(friend)}`, count]);
    }
  }
  return {
    digest: state.digest,
    presentCount: state.messages.presentCount,
    unread: unread.sort(),
    unreadInAll: accountsOf(state).map(({ id, unread }) => [id, unread]),
  };
}

function observeAccount(state: ChatState, account: Account): ObservedAccount {
  const { id, claim, deleted, password, unread } = account;
  const exists = state.accounts.existing(id) === account;
  return {
    id,
    name: claim === undefined ? null : state.accounts.nameOf(account),
    generation: claim?.generation ?? null,
    exists,
    deleted,
    password: password?.hash ?? null,
    unread,
    conversations: [...account.conversations].map(([friend, conversation]) => ({
      with: state.accounts.idOf(friend),
      unread: conversation.unreadBy(account.number),
      ids: [...conversation.newestFirst()].reverse().map((row) => state.messages.idOf(row)),
    })).sort(by((conversation) => conversation.with)),
  };
}

function observeMessage(state: ChatState, row: number): ObservedMessage {
  const { messages } = state;
  const id = messages.idOf(row);
  if (messages.isDeleted(row)) return { id, status: "deleted", content: null };
  const status = messages.isRead(row) ? "read" : "unread";
  if (!messages.hasCome(row)) return { id, status, content: null };
  const put = { recipient: state.recipient(row).id, at: messages.provenanceOf(row) };
  return { id, status, put, content: messages.isPresent(row) ? messages.contentOf(row) : null };
}

function accountsOf({ accounts }: ChatState): Account[] {
  return Array.from({ length: accounts.length }, (_, number) => accounts.at(number));
}

function rowsOf({ messages }: ChatState): number[] {
  return Array.from({ length: messages.length }, (_, row) => row);
}

function unreadInAll(unread: Map<string, number>, account: string): number {
  let sum = 0;
  for (const [pair, count] of unread) if (pair.startsWith(`${account} `)) sum += count;
  return sum;
}

function by<T>(keyOf: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0;
}
