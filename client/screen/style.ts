/** How a piece of text looks. Colours are the terminal's own, so that its theme decides. */
export interface Style {
  readonly color?: "cyan" | "green" | "yellow" | "red" | "magenta" | "blue";
  readonly isBold?: true;
  readonly isFaint?: true;
  readonly isInverse?: true;
}

/** A piece of a row. Its text is safe on a terminal, and one line. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

/** A row of the terminal, or of a part of it. */
export type Row = readonly Span[];

export const FAINT: Style = { isFaint: true };
export const STRONG: Style = { isBold: true };

export function span(text: string, style?: Style): Span {
  return style === undefined ? { text } : { text, style };
}
