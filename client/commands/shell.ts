/** What a command takes from the program's surroundings, and gives to them. */
export interface Shell {
  env(name: string): string | undefined;
  readTextFile(path: string): Promise<string>;
  /** All of standard input. Throws {@linkcode InputTooLongError}. */
  readStdin(bytesMax: number): Promise<string>;
  /**
   * Data, to standard output. Throws {@linkcode OutputClosedError} when nobody reads it any more,
   * {@linkcode OutputFailedError} when it cannot be written.
   */
  write(text: string): Promise<void>;
  /** A line to standard error: everything but data. */
  note(line: string): void;
  /** Asks for what must not be seen; undefined at the end of input. Only on a terminal. */
  askSecret(question: string): Promise<string | undefined>;
  /** Calls `action` instead of ending when the process is told to end; returns how to undo that. */
  onTermination(action: (signal: TerminationSignal) => void): () => void;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
}

export type TerminationSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** As shells have it: 128 and the signal's number. */
export const SIGNAL_EXIT_CODES: Record<TerminationSignal, number> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
};

/** A person pressed Ctrl+C where the terminal makes no signal of it. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** The reader of standard output has left, as `head` does. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
}

/** Standard output takes nothing: its disk is full, say. */
export class OutputFailedError extends Error {
  override readonly name = "OutputFailedError";
}

export class InputTooLongError extends Error {
  override readonly name = "InputTooLongError";

  constructor(bytesMax: number) {
    super(`Cannot read standard input: it is longer than ${bytesMax} bytes`);
  }
}
