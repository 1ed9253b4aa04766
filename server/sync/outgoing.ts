import type { Operation } from "../core/operation.ts";
import type { VersionVector } from "../core/version_vector.ts";
import type { WrittenBatch } from "../journal/journal.ts";
import { nameLines } from "../journal/lines.ts";

/** The journal, as far as it is on disk. */
export interface OperationLog {
  /** Its length. */
  readonly bytes: number;
  /** A place before which stands nothing of the wanted origins that `known` does not cover. */
  placeOf(known: VersionVector, isWanted: (origin: string) => boolean): number;
  openReader(): Promise<OperationReader>;
}

export interface OperationReader {
  /** About so many bytes of whole lines from `at` on. */
  read(at: number, bytesMax: number): Promise<Uint8Array>;
  close(): void;
}

export interface OutgoingParts {
  readonly log: OperationLog;
  readonly send: (lines: Uint8Array) => void;
  /** Lets others have their turn. */
  readonly nextTurn: () => Promise<void>;
  /** The journal could not be read. */
  readonly onFailure: (error: unknown) => void;
}

/** What is sent at once, but for a single longer line. */
export const CHUNK_BYTES_MAX = 256 * 1024;
/** Sent and not acknowledged as durable: beyond it, nothing more is sent. */
export const WINDOW_BYTES = 2 * 1024 * 1024;

/**
 * What one other node is sent: first what it lacks, then what is new, in one go through the journal.
 * What was just written is taken from memory if all before it has been sent; else it is read from the
 * file when its turn comes, so nothing queues here however slow the other is.
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
  #isLive = false;
  #isReading = false;
  #isClosed = false;
  #reader: OperationReader | undefined;
  #unackedBytes = 0;
  readonly #unacked: number[] = [];
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

  get unackedBytes(): number {
    return this.#unackedBytes;
  }

  /** From now on the other is sent the operations of these origins. */
  want(isWanted: (origin: string) => boolean): void {
    this.#isWanted = isWanted;
    this.#restart();
  }

  /** These are durable here now. */
  publish(operations: readonly Operation[], written: WrittenBatch | undefined): void {
    if (this.#isWanted === undefined || this.#isReading || this.#isClosed) return;
    const fits = written?.at === this.#at && this.#unackedBytes < WINDOW_BYTES &&
      written.bytes.length <= CHUNK_BYTES_MAX;
    if (!fits) return void this.#read();
    let start = 0;
    const lines = operations.map(({ origin, seq }, index) => {
      const line = { origin, seq, start, end: written.ends[index] ?? start };
      start = line.end;
      return line;
    });
    this.#at += written.bytes.length;
    this.#sendWanted(written.bytes, lines);
  }

  /** So many packets in all are durable there, and everything that `vector` covers. */
  acknowledged(packets: number, vector: VersionVector): void {
    this.#known.include(vector);
    while (this.#ackedPackets < packets && this.#unacked.length > 0) {
      this.#ackedPackets++;
      this.#unackedBytes -= this.#unacked.shift() ?? 0;
    }
    if (this.#at < this.#parts.log.bytes) void this.#read();
  }

  /**
   * To be called at intervals. What the other has lacked for a whole interval, without getting any
   * further, it cannot get from whom it asked: another node may have died before it told it.
   */
  rescue(durable: VersionVector): void {
    if (!this.#isLive) return;
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
    if (!this.#isReading) this.#reader?.close();
  }

  #restart(): void {
    this.#at = this.#parts.log.placeOf(this.#known, (origin) => this.#isFor(origin));
    void this.#read();
  }

  #isFor(origin: string): boolean {
    return this.#isWanted?.(origin) === true || this.#rescued.has(origin);
  }

  async #read(): Promise<void> {
    if (this.#isReading || this.#isClosed) return;
    this.#isReading = true;
    try {
      this.#reader ??= await this.#parts.log.openReader();
      while (!this.#isClosed && this.#unackedBytes < WINDOW_BYTES) {
        if (this.#at >= this.#parts.log.bytes) {
          this.#isLive = true;
          break;
        }
        const at = this.#at;
        const lines = await this.#reader.read(at, CHUNK_BYTES_MAX);
        // It may have been restarted at another place meanwhile.
        if (this.#at === at && !this.#isClosed) {
          this.#at += lines.length;
          this.#sendWanted(lines, nameLines(lines));
        }
        await this.#parts.nextTurn();
      }
    } catch (error) {
      this.#parts.onFailure(error);
    } finally {
      this.#isReading = false;
      if (this.#isClosed) this.#reader?.close();
    }
  }

  /** Sends those of some lines that are for the other, in one packet. */
  #sendWanted(
    bytes: Uint8Array,
    lines: readonly { origin: string; seq: number; start: number; end: number }[],
  ): void {
    const wanted = lines.filter(({ origin, seq }) => {
      if (seq <= this.#known.seqOf(origin) || !this.#isFor(origin)) return false;
      this.#known.advance(origin, seq);
      return true;
    });
    if (wanted.length === 0) return;
    const packet = new Uint8Array(wanted.reduce((sum, { start, end }) => sum + end - start, 0));
    let length = 0;
    for (const { start, end } of wanted) {
      packet.set(bytes.subarray(start, end), length);
      length += end - start;
    }
    this.#unacked.push(packet.length);
    this.#unackedBytes += packet.length;
    this.#parts.send(packet);
  }
}
