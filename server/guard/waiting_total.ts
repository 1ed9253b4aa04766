/** How much memory what waits takes in all connections, output say, and what becomes of it if that is too much. */
export class WaitingTotal {
  readonly #bytesMax: number;
  readonly #onFull: () => void;
  #bytes = 0;
  #isFull = false;

  /** `onFull` has to close connections until {@linkcode isOver} is false. */
  constructor(bytesMax: number, onFull: () => void) {
    this.#bytesMax = bytesMax;
    this.#onFull = onFull;
  }

  get isOver(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  /** So many bytes more are taken, or less. */
  changed(bytes: number): void {
    this.#bytes += bytes;
    if (!this.isOver || this.#isFull) return;
    this.#isFull = true;
    // Once all have what is being told: the end of one of them is told to others, too.
    queueMicrotask(() => {
      this.#isFull = false;
      if (this.isOver) this.#onFull();
    });
  }
}
