import type { Log, LogEvent, LogFacts } from "./log.ts";

export interface LogTimer {
  nowMs(): number;
  after(delayMs: number, action: () => void): () => void;
}

/** So many lines about one source, and then one more each second. */
export const SOURCE_BURST = 20;
const SOURCE_PER_SECOND = 1;
/** The same of one event, whoever it is about. */
export const EVENT_BURST = 1000;
const EVENT_PER_SECOND = 20;
/** Sources that are remembered; beyond it the one not seen for longest is forgotten. */
export const SOURCES_MAX = 10_000;
/** How often is told of how much there was more, in ms. */
export const MORE_EVERY_MS = 10_000;

/** Events of who has shown a password: each user has a share, or one address of many would hide them. */
const PER_USER: ReadonlySet<LogEvent> = new Set(["sign_in", "sign_out"]);

/**
 * A log that nobody can fill: of each event, lines about one address are few in the long run, and so are
 * those about all addresses together. What has no line is counted, and told of in one for all.
 */
export class LogBudget {
  readonly #log: Log;
  readonly #timer: LogTimer;
  readonly #sources = new Map<string, Bucket>();
  readonly #events = new Map<LogEvent, Bucket>();
  /** What has no line, by event and address. */
  readonly #more = new Map<LogEvent, Untold>();
  #cancel: (() => void) | undefined;

  constructor(log: Log, timer: LogTimer) {
    this.#log = log;
    this.#timer = timer;
  }

  /** Lines about no address are the node's own, and few by themselves. */
  readonly log: Log = (sentence, facts) => {
    if (facts.address === undefined || this.#mayTell(facts, facts.address)) {
      this.#log(sentence, facts);
    } else this.#keep(facts.event, facts.address);
  };

  /** Tells how much there was more since that was last told. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const [event, untold] of this.#more) this.#tell(event, untold);
    this.#more.clear();
  }

  #mayTell({ event, user = "" }: LogFacts, address: string): boolean {
    const nowMs = this.#timer.nowMs();
    const key = `${event} ${address} ${PER_USER.has(event) ? user : ""}`;
    const source = this.#sources.get(key) ?? new Bucket(SOURCE_BURST, SOURCE_PER_SECOND, nowMs);
    this.#sources.delete(key);
    this.#sources.set(key, source);
    if (this.#sources.size > SOURCES_MAX) {
      const oldest = this.#sources.keys().next();
      if (oldest.done === false) this.#sources.delete(oldest.value);
    }
    const all = this.#events.get(event) ?? new Bucket(EVENT_BURST, EVENT_PER_SECOND, nowMs);
    this.#events.set(event, all);
    // Of what one source has too much, nothing is taken from the others.
    return source.take(nowMs) && all.take(nowMs);
  }

  #keep(event: LogEvent, address: string): void {
    const untold = this.#more.get(event) ?? { count: 0, byAddress: new Map<string, number>() };
    this.#more.set(event, untold);
    untold.count++;
    if (untold.byAddress.has(address) || untold.byAddress.size < SOURCES_MAX) {
      untold.byAddress.set(address, (untold.byAddress.get(address) ?? 0) + 1);
    }
    this.#cancel ??= this.#timer.after(MORE_EVERY_MS, () => this.flush());
  }

  #tell(of: LogEvent, { count, byAddress }: Untold): void {
    const [address, most] = [...byAddress].reduce((one, other) => other[1] > one[1] ? other : one);
    const whence = most === count ? `all from ${address}` : `${most} of them from ${address}`;
    this.#log(`${count} more like ${of} in the last ${MORE_EVERY_MS / 1000} s, ${whence}`, {
      event: "more",
      ...{ of, count, address },
    });
  }
}

interface Untold {
  count: number;
  readonly byAddress: Map<string, number>;
}

class Bucket {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #atMs: number;

  constructor(burst: number, perSecond: number, nowMs: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
    this.#atMs = nowMs;
  }

  take(nowMs: number): boolean {
    const grown = (nowMs - this.#atMs) / 1000 * this.#perSecond;
    this.#left = Math.min(this.#burst, this.#left + grown);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
