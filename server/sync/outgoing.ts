import type { OperationName } from "../commit.ts";
import type { VersionVector } from "../core/version_vector.ts";
import { nameLines } from "../journal/lines.ts";
import type { StateSource } from "../journal/state_reader.ts";
import type { StatePart } from "./packet.ts";
import type { LineChunk, RecentBatches } from "./recent_batches.ts";

/** The journal, as far as it is on disk. */
export interface OperationLog {
  /** How often less than before could be read one by one. */
  readonly losses: number;
  /** Where the next batch will be. */
  readonly end: number;
  /**
   * A place before which stands nothing of the wanted origins that `known` does not cover; undefined if
   * not all of what it lacks can be read one by one.
   */
  placeOf(known: VersionVector, isWanted: (origin: string) => boolean): number | undefined;
  openReader(): OperationReader;
  /** All that the log says that is not there as operations, and more, to be merged. */
  openState(): Promise<StateSource>;
}

export interface OperationReader {
  /** About so many bytes of whole lines from `at` on; undefined if they can be read no more. */
  read(at: number, bytesMax: number): Promise<Uint8Array | undefined>;
  close(): void;
}

export interface OutgoingParts {
  readonly log: OperationLog;
  readonly recent: RecentBatches;
  readonly send: (lines: Uint8Array, part?: StatePart) => void;
  /** The other lacks what cannot be read one by one: it may have the whole state if it wants. */
  readonly offer: (state: { readonly state: string; readonly bytes: number }) => void;
  /** Lets others have their turn. */
  readonly nextTurn: () => Promise<void>;
  /** The journal could not be read. */
  readonly onFailure: (error: unknown) => void;
}

/** What is sent at once, but for a single longer line. */
export const CHUNK_BYTES_MAX = 256 * 1024;
/** Of a state: to merge its lines takes longer than to apply operations. */
const STATE_CHUNK_BYTES_MAX = 64 * 1024;
/**
 * At so many packets that are not acknowledged as durable nothing more is sent, so nothing queues
 * however slow the other is.
 */
export const UNACKED_PACKETS_MAX = 4;
/**
 * While one is not acknowledged, a smaller one waits and grows, as batches do while one is synced:
 * under load a packet costs more than the operations in it.
 */
const OVERLAPPING_BYTES_MIN = 64 * 1024;

/**
 * What one other node is sent: first what it lacks, then what is new, in one go through the journal,
 * of which the end is in memory. If it lacks what the journal has no more, it is offered the state.
 */
export class Outgoing {
  readonly #parts: OutgoingParts;
  /** What the other has, or will have if the stream holds. */
  readonly #known: VersionVector;
  #isWanted: ((origin: string) => boolean) | undefined;
  /** Origins of which the other gets nothing from whom it asked. */
  #rescued = new Set<string>();
  /** What was lacking at the last look, and still is if nobody helps. */
  #lackedAfter = new Map<string, number>();
  /** All of the journal before this place was sent, or is not for the other. */
  #at = 0;
  /** What it lacks cannot be read one by one. */
  #isBehind = false;
  /** {@linkcode OperationLog.losses} when that was looked at. */
  #losses = 0;
  /** The state that it has asked for, and where in it to go on. */
  #state: { readonly source: StateSource; at: number } | undefined;
  #isLive = false;
  #isReading = false;
  #isClosed = false;
  #reader: OperationReader | undefined;
  #sentPackets = 0;
  #ackedPackets = 0;

  /** `theirs` is what the other said that it has. */
  constructor(parts: OutgoingParts, theirs: VersionVector) {
    this.#parts = parts;
    this.#known = theirs.copy();
  }

  /** Whether the other was sent all that it wants, at least once. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** From now on the other is sent the operations of these origins. */
  want(isWanted: (origin: string) => boolean): void {
    this.#isWanted = isWanted;
    this.#restart();
  }

  /** To be called when there is more in the journal. */
  published(): void {
    if (this.#isReading || this.#isClosed || this.#isWanted === undefined) return;
    this.#sendRecent();
    if (this.#maySend) void this.#read();
  }

  /** The other has all that `vector` covers. */
  has(vector: VersionVector): void {
    this.#known.include(vector);
    if (this.#isBehind) this.#restart();
  }

  /** Sends the state, from where the other has it if it has a part of the same. */
  async sendState({ state, from }: { readonly state: string; readonly from: number }) {
    if (!this.#isBehind || this.#state !== undefined) return;
    try {
      const source = await this.#parts.log.openState();
      const isSame = source.id === state && from < source.bytes;
      if (this.#isClosed || !this.#isBehind || this.#state !== undefined) return source.close();
      this.#state = { source, at: isSame ? from : 0 };
      void this.#read();
    } catch (error) {
      this.#parts.onFailure(error);
    }
  }

  /** So many packets in all are durable there. */
  acknowledged(packets: number): void {
    if (packets > this.#sentPackets) throw new Error("an acknowledgement of what was never sent");
    this.#ackedPackets = packets;
    this.published();
  }

  /**
   * To be called at intervals. What the other has lacked for a whole interval, without getting any
   * further, it cannot get from whom it asked: another node may have died before it told it.
   */
  rescue(durable: VersionVector): void {
    if (this.#isBehind) this.#offerState();
    if (!this.#isLive || this.#isBehind) return;
    const lackedAfter = new Map<string, number>();
    const stuck = new Set<string>();
    for (const [origin, seq] of durable.entries()) {
      const known = this.#known.seqOf(origin);
      if (seq <= known) continue;
      lackedAfter.set(origin, known);
      if (this.#lackedAfter.get(origin) === known) stuck.add(origin);
    }
    this.#lackedAfter = lackedAfter;
    const stillRescued = [...this.#rescued].filter((origin) => lackedAfter.has(origin));
    this.#rescued = new Set([...stuck, ...stillRescued]);
    if (stuck.size > 0) this.#restart();
  }

  close(): void {
    this.#isClosed = true;
    if (!this.#isReading) this.#closeReaders();
  }

  #closeReader(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  #closeReaders(): void {
    this.#closeReader();
    this.#state?.source.close();
    this.#state = undefined;
  }

  #restart(): void {
    if (this.#state !== undefined) return;
    const place = this.#placeNow();
    const wasBehind = this.#isBehind;
    this.#isBehind = place === undefined;
    if (place === undefined) {
      if (!wasBehind) this.#offerState();
      return;
    }
    this.#at = place;
    this.#lookWhetherLive();
    void this.#read();
  }

  #placeNow(): number | undefined {
    this.#losses = this.#parts.log.losses;
    return this.#parts.log.placeOf(this.#known, (origin) => this.#isFor(origin));
  }

  #offerState(): void {
    if (this.#state !== undefined) return;
    this.#parts.log.openState().then(({ id, bytes, close }) => {
      close();
      if (!this.#isClosed && this.#isBehind) this.#parts.offer({ state: id, bytes });
    }, this.#parts.onFailure);
  }

  #isFor(origin: string): boolean {
    return this.#isWanted?.(origin) === true || this.#rescued.has(origin);
  }

  get #maySend(): boolean {
    const bytes = this.#bytesLeft;
    const unacked = this.#sentPackets - this.#ackedPackets;
    if (this.#isClosed || bytes === 0 || unacked >= UNACKED_PACKETS_MAX) return false;
    return unacked === 0 || bytes >= OVERLAPPING_BYTES_MIN;
  }

  get #bytesLeft(): number {
    if (this.#state !== undefined) return this.#state.source.bytes - this.#state.at;
    return this.#isBehind ? 0 : this.#parts.log.end - this.#at;
  }

  /** Sends what is in memory. */
  #sendRecent(): void {
    while (!this.#hasFallenBehind() && this.#maySend && this.#state === undefined) {
      const chunks = this.#parts.recent.from(this.#at, CHUNK_BYTES_MAX);
      if (chunks.length === 0) return;
      this.#sendWanted(chunks);
    }
    this.#lookWhetherLive();
  }

  /** Whether what comes next can be read one by one no more. */
  #hasFallenBehind(): boolean {
    if (this.#losses === this.#parts.log.losses || this.#state !== undefined) return this.#isBehind;
    const place = this.#placeNow();
    this.#isBehind = place === undefined;
    if (place === undefined) this.#offerState();
    else this.#at = Math.max(this.#at, place);
    return this.#isBehind;
  }

  #lookWhetherLive(): void {
    const isUpToDate = !this.#isBehind && this.#at >= this.#parts.log.end;
    this.#isLive ||= isUpToDate;
    // What comes next comes from memory; a file that is held open keeps what was deleted from it.
    if (isUpToDate && !this.#isReading) this.#closeReader();
  }

  /** Sends what is in the files. */
  async #read(): Promise<void> {
    if (this.#isReading || this.#isClosed) return;
    this.#isReading = true;
    try {
      while (this.#maySend) {
        if (this.#state === undefined) await this.#readOperations();
        else await this.#readState(this.#state);
        await this.#parts.nextTurn();
        this.#sendRecent();
      }
    } catch (error) {
      this.#parts.onFailure(error);
    } finally {
      this.#isReading = false;
      if (this.#isClosed) this.#closeReaders();
      else this.#lookWhetherLive();
    }
  }

  async #readOperations(): Promise<void> {
    if (this.#hasFallenBehind() || this.#bytesLeft === 0) return;
    this.#reader ??= this.#parts.log.openReader();
    const at = this.#at;
    const bytes = await this.#reader.read(at, CHUNK_BYTES_MAX);
    // It may have been restarted at another place meanwhile.
    if (this.#at !== at || this.#isClosed || this.#hasFallenBehind() || bytes === undefined) return;
    const { names, ends } = nameLines(bytes);
    this.#sendWanted([{ at, bytes, names, ends, from: 0, to: names.length }]);
  }

  async #readState(state: { readonly source: StateSource; at: number }): Promise<void> {
    const { source } = state;
    const bytes = await source.read(state.at, STATE_CHUNK_BYTES_MAX);
    if (this.#isClosed) return;
    if (bytes === undefined || bytes.length === 0) {
      throw new Error("the state that was being sent is no longer there");
    }
    state.at += bytes.length;
    this.#sentPackets++;
    this.#parts.send(bytes, { state: source.id, end: state.at, bytes: source.bytes });
    if (state.at < source.bytes) return;
    this.#known.include(source.vector);
    source.close();
    this.#state = undefined;
    this.#restart();
  }

  /** Sends those of some lines that are for the other, in one packet. */
  #sendWanted(chunks: readonly LineChunk[]): void {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (const chunk of chunks) {
      length += this.#takeWanted(chunk, parts);
      this.#at = chunk.at + (chunk.ends[chunk.to - 1] ?? 0);
    }
    if (length === 0) return;
    const packet = new Uint8Array(length);
    let filled = 0;
    for (const part of parts) {
      packet.set(part, filled);
      filled += part.length;
    }
    this.#sentPackets++;
    this.#parts.send(packet);
  }

  /** Adds the lines that are for the other to `parts`: from now on it has them. Returns their bytes. */
  #takeWanted({ bytes, names, ends, from, to }: LineChunk, parts: Uint8Array[]): number {
    let length = 0;
    const takeRange = (first: number, last: number) => {
      const part = bytes.subarray(ends[first - 1] ?? 0, ends[last - 1]);
      parts.push(part);
      length += part.length;
    };
    // Operations of one origin mostly come one after the other.
    let [origin, isFor, known] = ["", false, 0];
    let first = -1;
    for (let index = from; index < to; index++) {
      const name = names[index] as OperationName;
      if (name.origin !== origin) {
        if (isFor) this.#known.advance(origin, known);
        origin = name.origin;
        isFor = this.#isFor(origin);
        known = this.#known.seqOf(origin);
      }
      const isTaken = isFor && name.seq > known;
      if (isTaken) known = name.seq;
      if (isTaken && first < 0) first = index;
      if (!isTaken && first >= 0) {
        takeRange(first, index);
        first = -1;
      }
    }
    if (isFor) this.#known.advance(origin, known);
    if (first >= 0) takeRange(first, to);
    return length;
  }
}
