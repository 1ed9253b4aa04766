import type { Credentials, Door } from "../../server/testing/wire_client.ts";
import { connectSenders, type Quantiles, quantiles } from "./round.ts";
import type { Sender } from "./sender.ts";

/** How many clients go on while something else happens, and how often each sends, in ms. */
export const PACERS = 16;
const SEND_EVERY_MS = 20;

/** Clients that send one message after the other, with pauses, and take the time of each. */
export class Pacers {
  readonly #doors: readonly Door[];
  readonly #users: readonly Credentials[];
  readonly #onAcknowledged: (count: number) => void;
  #timesMs: number[] = [];
  #isStopped = false;

  constructor(
    doors: readonly Door[],
    users: readonly Credentials[],
    onAcknowledged: (count: number) => void,
  ) {
    this.#doors = doors;
    this.#users = users;
    this.#onAcknowledged = onAcknowledged;
  }

  /** Resolves after this time, or when stopped. */
  async run(ms: number): Promise<void> {
    const senders = await connectSenders(this.#doors, this.#users, PACERS, 1);
    const endMs = performance.now() + ms;
    await Promise.all(senders.map((sender) => this.#pace(sender, endMs)));
    for (const sender of senders) sender.close();
    this.#timesMs = senders.flatMap((sender) => sender.latenciesMs);
    this.#onAcknowledged(this.#timesMs.length);
  }

  stop(): void {
    this.#isStopped = true;
  }

  get times(): Quantiles {
    return quantiles(this.#timesMs);
  }

  async #pace(sender: Sender, endMs: number): Promise<void> {
    while (!this.#isStopped && performance.now() < endMs) {
      await sender.run({ left: 1 }, Infinity);
      await new Promise((resolve) => setTimeout(resolve, SEND_EVERY_MS));
    }
  }
}
