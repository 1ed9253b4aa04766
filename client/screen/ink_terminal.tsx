import { type Instance, render } from "ink";
import process from "node:process";
import type { Clock } from "../connection.ts";
import { Collector } from "./collector.ts";
import type { Frame } from "./frame.ts";
import { KeyDecoder } from "./keys.ts";
import type { Size } from "./model.ts";
import type { Terminal, TerminalListener } from "./terminal.ts";
import { FrameView } from "./view.tsx";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const ignoreSignal = () => {};
/** After this long, in ms, an escape is a key, and not the beginning of another one. */
const ESCAPE_MS = 30;
/** Above what a person sees; frames are not made faster than they are asked for. */
const FRAMES_PER_SECOND_MAX = 120;
const SIZE_UNKNOWN: Size = { columns: 80, rows: 24 };
/**
 * Bracketed paste; and no wrapping at the right margin: where a terminal takes a character for wider
 * than we do, its row is cut there, and all below stays where it is.
 */
const MODES = { on: "\x1b[?2004h\x1b[?7l", off: "\x1b[?7h\x1b[?2004l" };

/** This process's terminal: ink draws on its other screen, the keyboard is read as it is. */
export class InkTerminal implements Terminal {
  readonly #clock: Clock;
  readonly #hasColors: boolean;
  readonly #keys = new KeyDecoder();
  readonly #collector: Collector;
  #listener: TerminalListener | undefined;
  #ink: Instance | undefined;
  #cancelEscape = () => {};
  #isClosed = false;
  readonly #onData = (chunk: Uint8Array) => this.#read(chunk);
  readonly #onResize = () => this.#listener?.onResize(this.size);
  /** The terminal was closed: the signal that says so ends the program. */
  readonly #onGone = () => {};
  readonly #restore = () => this.close();

  constructor(clock: Clock, hasColors: boolean) {
    this.#clock = clock;
    this.#hasColors = hasColors;
    this.#collector = new Collector(clock);
    // ink ends a process on these signals that seems not to listen to them: we do, in other ways.
    for (const signal of SIGNALS) process.on(signal, ignoreSignal);
    // However the program ends, the terminal is as before.
    globalThis.addEventListener("unload", this.#restore);
  }

  get size(): Size {
    const { columns, rows } = process.stdout;
    return columns > 0 && rows > 0 ? { columns, rows } : SIZE_UNKNOWN;
  }

  listen(listener: TerminalListener): void {
    this.#listener = listener;
    process.stdin.setRawMode(true);
    process.stdin.on("data", this.#onData);
    process.stdout.on("resize", this.#onResize);
    process.stdout.write(MODES.on);
    process.stdout.on("error", this.#onGone);
  }

  draw(frame: Frame): void {
    if (this.#isClosed) return;
    this.#collector.frameDrawn();
    const view = <FrameView frame={frame} hasColors={this.#hasColors} />;
    if (this.#ink !== undefined) return this.#ink.rerender(view);
    this.#ink = render(view, {
      alternateScreen: true,
      exitOnCtrlC: false,
      incrementalRendering: true,
      // Whatever the surroundings, there is a terminal.
      interactive: true,
      maxFps: FRAMES_PER_SECOND_MAX,
      patchConsole: false,
    });
  }

  forget(): void {
    this.#ink?.clear();
  }

  signal(sequence: string): void {
    if (!this.#isClosed) process.stdout.write(sequence);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    globalThis.removeEventListener("unload", this.#restore);
    for (const signal of SIGNALS) process.off(signal, ignoreSignal);
    this.#cancelEscape();
    this.#collector.stop();
    process.stdin.off("data", this.#onData);
    process.stdout.off("resize", this.#onResize);
    this.#ink?.unmount();
    process.stdout.write(MODES.off);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  #read(chunk: Uint8Array): void {
    this.#cancelEscape();
    this.#hear(this.#keys.push(chunk));
    if (!this.#keys.isWaiting) return;
    this.#cancelEscape = this.#clock.after(ESCAPE_MS, () => this.#hear(this.#keys.flush()));
  }

  #hear(presses: ReturnType<KeyDecoder["push"]>): void {
    for (const press of presses) this.#listener?.onPress(press);
  }
}
