import type { Account } from "../core/account_table.ts";
import type { Limits } from "../limits.ts";
import type { RequestSession } from "../requests/context.ts";
import { Throttle } from "./throttle.ts";

/**
 * The least wait that is told, in ms. Longer than what is on its way takes: requests that a client sent
 * before it heard of a refusal are refused, too, so that none overtakes those before it.
 */
const WAIT_MS_MIN = 250;

/** How fast an account may write, over all its connections. */
export class Pace {
  readonly #limits: Pick<Limits, "messageBurst">;
  readonly #nowMs: () => number;
  readonly #spent: Throttle<Account>;

  constructor(
    limits: Pick<Limits, "messageBurst" | "messagesPerSecond">,
    nowMs: () => number,
  ) {
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#spent = new Throttle(limits.messageBurst, 1000 / limits.messagesPerSecond);
  }

  /** How long a session still has to wait that was told to slow down, and has not listened: as long anew. */
  waitMs(session: Pick<RequestSession, "slowUntilMs">): number {
    const nowMs = this.#nowMs();
    if (nowMs >= session.slowUntilMs) return 0;
    session.slowUntilMs = Math.max(session.slowUntilMs, nowMs + WAIT_MS_MIN);
    return Math.ceil(session.slowUntilMs - nowMs);
  }

  /** Lets the account write what costs as much as so many messages: 0, or how long to wait first, in ms. */
  take(account: Account, session: Pick<RequestSession, "slowUntilMs">, cost: number): number {
    const nowMs = this.#nowMs();
    const ownMs = this.#spent.waitMs(account, nowMs);
    if (ownMs === 0 && nowMs >= session.slowUntilMs) {
      // However much it is, nobody waits longer for it than until a burst is granted again.
      this.#spent.charge(account, nowMs, Math.min(cost, this.#limits.messageBurst));
      return 0;
    }
    const waitMs = Math.max(ownMs, WAIT_MS_MIN);
    session.slowUntilMs = nowMs + waitMs;
    return waitMs;
  }
}
