import { columnsOfGrapheme, graphemesOf } from "../../client/text/columns.ts";
import { indexedColor, rgbColor } from "./colors.ts";

/** How text is to look; without a colour, as the terminal has it. */
export interface Style {
  readonly color?: string | undefined;
  readonly background?: string | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
  readonly strike?: boolean;
}

/** Text of one style, at a place in its row. */
export interface Run {
  readonly column: number;
  readonly columns: number;
  readonly text: string;
  readonly style: Style;
}

const ESC = "\x1b";
const PLAIN: Style = {};

/** Takes apart what `tmux capture-pane -e` prints: the runs of each row. */
export function runsOf(screen: string): Run[][] {
  // tmux does not begin a row with what the row before ended with.
  let style = PLAIN;
  return screen.split("\n").map((row) => {
    const runs: Run[] = [];
    let column = 0;
    for (const [index, part] of row.split(ESC).entries()) {
      const { text, parameters } = index === 0 ? { text: part } : afterEscape(part);
      if (parameters !== undefined) style = styled(style, parameters);
      for (const piece of piecesOf(text)) {
        runs.push({ column, ...piece, style });
        column += piece.columns;
      }
    }
    return runs;
  });
}

/** What follows a sequence, and the parameters if it was about style; others draw nothing. */
function afterEscape(part: string): { text: string; parameters?: string } {
  const [sequence, parameters = "", final] = /^\[([\d;:]*)([@-~])/.exec(part) ?? [];
  if (sequence !== undefined) {
    const text = part.slice(sequence.length);
    return final === "m" ? { text, parameters } : { text };
  }
  // An answer or a link ends at the ESC \ that is the next part.
  return { text: /^[\]PX^_]/.test(part) ? "" : part.slice(1) };
}

/** What is drawn from the top of its row to the bottom, so that rows join. */
export const VERTICAL_LINE = "│";

/** Wide characters by themselves: no font is sure to give them exactly two columns. */
function piecesOf(text: string): { text: string; columns: number }[] {
  const pieces: { text: string; columns: number }[] = [];
  let isJoining = false;
  for (const grapheme of graphemesOf(text.replaceAll(/\p{Cc}/gu, ""))) {
    const columns = columnsOfGrapheme(grapheme);
    const joins = columns <= 1 && grapheme !== VERTICAL_LINE;
    const last = pieces.at(-1);
    if (last !== undefined && isJoining && joins) {
      last.text += grapheme;
      last.columns += columns;
    } else {
      pieces.push({ text: grapheme, columns });
    }
    isJoining = joins;
  }
  return pieces;
}

function styled(before: Style, parameters: string): Style {
  let style = before;
  const numbers = parameters.split(";").map((parameter) => parameter.split(":").map(Number));
  for (let index = 0; index < numbers.length; index++) {
    const [number = 0, sub, ...more] = numbers[index] ?? [];
    if (number === 38 || number === 48) {
      const rest = sub === undefined
        ? numbers.slice(index + 1).map(([first = 0]) => first)
        // In one parameter, what colour space it is may stand before the colour.
        : [sub, ...more.slice(sub === 2 ? -3 : 0)];
      const color = rest[0] === 2
        ? rgbColor(rest[1] ?? 0, rest[2] ?? 0, rest[3] ?? 0)
        : indexedColor(rest[1] ?? 0);
      style = number === 38 ? { ...style, color } : { ...style, background: color };
      if (sub === undefined) index += rest[0] === 2 ? 4 : 2;
    } else if (number === 4) {
      style = { ...style, underline: sub !== 0 };
    } else {
      style = withNumber(style, number);
    }
  }
  return style;
}

function withNumber(style: Style, number: number): Style {
  const change = CHANGES.get(number);
  if (number === 0) return PLAIN;
  if (change !== undefined) return { ...style, ...change };
  if (number >= 30 && number <= 37) return { ...style, color: indexedColor(number - 30) };
  if (number >= 40 && number <= 47) return { ...style, background: indexedColor(number - 40) };
  if (number >= 90 && number <= 97) return { ...style, color: indexedColor(number - 90 + 8) };
  if (number >= 100 && number <= 107) {
    return { ...style, background: indexedColor(number - 100 + 8) };
  }
  return style;
}

const CHANGES: ReadonlyMap<number, Style> = new Map<number, Style>([
  [1, { bold: true }],
  [2, { dim: true }],
  [3, { italic: true }],
  [7, { inverse: true }],
  [9, { strike: true }],
  [22, { bold: false, dim: false }],
  [23, { italic: false }],
  [24, { underline: false }],
  [27, { inverse: false }],
  [29, { strike: false }],
  [39, { color: undefined }],
  [49, { background: undefined }],
]);
