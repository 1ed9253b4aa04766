/** What a command takes from the program's surroundings, and gives to them. */
export interface Shell {
  env(name: string): string | undefined;
  readTextFile(path: string): Promise<string>;
  /** The permission bits of a file; undefined if there is none. */
  modeOf(path: string): Promise<number | undefined>;
  /** Replaces a file as a whole, or not at all; nobody but its owner may read it. */
  writePrivateFile(path: string, text: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  /** Appends to a file that only its owner can read; makes it, and its directory, if need be. */
  appendPrivateFile(path: string, text: string): Promise<void>;
  /** Runs a command of the person's with `sh`: without streams, and with these variables, too. */
  runCommand(command: string, env: Readonly<Record<string, string>>): Promise<void>;
  /** ms since 1970. */
  wallMs(): number;
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
  /**
   * Lets a program draw on the whole terminal: before a note is written, `close` leaves the terminal as
   * it was. Returns how to say that it is given back.
   */
  lendTerminal(close: () => void): () => void;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
}

/** What of a file's mode lets others than its owner at it. */
export const OTHERS = 0o077;

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
