import type { Reply, Request } from "../../codec/message.ts";
import { TooManyRequestsError, UnansweredError, UnknownOutcomeError } from "./errors.ts";
import { type Link, LinkLostError } from "./link.ts";
import type { Outside } from "./outside.ts";
import { slowDownMs } from "./slow_down.ts";

export interface RequestLimits {
  /** Requests sent and not answered. */
  readonly inFlightMax: number;
  /** Requests that wait to be sent: for an answer to another, or for a connection. */
  readonly waitingMax: number;
  /**
   * Connections that may be lost while a request is the next to be answered: one that makes servers
   * fail must not be repeated for ever, nor hold up those after it.
   */
  readonly triesMax: number;
}

interface Call {
  /** 1, 2, 3… in the order of the calls. */
  readonly number: number;
  readonly request: Request;
  /** For errors, what a person would call it; undefined if it may be repeated. */
  readonly onlyOnce: string | undefined;
  /** Connections that were lost while this was the next to be answered. */
  tries: number;
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

/**
 * Requests from when they are made until they are answered, however many connections that takes.
 * What a lost connection left unanswered is sent again over the next one, in its order; so is, after the
 * time it tells, what a server does not take because it comes too fast.
 */
export class RequestQueue {
  readonly #limits: RequestLimits;
  readonly #outside: Pick<Outside, "clock" | "random">;
  #calls = 0;
  #link: Link | undefined;
  #inFlight = 0;
  readonly #waiting: Call[] = [];
  /** Until when nothing is sent, and what ends the wait for it. */
  #slowUntilMs = 0;
  #stopWaiting = (): void => {};
  #failure: { readonly error: unknown } | undefined;

  constructor(limits: RequestLimits, outside: Pick<Outside, "clock" | "random">) {
    this.#limits = limits;
    this.#outside = outside;
  }

  /**
   * Resolves with the reply. With `onlyOnce`, as in "delete the account", a request whose
   * connection is lost before the reply is not repeated, but rejects with
   * {@linkcode UnknownOutcomeError}. Others reject with {@linkcode UnansweredError} after `triesMax`.
   */
  add(request: Request, onlyOnce?: string): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (this.#waiting.length >= this.#limits.waitingMax) {
      return Promise.reject(new TooManyRequestsError(this.#limits.waitingMax));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.#waiting.push({ number: ++this.#calls, request, onlyOnce, tries: 0, resolve, reject });
    this.#pump();
    return promise;
  }

  /** Goes on over `link`, which is signed in. */
  attach(link: Link): void {
    this.#link = link;
    this.#pump();
  }

  /** Keeps what is asked until the next {@linkcode attach}. */
  detach(): void {
    this.#link = undefined;
  }

  /** Rejects all that waits, and all that will be asked. */
  fail(error: unknown): void {
    this.detach();
    this.#failure = { error };
    this.#stopWaiting();
    for (const call of this.#waiting.splice(0)) call.reject(error);
  }

  #pump(): void {
    if (this.#slowUntilMs > 0) return;
    while (this.#link !== undefined && this.#inFlight < this.#limits.inFlightMax) {
      const call = this.#waiting.shift();
      if (call === undefined) return;
      void this.#send(call, this.#link);
    }
  }

  async #send(call: Call, link: Link): Promise<void> {
    this.#inFlight++;
    try {
      const reply = await link.request(call.request);
      const waitMs = slowDownMs(reply, () => this.#outside.random());
      if (waitMs === undefined) call.resolve(reply);
      else this.#slowDown(call, waitMs);
    } catch (error) {
      if (error instanceof LinkLostError && this.#link === link) {
        // Before others are sent: a lost link must not be tried for each of them.
        this.detach();
        call.tries++;
      }
      this.#unanswered(call, error);
    } finally {
      this.#inFlight--;
      this.#pump();
    }
  }

  #unanswered(call: Call, error: unknown): void {
    if (!(error instanceof LinkLostError)) call.reject(error);
    else if (call.onlyOnce !== undefined) {
      call.reject(new UnknownOutcomeError(call.onlyOnce, error.message));
    } else if (call.tries >= this.#limits.triesMax) {
      call.reject(new UnansweredError(call.request.kind, call.tries, error.message));
    } else if (this.#failure !== undefined) call.reject(this.#failure.error);
    else this.#putBack(call);
  }

  #slowDown(call: Call, waitMs: number): void {
    if (this.#failure !== undefined) return call.reject(this.#failure.error);
    this.#putBack(call);
    const { clock } = this.#outside;
    const untilMs = clock.nowMs() + waitMs;
    if (untilMs <= this.#slowUntilMs) return;
    this.#slowUntilMs = untilMs;
    this.#stopWaiting();
    this.#stopWaiting = clock.after(waitMs, () => {
      this.#slowUntilMs = 0;
      this.#pump();
    });
  }

  #putBack(call: Call): void {
    const next = this.#waiting.findIndex(({ number }) => number > call.number);
    this.#waiting.splice(next < 0 ? this.#waiting.length : next, 0, call);
  }
}
