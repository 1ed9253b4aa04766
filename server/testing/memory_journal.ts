import type { BatchLog } from "../commit.ts";
import type { Entry, StateRecord } from "../core/state_record.ts";
import type { VersionVector } from "../core/version_vector.ts";
import { BatchEncoder } from "../journal/batch.ts";
import type { WrittenBatch } from "../journal/journal.ts";
import { JournalIndex } from "../journal/journal_index.ts";
import type { StateSource } from "../journal/state_reader.ts";
import type { OperationLog, OperationReader } from "../sync/outgoing.ts";

const NEWLINE = 0x0a;

/** A journal in memory, in the format of the real one, durable at once. */
export class MemoryJournal implements BatchLog, OperationLog {
  readonly #encoder = new BatchEncoder();
  readonly #index = new JournalIndex();
  /** Lines of state, in place of the journal before {@linkcode #base}. */
  #snapshot = new Uint8Array(0);
  #base = 0;
  #file = new Uint8Array(0);
  #entries: Entry[] = [];
  /** How often somebody read in it, and how often a state was read from its beginning. */
  reads = 0;
  statesBegun = 0;

  constructor() {
    this.#index.mark(0);
  }

  /** What it holds, in order: a snapshot first. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get losses(): number {
    return this.#index.losses;
  }

  get end(): number {
    return this.#base + this.#file.length;
  }

  writeBatch(entries: readonly Entry[]): Promise<WrittenBatch> {
    this.#encoder.encode(entries, 0);
    const { written: bytes, ends } = this.#encoder;
    const at = this.end;
    this.#file = concat(this.#file, bytes);
    this.#entries.push(...entries);
    for (const entry of entries) this.#index.note(entry);
    this.#index.endBatch(this.end);
    return Promise.resolve({ at, bytes, ends });
  }

  /** Puts a snapshot in the place of all that is there. */
  compact(records: readonly StateRecord[]): void {
    this.#snapshot = new Uint8Array(0);
    for (let next = 0; next < records.length;) {
      next = this.#encoder.encode(records, next);
      this.#snapshot = concat(this.#snapshot, this.#encoder.written);
    }
    this.#base = this.end;
    this.#file = new Uint8Array(0);
    this.#entries = [...records];
    this.#index.mark(this.#base);
    this.#index.forgetBefore(this.#base);
  }

  placeOf(known: VersionVector, isWanted: (origin: string) => boolean): number | undefined {
    return this.#index.placeOf(known, isWanted);
  }

  openReader(): OperationReader {
    return { read: (at, bytesMax) => this.#read(at, bytesMax), close() {} };
  }

  openState(): Promise<StateSource> {
    const all = concat(this.#snapshot, this.#file.subarray(0, this.#index.start - this.#base));
    return Promise.resolve({
      id: `${this.#base}-${all.length}`,
      bytes: all.length,
      vector: this.#index.startVector,
      read: (at, bytesMax) => {
        if (at === 0) this.statesBegun++;
        return Promise.resolve(linesOf(all, at, bytesMax));
      },
      close() {},
    });
  }

  #read(at: number, bytesMax: number): Promise<Uint8Array | undefined> {
    this.reads++;
    const lines = at < this.#base ? undefined : linesOf(this.#file, at - this.#base, bytesMax);
    return Promise.resolve(lines);
  }
}

function linesOf(bytes: Uint8Array, at: number, bytesMax: number): Uint8Array {
  const end = bytes.subarray(0, at + bytesMax).lastIndexOf(NEWLINE) + 1;
  return bytes.slice(at, end > at ? end : bytes.indexOf(NEWLINE, at) + 1);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
