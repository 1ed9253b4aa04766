import type { Dialog, EndOfInput } from "../dialog/dialog.ts";

/** A person, or a script, that enters lines and reads lines. */
export interface LineScreen extends Dialog {
  /** The next line that was entered. */
  next(): Promise<{ readonly line: string } | { readonly end: EndOfInput }>;
  setPrompt(prompt: string): void;
  ring(): void;
  /** Ends the lines, as if the person had. */
  end(why: EndOfInput): void;
  /** Leaves the terminal as it was; resolves when all is printed. */
  close(): Promise<void>;
}
