/** What a queue holds at most before it is full. */
export interface QueueLimits {
  readonly itemsMax: number;
  readonly bytesMax: number;
}

interface Queued<T> {
  readonly item: T;
  readonly bytes: number;
}

/**
 * A queue between one producer, which stops while it is full, and one consumer. Nothing is ever
 * dropped: an item that was pushed is taken, or the consumer has left.
 */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #limits: QueueLimits;
  readonly #items: Queued<T>[] = [];
  #bytes = 0;
  #end: { readonly error?: unknown } | undefined;
  #consumer = Promise.withResolvers<void>();
  #room: PromiseWithResolvers<void> | undefined;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  get isFull(): boolean {
    return this.#end === undefined &&
      (this.#items.length >= this.#limits.itemsMax || this.#bytes >= this.#limits.bytesMax);
  }

  /** Adds an item, even to a full queue: it is the producer that must look. */
  push(item: T, bytes: number): void {
    if (this.#end !== undefined) return;
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    this.#consumer.resolve();
  }

  /** Resolves when the queue is half empty again, or has ended. */
  room(): Promise<void> {
    if (!this.isFull) return Promise.resolve();
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** What is queued can still be taken; then the consumer sees the end, or `error`. */
  end(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    this.#consumer.resolve();
    this.#room?.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      const queued = this.#items.shift();
      if (queued !== undefined) {
        this.#taken(queued.bytes);
        yield queued.item;
        continue;
      }
      if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      }
      this.#consumer = Promise.withResolvers();
      await this.#consumer.promise;
    }
  }

  #taken(bytes: number): void {
    this.#bytes -= bytes;
    // Half empty, not merely not full: else the producer would start and stop for every item.
    const { itemsMax, bytesMax } = this.#limits;
    if (this.#items.length > itemsMax / 2 || this.#bytes > bytesMax / 2) return;
    this.#room?.resolve();
    this.#room = undefined;
  }
}
