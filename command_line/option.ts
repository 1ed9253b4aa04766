/** An option of a command, as its table has it: parsing, help and completion go by this row. */
export type OptionRow = Flag | Valued | Chosen;

interface Common {
  readonly help: string;
}

/** It is there, or it is not. */
type Flag = Common;

interface Valued extends Common {
  /** What its value is called. */
  readonly value: string;
  /** Its value is a path on this machine, to one of these. */
  readonly path?: "file" | "directory";
  readonly isRepeatable?: true;
}

interface Chosen extends Common {
  /** All that its value may be. */
  readonly words: readonly string[];
}

export interface NamedOption {
  readonly name: string;
  readonly row: OptionRow;
}

/** The words that a command takes besides options. */
export interface Operands {
  /** As a usage line shows them; several if there are several ways. */
  readonly usage: string | readonly string[];
  readonly min: number;
  readonly max: number;
  /** All that the first may be. */
  readonly words?: readonly string[];
  /** They are paths on this machine, to these. */
  readonly path?: "file" | "directory";
}

export const NO_OPERANDS: Operands = { usage: "", min: 0, max: 0 };

/** Of an option that takes none, undefined; of one with words, all of them: `on|off`. */
export function valueOf(row: OptionRow): string | undefined {
  if ("words" in row) return row.words.join("|");
  return "value" in row ? row.value : undefined;
}

/** `--limit N` */
export function optionText({ name, row }: NamedOption): string {
  const value = valueOf(row);
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}
