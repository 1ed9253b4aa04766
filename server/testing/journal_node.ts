/** A node without sessions and peers: a state, and the data directory that it is kept in. */

import { apply } from "../core/apply.ts";
import { messageIdOf } from "../core/message_id.ts";
import { type Fact, type Operation, originOf, type Stamp } from "../core/operation.ts";
import { recordsOf } from "../core/snapshot.ts";
import { ChatState } from "../core/state.ts";
import { compact, type CompactionReport } from "../journal/compaction.ts";
import { type DataDirectory, openDataDirectory } from "../journal/data_directory.ts";
import { denoFiles } from "../journal/deno_files.ts";
import type { Files } from "../journal/files.ts";
import { seen } from "./observe.ts";

export const ANN = "aaaaaaaaaaaa";
export const BOB = "bbbbbbbbbbbb";

const NODE = "node1";
let epochs = 0;

export interface CompactionOptions {
  /** Is run between any two records of the snapshot. */
  readonly meanwhile?: () => Promise<void> | void;
}

export class JournalNode {
  readonly directory: DataDirectory;
  readonly state: ChatState;
  /** Epochs that operations were, or may have been, numbered in. */
  readonly origin: string;
  #stamp: Stamp = { timeMs: 1_795_000_000_000, tick: 0 };
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(directory: DataDirectory, state: ChatState) {
    this.directory = directory;
    this.state = state;
    this.origin = originOf(NODE, directory.epoch);
  }

  static async open(directory: string, files: Files = denoFiles): Promise<JournalNode> {
    const state = new ChatState();
    const opened = await openDataDirectory({
      directory,
      node: NODE,
      files,
      newEpoch: () => `e${++epochs}`,
      apply(entry) {
        const { kind } = apply(state, entry);
        return kind === "gap" || kind === "duplicate" ? `a ${kind}` : undefined;
      },
    });
    return new JournalNode(opened, state);
  }

  /** Gives facts their place in the sequence, and makes them a part of the state, but not yet durable. */
  decide(...facts: readonly Fact[]): Operation[] {
    return facts.map((fact) => {
      this.#stamp = { timeMs: this.#stamp.timeMs + 1, tick: 0 };
      const seq = this.state.vector.seqOf(this.origin) + 1;
      const operation: Operation = { ...fact, ...this.#stamp, origin: this.origin, seq };
      apply(this.state, operation);
      return operation;
    });
  }

  /** Resolves once they are acknowledged: one batch after another. */
  async write(...facts: readonly Fact[]): Promise<Operation[]> {
    const operations = this.decide(...facts);
    await this.append(operations);
    return operations;
  }

  /** Makes durable what is a part of the state already. */
  append(operations: readonly Operation[]): Promise<unknown> {
    this.#writing = this.#writing.then(() => this.directory.journal.writeBatch(operations));
    // Whoever wrote them is told.
    this.#writing.catch(() => {});
    return this.#writing;
  }

  async compact({ meanwhile }: CompactionOptions = {}): Promise<CompactionReport> {
    let ms = 0;
    return await compact({
      directory: this.directory,
      records: () => recordsOf(this.state),
      clock: () => this.#stamp,
      settled: async () => void await this.#writing,
      // Each look at it takes so long that there is a pause after each record.
      nowMs: () => ms++,
      pause: async () => await meanwhile?.(),
    });
  }

  /** All that has to be the same after a restart. */
  get summary() {
    return { digest: this.state.digest, seen: seen(this.state) };
  }

  async close(): Promise<void> {
    await this.directory.close();
  }
}

export function account(id: string, name: string): Fact {
  return { kind: "account_created", account: id, name, generation: 1, password: `hash of ${name}` };
}

export function sent(key: number, content = textOf(key)): Fact {
  const id = idOf(key);
  return {
    kind: "message_sent",
    id,
    sender: "ann",
    recipient: "bob",
    recipientAccount: BOB,
    content,
  };
}

/** Found in a directory's bytes wherever the message is. */
export function textOf(key: number): string {
  return `text <${key}>`;
}

export function read(...keys: readonly number[]): Fact {
  return { kind: "messages_read", by: BOB, ids: keys.map(idOf) };
}

export function deleted(...keys: readonly number[]): Fact {
  return { kind: "messages_deleted", by: ANN, ids: keys.map(idOf) };
}

export function idOf(key: number): string {
  return messageIdOf(ANN, `key ${key}`);
}
