/** Keys remembered at most; beyond it one of those not seen for longest is forgotten. */
const KEYS_MAX = 10_000;
/** Of so many, the one that has spent least. */
const CANDIDATES = 64;

interface Bucket {
  spent: number;
  updatedMs: number;
}

/**
 * Counts what is spent per key: `burst` may be at once, then one more each `refillMs`, or each part of
 * it. What may fail is charged before its outcome is known, so that many at once are no way around, and
 * refunded if it does not count.
 *
 * Keys may be a stranger's choice. Those not seen for longest are forgotten, but of these the one that
 * has spent least: to have a bucket forgotten that is spent, one has to spend 64 others as much.
 */
export class Throttle<K> {
  readonly #burst: number;
  readonly #refillMs: number;
  readonly #keysMax: number;
  readonly #buckets = new Map<K, Bucket>();

  constructor(burst: number, refillMs: number, keysMax = KEYS_MAX) {
    this.#burst = burst;
    this.#refillMs = refillMs;
    this.#keysMax = keysMax;
  }

  /** How long this key has to wait, in ms; 0 if it need not. */
  waitMs(key: K, nowMs: number): number {
    const over = this.spent(key, nowMs) - (this.#burst - 1);
    return over <= 0 ? 0 : Math.ceil(over * this.#refillMs);
  }

  charge(key: K, nowMs: number, cost = 1): void {
    this.#put(key, this.spent(key, nowMs) + cost, nowMs);
  }

  refund(key: K, cost = 1): void {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) bucket.spent = Math.max(0, bucket.spent - cost);
  }

  /** At least so much is spent: what another node says, which may be known already. */
  raise(key: K, spent: number, nowMs: number): void {
    if (spent > this.spent(key, nowMs)) this.#put(key, spent, nowMs);
  }

  /** What is spent and not granted again yet. */
  spent(key: K, nowMs: number): number {
    const bucket = this.#buckets.get(key);
    return bucket === undefined ? 0 : this.#left(bucket, nowMs);
  }

  /** The keys that have spent most, so many at most, and how much. */
  fullest(countMax: number, nowMs: number): [K, number][] {
    const spent = [...this.#buckets].map(([key, bucket]): [K, number] => [
      key,
      this.#left(bucket, nowMs),
    ]);
    return spent.filter(([, left]) => left > 0).sort((a, b) => b[1] - a[1]).slice(0, countMax);
  }

  #left({ spent, updatedMs }: Bucket, nowMs: number): number {
    return Math.max(0, spent - (nowMs - updatedMs) / this.#refillMs);
  }

  #put(key: K, spent: number, nowMs: number): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, { spent, updatedMs: nowMs });
    if (this.#buckets.size > this.#keysMax) this.#forgetOne(nowMs);
  }

  #forgetOne(nowMs: number): void {
    let least: [K, number] | undefined;
    let seen = 0;
    for (const [key, bucket] of this.#buckets) {
      const left = this.#left(bucket, nowMs);
      if (least === undefined || left < least[1]) least = [key, left];
      if (left === 0 || ++seen === CANDIDATES) break;
    }
    if (least !== undefined) this.#buckets.delete(least[0]);
  }
}
