/** Keys remembered at most; beyond it the one not seen for longest is forgotten. */
const KEYS_MAX = 10_000;

interface Bucket {
  spent: number;
  updatedMs: number;
}

/**
 * Counts failures per key: `burst` may come at once, then one more each `refillMs`. An attempt is
 * charged before its outcome is known, so that many at once are no way around, and refunded if it
 * succeeds: whoever knows the password hardly ever waits.
 */
export class Throttle {
  readonly #burst: number;
  readonly #refillMs: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(burst: number, refillMs: number) {
    this.#burst = burst;
    this.#refillMs = refillMs;
  }

  /** How long this key has to wait, in ms; 0 if it need not. */
  waitMs(key: string, nowMs: number): number {
    const over = this.#spent(key, nowMs) - (this.#burst - 1);
    return over <= 0 ? 0 : Math.ceil(over * this.#refillMs);
  }

  charge(key: string, nowMs: number): void {
    const spent = this.#spent(key, nowMs) + 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { spent, updatedMs: nowMs });
    if (this.#buckets.size <= KEYS_MAX) return;
    const oldest = this.#buckets.keys().next();
    if (oldest.done === false) this.#buckets.delete(oldest.value);
  }

  refund(key: string): void {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) bucket.spent = Math.max(0, bucket.spent - 1);
  }

  #spent(key: string, nowMs: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return 0;
    return Math.max(0, bucket.spent - (nowMs - bucket.updatedMs) / this.#refillMs);
  }
}
