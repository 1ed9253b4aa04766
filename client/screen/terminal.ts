import type { Frame } from "./frame.ts";
import type { Press } from "./keys.ts";
import type { Size } from "./model.ts";

/** Who hears what happens at a terminal. */
export interface TerminalListener {
  onPress(press: Press): void;
  onResize(size: Size): void;
}

/** A terminal of which a program has every row. */
export interface Terminal {
  readonly size: Size;
  listen(listener: TerminalListener): void;
  draw(frame: Frame): void;
  /** Draws the next frame as if nothing were there. */
  forget(): void;
  /** Writes what moves no cursor: a bell, say. */
  signal(sequence: string): void;
  /** Leaves the terminal as it was before. May be called again. */
  close(): void;
}
