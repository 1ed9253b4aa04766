import type { Account } from "../core/account_table.ts";
import { apply } from "../core/apply.ts";
import { isForgotten } from "../core/effects.ts";
import type { AccountId, Fact, MessageId, Operation, Stamp } from "../core/operation.ts";
import type { ChatState } from "../core/state.ts";
import type { VersionVector } from "../core/version_vector.ts";
import type { ExportedAccount, ExportedMessage } from "./export_line.ts";

export interface ImporterParts {
  /** Which operations the export is the result of, if it says so. */
  readonly exported?: VersionVector | undefined;
  readonly state: ChatState;
  /** The origin of the next operation. */
  readonly origin: () => string;
  /** The stamp of what is done only now. */
  readonly now: () => Stamp;
  /** Makes operations durable, in order. */
  readonly write: (operations: readonly Operation[]) => Promise<void>;
  /** A line for people. */
  readonly note: (line: string) => void;
}

/**
 * What became of a line. `deleted`: it was deleted here, or its account was, and stays so. `refusal`: why
 * it cannot be taken.
 */
export type Outcome = "new" | "known" | "deleted" | { readonly refusal: string };

/** Operations that are written together, and what they may take in UTF-16 units. */
const BATCH_OPERATIONS_MAX = 1000;
const BATCH_UNITS_MAX = 4 * 1024 * 1024;

/**
 * Makes operations of what an export has and this node lacks. Accounts and messages keep their ids and
 * their stamps, so what is here already, or comes from another node or import, is the same and stays
 * once. Nothing is done that only looks newer in the export: what was deleted stays deleted, what was
 * read stays read.
 */
export class Importer {
  readonly #parts: ImporterParts;
  /** Whether all that the export has was here once: what is not there was deleted, and may be forgotten. */
  readonly #wasHere: boolean;
  #batch: Operation[] = [];
  #units = 0;
  /** Messages that were read, by who read them: marked with the batch that has them. */
  readonly #read = new Map<AccountId, MessageId[]>();
  #readCount = 0;
  /** How many messages that were here are marked as read now, and how many passwords are newer. */
  readonly changed = { read: 0, passwords: 0 };

  constructor(parts: ImporterParts) {
    this.#parts = parts;
    const { exported, state } = parts;
    this.#wasHere = exported !== undefined && exported.entries().size > 0 &&
      state.vector.includes(exported);
  }

  /** Whether it is time to {@linkcode flush}. */
  get isFull(): boolean {
    return this.#batch.length + this.#readCount >= BATCH_OPERATIONS_MAX ||
      this.#units >= BATCH_UNITS_MAX;
  }

  /** Makes all that was taken durable. */
  async flush(): Promise<void> {
    for (const [by, ids] of this.#read) {
      this.#add({ kind: "messages_read", by, ids }, this.#parts.now());
    }
    this.#read.clear();
    this.#readCount = 0;
    const batch = this.#batch;
    this.#batch = [];
    this.#units = 0;
    if (batch.length > 0) await this.#parts.write(batch);
  }

  takeAccount(line: ExportedAccount): Outcome {
    const known = this.#heardOf(line.account);
    if (known?.deleted) return "deleted";
    if (known?.claim !== undefined) return this.#repeatAccount(line, known);
    const { account, name, generation, created, password } = line;
    if (password === undefined) {
      return refusal(
        "its password's hash is missing, as in every export of one person, and there is no such account here",
      );
    }
    const { accounts } = this.#parts.state;
    const before = accounts.named(name);
    const first = { kind: "account_created" as const, account, name, generation };
    this.#add({ ...first, password: password.hash }, created);
    this.#changePassword(line);
    const after = accounts.named(name);
    const made = accounts.get(account);
    if (before !== undefined && after === made) {
      this.#parts.note(
        `the name ${name} is now that of account ${account}, which had it first: ` +
          `account ${before.id} goes on as ${accounts.nameOf(before)}`,
      );
    } else if (after !== made) {
      this.#parts.note(
        `the name ${name} belongs to another account here: ` +
          `account ${account} goes on as ${accounts.nameOf(made)}`,
      );
    }
    return "new";
  }

  takeMessage(line: ExportedMessage): Outcome {
    const { state } = this.#parts;
    const { accounts, messages } = state;
    const { id, content, sent } = line;
    const [sender, recipient] = [
      this.#heardOf(line.senderAccount),
      this.#heardOf(line.recipientAccount),
    ];
    const row = messages.find(id);
    const isDeleted = row !== undefined && messages.isDeleted(row);
    if (isDeleted || sender?.deleted || recipient?.deleted) return "deleted";
    if (sender?.claim === undefined) return noAccount("sender", line.senderAccount);
    if (recipient?.claim === undefined) return noAccount("recipient", line.recipientAccount);
    const isHere = row !== undefined && messages.hasCome(row);
    if (isHere) {
      if (messages.recipientOf(row) !== recipient.number || messages.contentOf(row) !== content) {
        return refusal(`message ${id} is here with another text or recipient, which stays`);
      }
      if (line.isRead && !messages.isRead(row)) {
        this.#markRead(line);
        this.changed.read++;
      }
      return "known";
    }
    if (this.#wasHere) return "deleted";
    if (isForgotten(id, sent.timeMs)) {
      return refusal("by its id it was weeks old when it was sent, which no node accepts");
    }
    this.#add({
      kind: "message_sent",
      id,
      sender: accounts.nameOf(sender),
      recipient: accounts.nameOf(recipient),
      recipientAccount: recipient.id,
      content,
    }, sent);
    this.#units += content.length;
    if (line.isRead) this.#markRead(line);
    return "new";
  }

  #repeatAccount(line: ExportedAccount, known: Account): Outcome {
    if (known.claim?.name !== line.name) {
      return refusal(`account ${line.account} is here under another name, which stays`);
    }
    if (this.#changePassword(line)) this.changed.passwords++;
    return "known";
  }

  /** The one that knew of more changes wins, then the later one; false if that is here. */
  #changePassword({ account, password }: ExportedAccount): boolean {
    const known = this.#heardOf(account)?.password;
    if (
      password === undefined || known?.hash === password.hash && known.version === password.version
    ) {
      return false;
    }
    const { hash, version, changed } = password;
    const isNewer = known === undefined || version > known.version ||
      (version === known.version && isLater(changed, known.at));
    if (isNewer) this.#add({ kind: "password_changed", account, password: hash, version }, changed);
    return isNewer;
  }

  #markRead({ id, recipientAccount: by }: ExportedMessage): void {
    const ids = this.#read.get(by);
    if (ids === undefined) this.#read.set(by, [id]);
    else ids.push(id);
    this.#readCount++;
  }

  /** Without giving a place to an account that nobody spoke of. */
  #heardOf(id: AccountId): Account | undefined {
    const { accounts } = this.#parts.state;
    const number = accounts.existingNumberOf(id);
    return number === undefined ? undefined : accounts.at(number);
  }

  #add(fact: Fact, { timeMs, tick }: Stamp): void {
    const { state } = this.#parts;
    const origin = this.#parts.origin();
    const seq = state.vector.seqOf(origin) + 1;
    const operation = { ...fact, timeMs, tick, origin, seq };
    apply(state, operation);
    this.#batch.push(operation);
  }
}

function isLater(a: Stamp, b: Stamp): boolean {
  return a.timeMs > b.timeMs || (a.timeMs === b.timeMs && a.tick > b.tick);
}

function noAccount(role: string, account: AccountId): Outcome {
  return refusal(`its ${role}'s account ${account} is neither here nor before it in the file`);
}

function refusal(why: string): Outcome {
  return { refusal: why };
}
