/** Why no more lines come. */
export type EndOfLines = "end" | "interrupt" | "hangup" | "termination";

/** A person, or a script, that enters lines and reads lines. */
export interface LineScreen {
  /** Whether a person can be asked. Without, nothing may be. */
  readonly isInteractive: boolean;
  /** The next line that was entered. */
  next(): Promise<{ readonly line: string } | { readonly end: EndOfLines }>;
  /** Asks for a line; undefined if there is none, or nobody to ask. Hidden ones are not shown. */
  ask(question: string, options?: { readonly isHidden?: boolean }): Promise<string | undefined>;
  /** Prints lines above what is being typed. */
  print(...lines: readonly string[]): void;
  setPrompt(prompt: string): void;
  ring(): void;
  /** Ends the lines, as if the person had. */
  end(why: EndOfLines): void;
  /** Leaves the terminal as it was; resolves when all is printed. */
  close(): Promise<void>;
}
