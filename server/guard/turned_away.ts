import { encodeMessage, writeReply } from "../../codec/message.ts";
import type { Timer } from "../commit.ts";
import { refuse } from "../requests/context.ts";
import type { Connection } from "../session.ts";

/** How long a connection may take to be told, in ms: what is encrypted needs a handshake first. */
const TOLD_MS = 2000;
/** So many at once are told; others are closed without a word. */
const TOLD_AT_ONCE_MAX = 100;

/** Connections that are not taken: they are told why, if that costs little, and closed. */
export class TurnedAway {
  readonly #timer: Timer;
  #count = 0;

  constructor(timer: Timer) {
    this.#timer = timer;
  }

  tell(connection: Connection, sentence: string): void {
    if (this.#count >= TOLD_AT_ONCE_MAX) return connection.close();
    this.#count++;
    const cancel = this.#timer.after(TOLD_MS, () => connection.close());
    const reply = encodeMessage(writeReply, refuse("too_many_connections", sentence));
    // Whether it hears of it is its own concern.
    connection.write(reply).catch(() => {}).finally(() => {
      cancel();
      this.#count--;
      connection.close();
    });
  }
}
