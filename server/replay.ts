import { encodeMessage, writeEvent } from "../codec/message.ts";
import { describeEvent } from "./broadcast.ts";
import type { Account } from "./core/account_table.ts";
import type { ChatState } from "./core/state.ts";
import type { VersionVector } from "./core/version_vector.ts";

/**
 * What a client missed since its cursor, one frame at a time, so that it can be sent at the speed of
 * its reader. Goes on into what happens meanwhile, until there is nothing left.
 */
export class Replay {
  readonly #state: ChatState;
  readonly #account: Account;
  /** What the client has, once it has got what was taken so far. */
  readonly #seen: VersionVector;
  #at = 0;
  #frames: Uint8Array[] = [];

  /** Takes over `since`. */
  constructor(state: ChatState, account: Account, since: VersionVector) {
    this.#state = state;
    this.#account = account;
    this.#seen = since;
  }

  /** How many events are left. */
  count(): number {
    const { feed } = this.#account;
    let count = 0;
    for (let at = this.#at; at < feed.length; at++) if (!this.#isSeen(feed.at(at))) count++;
    return count;
  }

  /** The next frame; undefined once nothing is missing. */
  next(): Uint8Array | undefined {
    const { feed } = this.#account;
    while (this.#frames.length === 0 && this.#at < feed.length) {
      const number = feed.at(this.#at++);
      if (!this.#isSeen(number)) this.#frames = this.#framesOf(number);
    }
    return this.#frames.shift();
  }

  #isSeen(number: number): boolean {
    const { feed } = this.#state;
    return feed.seqOf(number) <= this.#seen.seqOf(feed.originOf(number));
  }

  #framesOf(number: number): Uint8Array[] {
    const { feed } = this.#state;
    const from = { origin: feed.originOf(number), seq: feed.seqOf(number) };
    // Each origin's events stand in the feed in sequence: whoever has this one has those before it.
    this.#seen.advance(from.origin, from.seq);
    return describeEvent(this.#state, feed.eventOf(number), this.#account, this.#seen, from)
      .map((event) => encodeMessage(writeEvent, event));
  }
}
