import { encodeMessage, type Reply, writeReply } from "../codec/message.ts";
import { ValueWriter } from "../codec/value.ts";
import type { OperationName, Position } from "./commit.ts";
import type { WaitingTotal } from "./guard/waiting_total.ts";

/** What an {@linkcode Outbox} writes to, such as a `Deno.Conn`. */
export interface ByteSink {
  /** May take fewer bytes than it was given; resolves to how many it took. */
  write(bytes: Uint8Array): Promise<number>;
}

/** How far commits have come: see commit.ts. */
export interface Progress {
  readonly settled: Position;
  readonly copied: Position;
  copiesOf(what: OperationName | "everything" | undefined): number;
}

/** A reply that says on how many nodes something is durable, and waits until it is on enough. */
export interface CopiesReply {
  readonly withCopies: (copies: number) => Reply;
  /** Of what; without, of the operation that was submitted for it. */
  readonly of?: OperationName | "everything";
  /** Whether it tells what is so now, and waits for nothing but being durable here. */
  readonly isPrompt?: true;
}

/** Something formed at a position of the commit path, which may not be seen before it is settled. */
interface Held {
  readonly position: Position;
  readonly content: CopiesReply | Uint8Array;
}

/** An encoder over this size is not kept once its bytes are out. */
const KEPT_BYTES_MAX = 16 * 1024;
/** What a reply that cannot be encoded yet counts for, in bytes: such are all small. */
const HELD_REPLY_BYTES = 256;

/**
 * One connection's output, in order. Holds back what depends on operations that are not settled,
 * then writes whatever is ready together, one write at a time.
 */
export class Outbox {
  readonly #sink: ByteSink;
  readonly #progress: Progress;
  readonly #nowMs: () => number;
  readonly #onBroken: () => void;
  readonly #total: WaitingTotal;
  /** What of it the total knows of. */
  #toldBytes = 0;
  #held: Held[] = [];
  #heldBytes = 0;
  #ready = new ValueWriter();
  #spare: ValueWriter | undefined;
  #writing: Promise<void> | undefined;
  #writingBytes = 0;
  /** What the bytes that are being written take until the last of them is out. */
  #writingCapacity = 0;
  #lastProgressMs = 0;
  #closed = false;
  #whenDrained: (() => void)[] = [];

  /** `onBroken` is told once if the sink takes nothing more. */
  constructor(
    sink: ByteSink,
    progress: Progress,
    nowMs: () => number,
    total: WaitingTotal,
    onBroken: () => void,
  ) {
    this.#total = total;
    this.#onBroken = onBroken;
    this.#sink = sink;
    this.#progress = progress;
    this.#nowMs = nowMs;
  }

  /** Bytes that wait here, as far as they are known. */
  get waitingBytes(): number {
    return this.#heldBytes + this.#ready.length + this.#writingBytes;
  }

  /** Since when a write has made no progress, ms since 1970; undefined if none is under way. */
  get stalledSinceMs(): number | undefined {
    return this.#writing === undefined ? undefined : this.#lastProgressMs;
  }

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** Adds a reply, or an event's frame. Nothing leaves before {@linkcode flush}. */
  push(position: Position, content: Reply | CopiesReply | Uint8Array): void {
    if (this.#closed) return;
    const { settled, copied } = this.#progress;
    const due = waitsForCopies(content) ? copied : settled;
    if (this.#held.length === 0 && position <= due) {
      this.#encode(content);
    } else {
      this.#hold(position, isReply(content) ? encodeMessage(writeReply, content) : content);
    }
    this.#tellTotal();
  }

  /** Moves on what is settled by now, and starts writing it. */
  flush(): void {
    this.#release();
    this.#tellTotal();
    if (this.#ready.length > 0 && this.#writing === undefined && !this.#closed) {
      this.#lastProgressMs = this.#nowMs();
      this.#writing = this.#write();
    }
  }

  /** Resolves once at most `bytes` wait, or the outbox is closed. */
  async below(bytes: number): Promise<void> {
    while (this.waitingBytes > bytes && !this.#closed) {
      await new Promise<void>((resolve) => this.#whenDrained.push(resolve));
    }
  }

  /** Drops all that waits. */
  close(): void {
    this.#closed = true;
    this.#held = [];
    this.#heldBytes = 0;
    this.#ready = new ValueWriter();
    this.#writingBytes = 0;
    this.#writingCapacity = 0;
    this.#tellTotal();
    this.#wake();
  }

  /** What it takes, with the room that is made for what may still come. */
  get #takenBytes(): number {
    const readyBytes = this.#ready.length === 0 ? 0 : this.#ready.capacity;
    return this.#heldBytes + readyBytes + this.#writingCapacity;
  }

  #tellTotal(): void {
    const bytes = this.#takenBytes;
    if (bytes !== this.#toldBytes) this.#total.changed(bytes - this.#toldBytes);
    this.#toldBytes = bytes;
  }

  #hold(position: Position, content: CopiesReply | Uint8Array): void {
    this.#held.push({ position, content });
    this.#heldBytes += heldBytes(content);
  }

  #release(): void {
    if (this.#held.length === 0) return;
    const { settled, copied } = this.#progress;
    let count = 0;
    for (; count < this.#held.length; count++) {
      const held = this.#held[count] as Held;
      if (held.position > (waitsForCopies(held.content) ? copied : settled)) break;
      this.#heldBytes -= heldBytes(held.content);
      this.#encode(held.content);
    }
    this.#held = count === this.#held.length ? [] : this.#held.slice(count);
  }

  #encode(content: Reply | CopiesReply | Uint8Array): void {
    if (content instanceof Uint8Array) this.#ready.raw(content);
    else if (isCopiesReply(content)) {
      writeReply(this.#ready, content.withCopies(this.#progress.copiesOf(content.of)));
    } else writeReply(this.#ready, content);
  }

  async #write(): Promise<void> {
    try {
      while (this.#ready.length > 0 && !this.#closed) {
        const sending = this.#ready;
        this.#ready = this.#spare ?? new ValueWriter();
        this.#spare = undefined;
        const bytes = sending.written;
        this.#writingBytes = bytes.length;
        this.#writingCapacity = sending.capacity;
        while (this.#writingBytes > 0) {
          const left = bytes.subarray(bytes.length - this.#writingBytes);
          const taken = await this.#sink.write(left);
          if (this.#closed) return;
          this.#writingBytes -= taken;
          this.#lastProgressMs = this.#nowMs();
        }
        this.#writingCapacity = 0;
        this.#tellTotal();
        sending.truncate();
        if (sending.capacity <= KEPT_BYTES_MAX) this.#spare = sending;
        this.#wake();
      }
    } catch {
      // The connection is gone, and whatever it asked for is of no use to anybody.
      this.close();
      this.#onBroken();
    } finally {
      this.#writing = undefined;
    }
  }

  #wake(): void {
    if (this.#whenDrained.length === 0) return;
    const waiting = this.#whenDrained;
    this.#whenDrained = [];
    for (const wake of waiting) wake();
  }
}

function isReply(content: Reply | CopiesReply | Uint8Array): content is Reply {
  return !(content instanceof Uint8Array) && !isCopiesReply(content);
}

function waitsForCopies(content: Reply | CopiesReply | Uint8Array): boolean {
  return isCopiesReply(content) && content.isPrompt !== true;
}

function isCopiesReply(content: Reply | CopiesReply | Uint8Array): content is CopiesReply {
  return "withCopies" in content;
}

function heldBytes(content: CopiesReply | Uint8Array): number {
  return content instanceof Uint8Array ? content.length : HELD_REPLY_BYTES;
}
