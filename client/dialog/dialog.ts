/** Why a person, or a script, says no more. */
export type EndOfInput = "end" | "interrupt" | "hangup" | "termination";

/** Where a person is told things and asked for what is not known. */
export interface Dialog {
  /** Whether a person can be asked. Without, nothing may be. */
  readonly isInteractive: boolean;
  /** Asks for a line; undefined if there is none, or nobody to ask. Hidden ones are not shown. */
  ask(question: string, options?: { readonly isHidden?: boolean }): Promise<string | undefined>;
  print(...lines: readonly string[]): void;
}
