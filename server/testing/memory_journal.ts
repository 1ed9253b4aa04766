import type { BatchLog } from "../commit.ts";
import type { Operation } from "../core/operation.ts";
import type { VersionVector } from "../core/version_vector.ts";
import { BatchEncoder } from "../journal/batch.ts";
import type { WrittenBatch } from "../journal/journal.ts";
import { JournalIndex } from "../journal/journal_index.ts";
import type { OperationLog, OperationReader } from "../sync/outgoing.ts";

const NEWLINE = 0x0a;

/** A journal in memory, in the format of the real one, durable at once. */
export class MemoryJournal implements BatchLog, OperationLog {
  readonly #encoder = new BatchEncoder();
  readonly #index = new JournalIndex();
  #file = new Uint8Array(0);
  readonly operations: Operation[] = [];
  /** How often somebody read in it. */
  reads = 0;

  constructor() {
    this.#index.begin(0);
  }

  get bytes(): number {
    return this.#file.length;
  }

  writeBatch(operations: readonly Operation[]): Promise<WrittenBatch> {
    this.#encoder.encode(operations, 0);
    const { written: bytes, ends } = this.#encoder;
    const at = this.#file.length;
    const longer = new Uint8Array(at + bytes.length);
    longer.set(this.#file);
    longer.set(bytes, at);
    this.#file = longer;
    this.operations.push(...operations);
    for (const operation of operations) this.#index.note(operation);
    this.#index.endBatch(this.bytes);
    return Promise.resolve({ at, bytes, ends });
  }

  placeOf(known: VersionVector, isWanted: (origin: string) => boolean): number {
    return this.#index.placeOf(known, isWanted);
  }

  openReader(): Promise<OperationReader> {
    return Promise.resolve({
      read: (at, bytesMax) => {
        this.reads++;
        const end = this.#file.subarray(0, at + bytesMax).lastIndexOf(NEWLINE) + 1;
        const whole = end > at ? end : this.#file.indexOf(NEWLINE, at) + 1;
        return Promise.resolve(this.#file.slice(at, whole));
      },
      close() {},
    });
  }
}
