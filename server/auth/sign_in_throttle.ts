import { sourceOf } from "../guard/address.ts";
import { Throttle } from "../guard/throttle.ts";

/** So many attempts under one key; fewer than none were given back. */
export interface AttemptCount {
  readonly key: string;
  readonly count: number;
}

/** Attempts that nodes tell each other, by account name and by where they came from. */
export interface AttemptsChange {
  /** Not what came to it, but all that counts now: some of it may have been said before. */
  readonly fromScratch: boolean;
  readonly accounts: readonly AttemptCount[];
  readonly addresses: readonly AttemptCount[];
}

export interface SignInThrottleParts {
  readonly limits: {
    readonly wrongPasswordsPerAccount: number;
    readonly wrongPasswordsPerAddress: number;
    readonly wrongPasswordRefillMs: number;
  };
  /** How many nodes take attempts, this one included. */
  readonly nodes: number;
  readonly timer: { nowMs(): number; after(delayMs: number, action: () => void): () => void };
}

/** An attempt to sign in. Unless it `waitMs`, its password may be checked: then it is charged. */
export interface SignInAttempt {
  /** How long to wait before trying, in ms; 0 if now is fine. */
  readonly waitMs: number;
  /** The password was right: nothing is charged, and its address is known from now on. */
  succeeded(): void;
  /** The password was not checked: nothing is charged. */
  abandoned(): void;
}

/** What other nodes are told is gathered for so long, in ms: guesses must not flood the link to them. */
const GATHER_MS = 10;
/** By then what other nodes have charged is known here, in ms. */
const SETTLE_MS = 100;
/** Keys that one change tells of. */
export const ATTEMPT_KEYS_MAX = 1000;
/** A name and an address are shorter, in UTF-16 code units. */
const KEY_UNITS_MAX = 256;
/** Accounts and addresses from which they signed in: beyond it, the longest unused is forgotten. */
const FAMILIAR_MAX = 10_000;

/**
 * Counts wrong passwords per account and per address, over all nodes as one.
 *
 * Every node charges what the others tell of. Guesses at all nodes at once could each have a whole burst
 * before any node hears of the others, so a node takes only its share of it at once. What goes beyond
 * is checked after a moment in which the others' charges come.
 *
 * Whoever guesses at an account must not lock its owner out: where somebody has signed in to it before,
 * what comes from there is counted on its own.
 */
export class SignInThrottle {
  readonly #parts: SignInThrottleParts;
  readonly #accounts: SharedThrottle;
  readonly #addresses: SharedThrottle;
  readonly #familiar = new Set<string>();
  #tell: ((change: AttemptsChange) => void) | undefined;
  #isTellingSoon = false;

  constructor(parts: SignInThrottleParts) {
    const { limits, nodes } = parts;
    const { wrongPasswordsPerAccount, wrongPasswordsPerAddress, wrongPasswordRefillMs } = limits;
    this.#parts = parts;
    const changed = () => this.#tellSoon();
    this.#accounts = new SharedThrottle(
      wrongPasswordsPerAccount,
      wrongPasswordRefillMs,
      nodes,
      changed,
    );
    this.#addresses = new SharedThrottle(
      wrongPasswordsPerAddress,
      wrongPasswordRefillMs,
      nodes,
      changed,
    );
  }

  /** Tells other nodes what is charged here, from now on. */
  tellNodes(tell: (change: AttemptsChange) => void): void {
    this.#tell = tell;
  }

  async begin(name: string, address: string): Promise<SignInAttempt> {
    const { timer } = this.#parts;
    const source = sourceOf(address);
    const pair = pairOf(name, source);
    const charges: readonly Charge[] = [
      { throttle: this.#accounts, key: this.#familiar.has(pair) ? pair : name },
      { throttle: this.#addresses, key: source },
    ];
    const waitMs = Math.max(...charges.map((one) => one.throttle.waitMs(one.key, timer.nowMs())));
    if (waitMs > 0) return refused(waitMs);
    for (const { throttle, key } of charges) throttle.charge(key, timer.nowMs());
    const giveBack = () => {
      for (const { throttle, key } of charges) throttle.refund(key);
    };
    if (charges.some(({ throttle, key }) => throttle.isBeyondShare(key, timer.nowMs()))) {
      await new Promise<void>((resolve) => void timer.after(SETTLE_MS, resolve));
      const nowMs = timer.nowMs();
      if (charges.some(({ throttle, key }) => throttle.isOver(key, nowMs))) {
        giveBack();
        return refused(this.#parts.limits.wrongPasswordRefillMs);
      }
    }
    return {
      waitMs: 0,
      abandoned: giveBack,
      succeeded: () => {
        giveBack();
        this.nowFamiliar(name, address);
      },
    };
  }

  /** Whoever has the account was here: they showed its password, or its token. */
  nowFamiliar(name: string, address: string): void {
    const pair = pairOf(name, sourceOf(address));
    this.#familiar.delete(pair);
    this.#familiar.add(pair);
    if (this.#familiar.size <= FAMILIAR_MAX) return;
    for (const oldest of this.#familiar) {
      this.#familiar.delete(oldest);
      return;
    }
  }

  /** Takes what another node tells. */
  heard({ fromScratch, accounts, addresses }: AttemptsChange): void {
    const nowMs = this.#parts.timer.nowMs();
    this.#accounts.heard(accounts, fromScratch, nowMs);
    this.#addresses.heard(addresses, fromScratch, nowMs);
  }

  /** All that counts now, for a node that was not told: of the many the worst. */
  all(): AttemptsChange {
    const nowMs = this.#parts.timer.nowMs();
    return {
      fromScratch: true,
      accounts: this.#accounts.worst(nowMs),
      addresses: this.#addresses.worst(nowMs),
    };
  }

  #tellSoon(): void {
    if (this.#tell === undefined || this.#isTellingSoon) return;
    this.#isTellingSoon = true;
    this.#parts.timer.after(GATHER_MS, () => {
      this.#isTellingSoon = false;
      const accounts = this.#accounts.takeNews();
      const addresses = this.#addresses.takeNews();
      for (let from = 0; from < Math.max(accounts.length, addresses.length);) {
        const to = from + ATTEMPT_KEYS_MAX;
        this.#tell?.({
          fromScratch: false,
          accounts: accounts.slice(from, to),
          addresses: addresses.slice(from, to),
        });
        from = to;
      }
    });
  }
}

interface Charge {
  readonly throttle: SharedThrottle;
  readonly key: string;
}

/** A throttle of all nodes: remembers what the others have to be told. */
class SharedThrottle extends Throttle<string> {
  readonly #burst: number;
  /** What one node may take at once, without having heard of the others. */
  readonly #share: number;
  readonly #changed: () => void;
  #news = new Map<string, number>();

  constructor(burst: number, refillMs: number, nodes: number, changed: () => void) {
    super(burst, refillMs);
    this.#burst = burst;
    this.#share = Math.max(1, Math.floor(burst / nodes));
    this.#changed = changed;
  }

  override charge(key: string, nowMs: number): void {
    super.charge(key, nowMs);
    this.#count(key, 1);
  }

  override refund(key: string): void {
    super.refund(key);
    this.#count(key, -1);
  }

  isBeyondShare(key: string, nowMs: number): boolean {
    return this.#share < this.#burst && this.spent(key, nowMs) > this.#share;
  }

  isOver(key: string, nowMs: number): boolean {
    return this.spent(key, nowMs) > this.#burst;
  }

  heard(counts: readonly AttemptCount[], isAll: boolean, nowMs: number): void {
    for (const { key, count } of counts.slice(0, ATTEMPT_KEYS_MAX)) {
      if (key.length > KEY_UNITS_MAX) continue;
      const counted = Math.min(count, this.#burst);
      if (isAll) this.raise(key, counted, nowMs);
      else if (count > 0) super.charge(key, nowMs, counted);
      else super.refund(key, -count);
    }
  }

  worst(nowMs: number): AttemptCount[] {
    const fullest = this.fullest(ATTEMPT_KEYS_MAX, nowMs);
    return fullest.map(([key, spent]) => ({ key, count: Math.ceil(spent) }));
  }

  takeNews(): AttemptCount[] {
    const news = [...this.#news].map(([key, count]) => ({ key, count }));
    this.#news = new Map();
    return news;
  }

  #count(key: string, change: number): void {
    const count = (this.#news.get(key) ?? 0) + change;
    if (count === 0) this.#news.delete(key);
    else this.#news.set(key, count);
    this.#changed();
  }
}

function refused(waitMs: number): SignInAttempt {
  return { waitMs, succeeded() {}, abandoned() {} };
}

/** No name is like it. */
function pairOf(name: string, source: string): string {
  return `${name}\n${source}`;
}
