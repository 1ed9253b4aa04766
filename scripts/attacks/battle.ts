import type { Credentials } from "../../server/testing/wire_client.ts";
import type { Reply } from "../../codec/message.ts";
import type { Orders, Outcome } from "./orders.ts";

/** What an attacking process does. Resolves when it is done, or soon after the battle is over. */
export type Weapon = (battle: Battle) => Promise<void>;

const ADDRESSES_PER_PROCESS = 250;

/** The orders of one attacking process, what it has done so far, and whether it is to go on. */
export class Battle {
  readonly orders: Orders;
  /** Resolves when it is to end. */
  readonly over: Promise<void>;
  readonly #onInPlace: () => void;
  readonly #deeds = new Map<string, number>();
  readonly #answers = new Map<string, number>();
  #isInPlace = false;
  #isOver = false;
  #addresses = 0;

  constructor(orders: Orders, over: Promise<void>, onInPlace: () => void) {
    this.orders = orders;
    this.over = over.then(() => void (this.#isOver = true));
    this.#onInPlace = onInPlace;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get outcome(): Outcome {
    return {
      deeds: Object.fromEntries(this.#deeds),
      answers: Object.fromEntries(this.#answers),
    };
  }

  /** Something was done. */
  count(deed: string, times = 1): void {
    this.#deeds.set(deed, (this.#deeds.get(deed) ?? 0) + times);
  }

  /** Something was answered. */
  answered(reply: Reply): void {
    const name = reply.kind === "error" ? reply.payload.code : reply.kind;
    this.#answers.set(name, (this.#answers.get(name) ?? 0) + 1);
  }

  /** Something was answered, and with that the attack is in place. */
  answeredInPlace(reply: Reply): void {
    this.answered(reply);
    this.inPlace();
  }

  /** Says, once, that all is where it is to be. */
  inPlace(): void {
    if (!this.#isInPlace) this.#onInPlace();
    this.#isInPlace = true;
  }

  amount(name: string): number {
    const amount = this.orders.amounts[name];
    if (amount === undefined) throw new Error(`Cannot attack: nobody said how many ${name}`);
    return amount;
  }

  account(index = 0): Credentials {
    const { accounts } = this.orders;
    const account = accounts[index % accounts.length];
    if (account === undefined) throw new Error("Cannot attack: nobody has signed up");
    return account;
  }

  port(index = 0): number {
    return portOf(this.orders.ports, index);
  }

  peerPort(index = 0): number {
    return portOf(this.orders.peerPorts, index);
  }

  /** Of this machine, and another one each time; no other process comes from it. */
  nextAddress(): string {
    const { process } = this.orders;
    return `127.1.${process + 1}.${1 + this.#addresses++ % ADDRESSES_PER_PROCESS}`;
  }

  /** Resolves after so long, or when the battle is over. */
  async pause(ms: number): Promise<void> {
    const due = Promise.withResolvers<void>();
    const timer = setTimeout(due.resolve, ms);
    await Promise.race([due.promise, this.over]);
    clearTimeout(timer);
  }

  /** Does something so often, this many at once, as long as it is not over. */
  async many(times: number, atOnce: number, deed: (index: number) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < times && !this.isOver) await deed(next++);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, times) }, worker));
  }
}

function portOf(ports: readonly number[], index: number): number {
  const port = ports[index % ports.length];
  if (port === undefined) throw new Error("Cannot attack: there is no such port");
  return port;
}
