import type { Process, Scheduler } from "./scheduler.ts";

/** What a channel stands on: the way from one machine to another. */
export interface Way {
  readonly from: string;
  readonly to: string;
  readonly scheduler: Scheduler;
  latencyUs(): number;
  /** After a cut, how much later what was lost is sent again. */
  retransmitUs(): number;
  isCut(): boolean;
  /** Whether the machine that it leads to has no power. */
  isDown(): boolean;
  /** After a cut, whether the connection was given up meanwhile. */
  isGivenUp(): boolean;
}

/** One way of one connection: in order, or not at all. */
export class Channel {
  readonly way: Way;
  #lastUs = 0;
  #isSilent = false;
  readonly #waiting: (() => void)[] = [];

  constructor(way: Way) {
    this.way = way;
  }

  /** Nothing comes through any more, and nobody is told. */
  silence(): void {
    this.#isSilent = true;
    this.#waiting.length = 0;
  }

  /** After a cut, what waited comes late, or never. */
  mended(): void {
    if (this.#waiting.length === 0) return;
    if (this.way.isGivenUp()) return this.silence();
    this.#lastUs = Math.max(this.#lastUs, this.way.scheduler.nowUs + this.way.retransmitUs());
    for (const send of this.#waiting.splice(0)) send();
  }

  /**
   * `arrive` happens to whoever is there by then, after all that was sent before. If that is nobody, and
   * the machine is there to say so, `onNobody` happens.
   */
  send(
    whom: () => Process | undefined,
    what: string,
    arrive: () => void,
    onNobody: () => void,
  ): void {
    if (this.#isSilent) return;
    const { scheduler, isCut, isDown, latencyUs } = this.way;
    if (isCut()) {
      this.#waiting.push(() => this.send(whom, what, arrive, onNobody));
      return;
    }
    this.#lastUs = Math.max(this.#lastUs, scheduler.nowUs + latencyUs());
    scheduler.after(whom, this.#lastUs - scheduler.nowUs, what, () => {
      if (!this.#isSilent) arrive();
    }, {
      onNobody: () => {
        if (!isDown()) onNobody();
      },
    });
  }
}
