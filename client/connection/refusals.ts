/** How long nodes must have refused a session before that is believed. In ms. */
export interface RefusalLimits {
  /** When every host refuses it. */
  readonly refusedByAllMs: number;
  /** When only some do, and the others cannot be asked. */
  readonly refusedBySomeMs: number;
}

/**
 * Tells a session that has ended from one that nodes do not know yet: a node that is behind the
 * others refuses an account or a password that it has not heard of, until it has caught up.
 */
export class Refusals {
  readonly #limits: RefusalLimits;
  /** Since when no round was without a refusal, and none without one by every host. */
  #bySomeSinceMs: number | undefined;
  #byAllSinceMs: number | undefined;

  constructor(limits: RefusalLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a round over `hosts`, of which so many refused. Gives how long it must go on like that, in
   * ms, for the refusals to be believed: 0 or less if they are to be now.
   */
  doubtMs(refused: number, hosts: number, nowMs: number): number {
    this.#bySomeSinceMs = refused > 0 ? this.#bySomeSinceMs ?? nowMs : undefined;
    this.#byAllSinceMs = refused === hosts ? this.#byAllSinceMs ?? nowMs : undefined;
    const { refusedByAllMs, refusedBySomeMs } = this.#limits;
    return Math.min(
      (this.#bySomeSinceMs ?? Infinity) + refusedBySomeMs - nowMs,
      (this.#byAllSinceMs ?? Infinity) + refusedByAllMs - nowMs,
    );
  }
}
