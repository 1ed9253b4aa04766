/** Frames are counted over so long. */
const WINDOW_MS = 1000;

/** How fast the frames of one connection come. */
export class FramePace {
  #windowStartMs = 0;
  #frames = 0;

  /** Counts a frame: whether it is over what may come in a second. */
  isOver(framesMax: number, nowMs: () => number): boolean {
    this.#frames++;
    // The time is asked for only if there is any doubt: most frames cost less than that.
    if (this.#frames <= framesMax) return false;
    const now = nowMs();
    if (this.leftMs(now) > 0) return true;
    this.begin(now);
    return false;
  }

  /** Until as many may come again. */
  leftMs(nowMs: number): number {
    return Math.max(0, WINDOW_MS - (nowMs - this.#windowStartMs));
  }

  /** Counts anew, from this frame on. Gives the time. */
  begin(nowMs: number): number {
    this.#windowStartMs = nowMs;
    this.#frames = 1;
    return nowMs;
  }
}
