/** Who has kept the process busy for so long lets others have their turn, in ms. */
const TURN_MS = 10;

export interface TurnsParts {
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Who keeps the process busy: all connections of one account, or of one address that is not signed in,
 * have the turns of one. With a turn for every connection, a thousand of them would leave nothing to
 * anybody else.
 */
export class Turns {
  readonly #parts: TurnsParts;
  readonly #turns = new Map<unknown, { readonly turn: Turn; holders: number }>();

  constructor(parts: TurnsParts) {
    this.#parts = parts;
  }

  /** The turn that all who give the same key have together, until they {@linkcode leave} it. */
  join(key: unknown): Turn {
    const held = this.#turns.get(key) ?? { turn: new Turn(this.#parts), holders: 0 };
    held.holders++;
    this.#turns.set(key, held);
    return held.turn;
  }

  leave(key: unknown): void {
    const held = this.#turns.get(key);
    if (held === undefined || --held.holders > 0) return;
    this.#turns.delete(key);
  }
}

/** What one account's connections have of the process's time. */
export class Turn {
  readonly #parts: TurnsParts;
  #usedMs = 0;
  #sinceMs: number;
  readonly #waiting: (() => void)[] = [];
  #isGivingTurns = false;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
    this.#sinceMs = parts.nowMs();
  }

  /** The process was busy for it from one time to another. */
  spend(fromMs: number, toMs: number): void {
    this.#usedMs = this.#leftMs(fromMs) + (toMs - fromMs);
    this.#sinceMs = toMs;
  }

  /** Whether others come first: then it has to wait for {@linkcode next}. */
  get isOver(): boolean {
    return this.#usedMs > TURN_MS || this.#waiting.length > 0;
  }

  /** Resolves when it is its turn again: those who share it come one after the other. */
  next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (!this.#isGivingTurns) void this.#giveTurns();
    return promise;
  }

  async #giveTurns(): Promise<void> {
    this.#isGivingTurns = true;
    while (this.#waiting.length > 0) {
      await this.#parts.sleep(this.#leftMs(this.#parts.nowMs()));
      this.#usedMs = 0;
      this.#waiting.shift()?.();
      // Its work is done when this goes on: what it answers at once, it answers now.
      await this.#parts.sleep(0);
    }
    this.#isGivingTurns = false;
  }

  /** As much time as it had is left to others: so it has half of it, if it wants that much. */
  #leftMs(nowMs: number): number {
    return Math.max(0, this.#usedMs - (nowMs - this.#sinceMs));
  }
}
