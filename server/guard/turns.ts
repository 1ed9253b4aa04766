/** Who has kept the process busy for so long lets others have their turn, in ms. */
const TURN_MS = 5;
/** So many of those who wait are woken at once: it costs time, too. */
const WOKEN_MAX = 64;

export interface TurnsParts {
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Who keeps the process busy: all connections of one account, and all that are not signed in, have the
 * turns of one. With a turn for every connection, or every address, a thousand of them would leave
 * nothing to anybody else.
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

interface Waiter {
  /** In the order in which they came: those who were there before are first. */
  readonly ticket: number;
  readonly wake: () => void;
}

/** What one account's connections have of the process's time. */
export class Turn {
  readonly #parts: TurnsParts;
  #usedMs = 0;
  #sinceMs: number;
  #tickets = 0;
  #waiting: Waiter[] = [];
  #isWaking = false;

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
    return this.#usedMs > TURN_MS;
  }

  /** A place among those who wait: whoever is there already is before. */
  ticket(): number {
    return ++this.#tickets;
  }

  /**
   * Resolves when it may be its turn again: if it is over still, as those before have taken all of it,
   * it has to wait once more, with the same ticket.
   */
  next(ticket: number): Promise<void> {
    const { promise, resolve: wake } = Promise.withResolvers<void>();
    const place = this.#waiting.findLastIndex((waiter) => waiter.ticket < ticket) + 1;
    this.#waiting.splice(place, 0, { ticket, wake });
    if (!this.#isWaking) void this.#wakeSome();
    return promise;
  }

  /** Wakes those who wait. Whom the first of them leave nothing of the turn, wait for the next one. */
  async #wakeSome(): Promise<void> {
    this.#isWaking = true;
    while (this.#waiting.length > 0) {
      do await this.#parts.sleep(this.#leftMs(this.#parts.nowMs())); while (
        this.#leftMs(this.#parts.nowMs()) > 0
      );
      this.#usedMs = 0;
      for (const { wake } of this.#waiting.splice(0, WOKEN_MAX)) wake();
      // They have had their turn, or wait again, when this goes on.
      await this.#parts.sleep(0);
    }
    this.#isWaking = false;
  }

  /** As much time as it had is left to others: so it has half of it, if it wants that much. */
  #leftMs(nowMs: number): number {
    return Math.max(0, this.#usedMs - (nowMs - this.#sinceMs));
  }
}
