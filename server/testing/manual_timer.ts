import type { Timer } from "../commit.ts";

/** A clock that stands still until the test moves it. */
export class ManualTimer implements Timer {
  #nowMs = 0;
  #waiting: { readonly dueMs: number; readonly action: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const waiting = { dueMs: this.#nowMs + delayMs, action };
    this.#waiting.push(waiting);
    return () => this.#waiting = this.#waiting.filter((one) => one !== waiting);
  }

  /** Lets time pass, and calls what is due on the way when it is due. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#next(endMs);
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#fire(next);
    }
    this.#nowMs = endMs;
  }

  /** A process that was stopped: all that came due meanwhile is called late. */
  freeze(ms: number): void {
    this.#nowMs += ms;
    for (;;) {
      const next = this.#next(this.#nowMs);
      if (next === undefined) return;
      this.#fire(next);
    }
  }

  #next(endMs: number) {
    return this.#waiting.filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
  }

  #fire(waiting: { readonly action: () => void }): void {
    this.#waiting = this.#waiting.filter((one) => one !== waiting);
    waiting.action();
  }
}
