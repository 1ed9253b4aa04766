import type { Fact, Operation, Stamp } from "../core/operation.ts";
import type { ChatState } from "../core/state.ts";
import { type Entry, isStateRecord, type StateRecord } from "../core/state_record.ts";

/** Of one origin, operations that nobody has: from the first to the last of them. */
export interface Lost {
  readonly origin: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Gives a node what was intact on its damaged disk and no other node has. Whatever other nodes know
 * already is passed over; operations whose predecessors are nowhere any more cannot have their old
 * place: what they say is said again, by new operations of this node. Messages have their identity, so
 * that nothing is doubled by that, and deletions win in any order.
 */
export class Salvage {
  readonly #state: ChatState;
  readonly #take: (operation: Operation) => void;
  readonly #say: (fact: Fact, at?: Stamp) => void;
  readonly #lost: Lost[] = [];
  /** By origin, the last that was said again: what comes next has no gap before it. */
  readonly #seen = new Map<string, number>();
  /** Whether a line could not be read since the last file began to be whole. */
  #isBroken = false;
  #count = 0;

  /** `take` gives the node an operation in its place, `say` a fact as a new operation of its own. */
  constructor(
    state: ChatState,
    take: (operation: Operation) => void,
    say: (fact: Fact, at?: Stamp) => void,
  ) {
    this.#state = state;
    this.#take = take;
    this.#say = say;
  }

  /** What is lost for good, as far as what was intact tells. */
  get lost(): readonly Lost[] {
    return this.#lost;
  }

  /** How many operations and facts this node got back. */
  get count(): number {
    return this.#count;
  }

  add(entry: Entry | "unreadable"): void {
    if (entry === "unreadable") this.#isBroken = true;
    else if (isStateRecord(entry)) this.#addState(entry);
    else this.#addOperation(entry);
  }

  #addOperation(operation: Operation): void {
    const { vector } = this.#state;
    const { origin, seq } = operation;
    const due = Math.max(vector.seqOf(origin), this.#seen.get(origin) ?? 0) + 1;
    if (seq < due) return;
    if (seq === vector.seqOf(origin) + 1) {
      this.#take(operation);
      this.#count++;
      return;
    }
    if (seq > due) this.#lost.push({ origin, from: due, to: seq - 1 });
    this.#seen.set(origin, seq);
    this.#repeat(operation);
  }

  #addState(record: StateRecord): void {
    const { vector } = this.#state;
    switch (record.kind) {
      case "account_state": {
        const { account, claim, password, deletion } = record;
        if (claim !== undefined && password !== undefined && !vector.covers(claim.at)) {
          const { name, generation } = claim;
          const made = { kind: "account_created" as const, account, name, generation };
          this.#repeat({ ...made, password: password.hash, ...claim.at });
        }
        if (password !== undefined && password.version > 1 && !vector.covers(password.at)) {
          const { hash, version, at } = password;
          const changed = { kind: "password_changed" as const, account, version };
          this.#repeat({ ...changed, password: hash, ...at });
        }
        if (deletion !== undefined && !vector.covers(deletion)) {
          this.#repeat({ kind: "account_deleted", account, ...deletion });
        }
        return;
      }
      case "message_state": {
        const { id, sender, recipient, recipientAccount, content, at, read } = record;
        if (!vector.covers(at)) {
          const sent = { kind: "message_sent" as const, id, sender, recipient, recipientAccount };
          this.#repeat({ ...sent, content, ...at });
        }
        if (read !== undefined && !vector.covers(read)) {
          const marked = { kind: "messages_read" as const, by: recipientAccount, ids: [id] };
          this.#repeat({ ...marked, timeMs: 0, tick: 0, ...read });
        }
        return;
      }
      case "deleted_state": {
        const { sender, by: origin, deleted } = record;
        for (const { id, seq } of deleted) {
          const gone = { kind: "messages_deleted" as const, by: sender, ids: [id] };
          if (!vector.covers({ origin, seq })) {
            this.#repeat({ ...gone, timeMs: 0, tick: 0, origin, seq });
          }
        }
        return;
      }
      case "loose_operation":
        if (!vector.covers(record.operation)) this.#repeat(record.operation);
        return;
      case "checkpoint":
        return;
      case "coverage":
        for (const [origin, seq] of record.vector) {
          const known = vector.seqOf(origin);
          // What was intact of it was said again; which of these it was, nobody can tell.
          if (seq > known && this.#isBroken) this.#lost.push({ origin, from: known + 1, to: seq });
          this.#seen.set(origin, Math.max(seq, this.#seen.get(origin) ?? 0));
        }
        this.#isBroken = false;
        return;
      default:
        return record satisfies never;
    }
  }

  #repeat(operation: Operation): void {
    const fact = factOf(operation);
    if (fact === undefined) return;
    // A message keeps its time, and an account its age, which decides about its name.
    const { timeMs, tick } = operation;
    const isOld = fact.kind === "message_sent" || fact.kind === "account_created";
    this.#say(fact, isOld ? { timeMs, tick } : undefined);
    this.#count++;
  }
}

/** What an operation says, without its place. What only newer versions know cannot be said again. */
function factOf(operation: Operation): Fact | undefined {
  if (operation.kind === "unknown") return undefined;
  const { timeMs: _t, tick: _k, origin: _o, seq: _s, ...fact } = operation;
  return fact as Fact;
}
