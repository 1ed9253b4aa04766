import { printable } from "../../codec/printable.ts";
import type { Clock } from "../connection.ts";

/** How a person is told of a message that is not seen. */
export interface Notifying {
  readonly rings: boolean;
  /** Which escape sequence makes the terminal show a notification, if any. */
  readonly sequence: "osc9" | "osc777" | undefined;
  /** Runs a program of the person's, told who wrote and what. */
  readonly run: ((from: string, text: string) => Promise<void>) | undefined;
}

/** A bell more often than this, in ms, is noise. */
const RING_EVERY_MS = 1_000;
/** Letters of a text that a notification shows. */
const TEXT_CHARACTERS_MAX = 200;
const BELL = "\x07";
const ST = "\x1b\\";

/** Tells of messages as they come. However many come at once, one program runs at a time. */
export class Notifier {
  readonly #notifying: Notifying;
  readonly #clock: Clock;
  readonly #signal: (sequence: string) => void;
  readonly #onFailure: (error: unknown) => void;
  #rangMs = -Infinity;
  #isRunning = false;
  /** What came while the program ran; only the last is told of. */
  #next: readonly [from: string, text: string] | undefined;

  /** `signal` writes to the terminal; `onFailure` hears why a program could not be run. */
  constructor(
    notifying: Notifying,
    clock: Clock,
    signal: (sequence: string) => void,
    onFailure: (error: unknown) => void,
  ) {
    this.#notifying = notifying;
    this.#clock = clock;
    this.#signal = signal;
    this.#onFailure = onFailure;
  }

  tell(from: string, text: string): void {
    const { rings, sequence, run } = this.#notifying;
    const nowMs = this.#clock.nowMs();
    if (rings && nowMs - this.#rangMs >= RING_EVERY_MS) {
      this.#rangMs = nowMs;
      this.#signal(BELL);
    }
    // A semicolon would end the title; in OSC 9, after a number, it begins what some terminals obey.
    const title = printable(from).replaceAll(";", ",");
    const body = printable(shortened(text));
    if (sequence === "osc9") this.#signal(`\x1b]9;${title}: ${body}${ST}`);
    if (sequence === "osc777") this.#signal(`\x1b]777;notify;${title};${body}${ST}`);
    if (run === undefined) return;
    this.#next = [from, text];
    if (!this.#isRunning) void this.#runAll(run);
  }

  async #runAll(run: NonNullable<Notifying["run"]>): Promise<void> {
    this.#isRunning = true;
    try {
      for (let next = this.#take(); next !== undefined; next = this.#take()) await run(...next);
    } catch (error) {
      this.#onFailure(error);
    } finally {
      this.#isRunning = false;
    }
  }

  #take(): readonly [from: string, text: string] | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }
}

function shortened(text: string): string {
  const characters = [...text];
  if (characters.length <= TEXT_CHARACTERS_MAX) return text;
  return `${characters.slice(0, TEXT_CHARACTERS_MAX).join("")}…`;
}
