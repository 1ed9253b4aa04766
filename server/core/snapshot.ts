import type { Account } from "./account_table.ts";
import type { EventSource } from "./event_feed.ts";
import type { Row } from "./message_table.ts";
import type { AccountId, MessageId, Provenance } from "./operation.ts";
import type { ChatState, ToldFrom } from "./state.ts";
import {
  type AccountState,
  type DeletedState,
  type LooseOperation,
  type MessageState,
  NO_PLACE,
  type StateRecord,
} from "./state_record.ts";

/** So many deleted messages are gathered before they are written, by sender. */
const DELETED_GATHERED_MAX = 2 ** 14;
/** Deleted messages in one record at most. */
const DELETED_PER_RECORD_MAX = 500;
/** Events that are looked at in one step. */
const EVENTS_PER_STEP = 1024;

/**
 * Whether that a message is gone, by this operation, need not be kept any more. `isOfNobody`: its sender's
 * account is gone, so that it could not come again.
 */
export type MayForget = (id: MessageId, deletion: EventSource, isOfNobody: boolean) => boolean;

/**
 * All that `state` holds, as records to be merged: everything but which operations they stand for. It
 * may change while this is running: what changed may or may not be in the records, so whoever merges
 * them has to be given the operations since the start, too.
 *
 * In each step little is done: undefined is one without a record.
 */
export function* recordsOf(
  state: ChatState,
  mayForget: MayForget = () => false,
): Generator<StateRecord | undefined> {
  const { accounts, messages } = state;
  const rows = messages.length;
  for (const { timeMs, vector } of state.history.checkpoints) {
    yield { kind: "checkpoint", ...NO_PLACE, timeMs, vector: new Map(vector.entries()) };
  }
  // Before all rows: what is early now may have come by the time that its row is looked at.
  for (const [row, early] of [...state.early]) yield* earlyOperations(state, row, early);
  const sources = new Sources(state, rows);
  // No more than there are now: with those that come meanwhile it might never end.
  const events = state.feed.length;
  while (sources.noted < events && sources.noteSome()) yield undefined;
  const told = new Set<Account>();
  for (let number = 0; number < accounts.length; number++) {
    yield accountState(accounts.at(number), told);
  }
  const deleted = new DeletedMessages(state);
  for (let row = 0; row < rows; row++) {
    if (!messages.hasCome(row)) yield undefined;
    else if (messages.isDeleted(row) || state.sender(row).deleted) {
      const sender = state.sender(row);
      const from = sources.deletionOf(row) ?? sender.deletion;
      const isKept = from !== undefined && !mayForget(messages.idOf(row), from, sender.deleted);
      if (isKept) deleted.add(row, from);
      if (deleted.isFull) yield* deleted.take();
      else yield undefined;
    } else {
      // Merged before its account is known as deleted, it would seem to be there.
      const recipient = state.recipient(row);
      if (recipient.deleted && !told.has(recipient)) yield accountState(recipient, told);
      const { deletion } = recipient;
      if (deletion !== undefined && mayForget(messages.idOf(row), deletion, false)) yield undefined;
      else yield messageState(state, row, messages.isRead(row) ? sources.readOf(row) : undefined);
    }
  }
  yield* deleted.take();
  for (const operation of [...state.unknown]) {
    yield { kind: "loose_operation", ...NO_PLACE, operation };
  }
}

function accountState(account: Account, told: Set<Account>): AccountState | undefined {
  const { id, claim, password, deletion } = account;
  if (claim === undefined && password === undefined && deletion === undefined) return undefined;
  if (deletion !== undefined) told.add(account);
  return {
    kind: "account_state",
    ...NO_PLACE,
    account: id,
    ...(claim && { claim: { ...claim, at: placeOf(claim.at) } }),
    ...(password && { password: { ...password, at: placeOf(password.at) } }),
    ...(deletion && { deletion: placeOf(deletion) }),
  };
}

function messageState(state: ChatState, row: Row, read: EventSource | undefined): MessageState {
  const { accounts, messages } = state;
  const recipient = state.recipient(row);
  return {
    kind: "message_state",
    ...NO_PLACE,
    id: messages.idOf(row),
    sender: accounts.nameOf(state.sender(row)),
    recipient: accounts.nameOf(recipient),
    recipientAccount: recipient.id,
    content: messages.contentOf(row),
    at: messages.provenanceOf(row),
    ...(read && { read }),
  };
}

/** What is known of messages that have not come is kept as the operations that said it. */
function* earlyOperations(
  state: ChatState,
  row: Row,
  early: readonly ToldFrom[],
): Generator<LooseOperation> {
  const ids = [state.messages.idOf(row)];
  for (const { event, from } of early) {
    if (event.kind === "message") continue;
    const by = event.kind === "read" ? state.accounts.idOf(event.reader) : "";
    const at = { timeMs: 0, tick: 0, ...from };
    const kind = event.kind === "read" ? "messages_read" : "messages_deleted";
    yield { kind: "loose_operation", ...NO_PLACE, operation: { kind, by, ids, ...at } };
  }
}

function placeOf({ timeMs, tick, origin, seq }: Provenance): Provenance {
  return { timeMs, tick, origin, seq };
}

/** Which operations read and deleted messages: of a row, the number of its event, and one more. */
class Sources {
  readonly #state: ChatState;
  readonly #read: Uint32Array;
  readonly #deleted: Uint32Array;
  #noted = 0;

  constructor(state: ChatState, rows: number) {
    this.#state = state;
    this.#read = new Uint32Array(rows);
    this.#deleted = new Uint32Array(rows);
  }

  /** Looks at some of the events that it has not looked at; false if there was none. */
  noteSome(): boolean {
    const { feed } = this.#state;
    const end = Math.min(feed.length, this.#noted + EVENTS_PER_STEP);
    if (this.#noted === end) return false;
    for (; this.#noted < end; this.#noted++) this.#note(this.#noted);
    return true;
  }

  /** Events that it has looked at. */
  get noted(): number {
    return this.#noted;
  }

  readOf(row: Row): EventSource | undefined {
    return this.#sourceOf(this.#read, row);
  }

  deletionOf(row: Row): EventSource | undefined {
    return this.#sourceOf(this.#deleted, row);
  }

  #note(number: number): void {
    const event = this.#state.feed.eventOf(number);
    if (event.kind === "message" || (event.kind === "deleted" && event.isWithdrawal)) return;
    const numbers = event.kind === "read" ? this.#read : this.#deleted;
    for (const row of event.rows) if (row < numbers.length) numbers[row] = number + 1;
  }

  #sourceOf(numbers: Uint32Array, row: Row): EventSource | undefined {
    // It may have happened since.
    while (numbers[row] === 0 && this.noteSome());
    const number = numbers[row] ?? 0;
    return number === 0 ? undefined : this.#state.feed.sourceOf(number - 1);
  }
}

/** Gathers deleted messages, for few records with many of them. */
class DeletedMessages {
  readonly #state: ChatState;
  readonly #groups = new Map<string, DeletedGroup>();
  #count = 0;

  constructor(state: ChatState) {
    this.#state = state;
  }

  get isFull(): boolean {
    return this.#count >= DELETED_GATHERED_MAX;
  }

  add(row: Row, { origin, seq }: EventSource): void {
    const { messages } = this.#state;
    const sender = messages.senderIdOf(row);
    const key = `${sender} ${origin}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { sender, by: origin, sentMs: 0, deleted: [] };
      this.#groups.set(key, group);
    }
    group.sentMs = Math.max(group.sentMs, messages.timeMsOf(row));
    const { id: to } = this.#state.recipient(row);
    group.deleted.push({ id: messages.idOf(row), to, seq });
    this.#count++;
  }

  *take(): Generator<DeletedState> {
    for (const { sender, by, sentMs, deleted } of this.#groups.values()) {
      for (let start = 0; start < deleted.length; start += DELETED_PER_RECORD_MAX) {
        const recipients = new Map<AccountId, number>();
        const some = deleted.slice(start, start + DELETED_PER_RECORD_MAX).map(({ id, to, seq }) => {
          const recipient = recipients.get(to) ?? recipients.size;
          recipients.set(to, recipient);
          return { id, recipient, seq };
        });
        const parts = { sender, by, sentMs, recipients: [...recipients.keys()], deleted: some };
        yield { kind: "deleted_state", ...NO_PLACE, ...parts };
      }
    }
    this.#groups.clear();
    this.#count = 0;
  }
}

interface DeletedGroup {
  readonly sender: AccountId;
  readonly by: string;
  sentMs: number;
  readonly deleted: { readonly id: MessageId; readonly to: AccountId; readonly seq: number }[];
}
