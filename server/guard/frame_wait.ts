/**
 * How long a connection has been waited for to complete a frame that it began. What passes while
 * nothing is read of it does not count.
 */
export class FrameWait {
  #waitedMs = 0;
  #sinceMs: number | undefined;

  /** More is read from now on. `isWithin` a frame, that is waited for. */
  begins(isWithin: boolean, nowMs: number): void {
    this.#sinceMs = isWithin ? nowMs : undefined;
  }

  /** More has come. */
  ends(nowMs: number): void {
    this.#waitedMs = this.ms(nowMs);
    this.#sinceMs = undefined;
  }

  /** A frame is complete. */
  complete(): void {
    this.#waitedMs = 0;
  }

  ms(nowMs: number): number {
    return this.#waitedMs + (this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs);
  }
}
