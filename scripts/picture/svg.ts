import { BACKGROUND, FOREGROUND } from "./colors.ts";
import { type Run, runsOf, VERTICAL_LINE } from "./styled_text.ts";

export interface PictureOptions {
  readonly columns: number;
  readonly rows: number;
  /** In the frame of the window, and for those who cannot see the picture. */
  readonly title: string;
}

/** In pixels. */
const FONT_SIZE = 14;
/** Most monospaced fonts are 0.6 of their size wide. */
const COLUMN_WIDTH = 8.4;
const ROW_HEIGHT = 18;
/** From the top of a row to the line that letters stand on. */
const BASELINE = 13.5;
const TITLE_HEIGHT = 34;
const PADDING = 14;
const RADIUS = 9;
const LINE_WIDTH = 1.1;
const DIM = ' fill-opacity="0.6"';
const FRAME = "#262a33";
const BORDER = "#3b4048";
const TITLE_COLOR = "#a3a9b5";
const BUTTONS = ["#f07178", "#e6c07b", "#9ccc65"];
const FONTS = "ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace";

/**
 * Draws what a terminal shows as a window, in SVG. `screen` is what `tmux capture-pane -e` prints;
 * the same screen always gives the same picture.
 */
export function svgOf(screen: string, { columns, rows, title }: PictureOptions): string {
  const width = fixed(columns * COLUMN_WIDTH + 2 * PADDING);
  const height = fixed(rows * ROW_HEIGHT + TITLE_HEIGHT + 2 * PADDING);
  const text = runsOf(screen).slice(0, rows).flatMap((runs, row) =>
    runs.filter(({ column }) => column < columns).flatMap((run) => drawn(run, row))
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    ...windowFrame(width, height, title),
    `<g font-family="${FONTS}" font-size="${FONT_SIZE}" fill="${FOREGROUND}" xml:space="preserve">`,
    ...text,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function windowFrame(width: string, height: string, title: string): string[] {
  const middle = TITLE_HEIGHT / 2;
  const right = Number(width) - RADIUS - 0.5;
  return [
    `<rect x="0.5" y="0.5" width="${Number(width) - 1}" height="${Number(height) - 1}" ` +
    `rx="${RADIUS}" fill="${BACKGROUND}" stroke="${BORDER}"/>`,
    `<path d="M1 ${TITLE_HEIGHT}V${RADIUS + 1}a${RADIUS} ${RADIUS} 0 0 1 ${RADIUS} -${RADIUS}` +
    `H${fixed(right - 0.5)}a${RADIUS} ${RADIUS} 0 0 1 ${RADIUS} ${RADIUS}V${TITLE_HEIGHT}z" ` +
    `fill="${FRAME}"/>`,
    ...BUTTONS.map((color, index) =>
      `<circle cx="${18 + 18 * index}" cy="${middle}" r="5.5" fill="${color}"/>`
    ),
    `<text x="${fixed(Number(width) / 2)}" y="${middle + 4.5}" fill="${TITLE_COLOR}" ` +
    `font-family="system-ui, sans-serif" font-size="13" text-anchor="middle">${
      escaped(title)
    }</text>`,
  ];
}

/** Its background, if it has one of its own, and its text. */
function drawn(run: Run, row: number): string[] {
  const { style } = run;
  const color = style.inverse ? style.background ?? BACKGROUND : style.color;
  const background = style.inverse ? style.color ?? FOREGROUND : style.background;
  const top = TITLE_HEIGHT + PADDING + row * ROW_HEIGHT;
  const box = background === undefined ? [] : [
    `<rect x="${x(run.column)}" y="${fixed(top)}" width="${fixed(run.columns * COLUMN_WIDTH)}" ` +
    `height="${ROW_HEIGHT}" fill="${background}"/>`,
  ];
  const isDecorated = style.underline === true || style.strike === true;
  const { column, columns, text } = isDecorated ? run : trimmed(run);
  if (text === "") return box;
  if (text === VERTICAL_LINE) return [...box, verticalLine(column, top, style.dim, color)];
  const decorations = [
    ...style.underline ? ["underline"] : [],
    ...style.strike ? ["line-through"] : [],
  ];
  const attributes = [
    `x="${x(column)}" y="${fixed(top + BASELINE)}"`,
    // Whatever the font, what comes after is where it belongs.
    `textLength="${fixed(columns * COLUMN_WIDTH)}" lengthAdjust="spacingAndGlyphs"`,
    ...color === undefined ? [] : [`fill="${color}"`],
    ...style.bold ? ['font-weight="bold"'] : [],
    ...style.dim ? [DIM.trim()] : [],
    ...style.italic ? ['font-style="italic"'] : [],
    ...decorations.length > 0 ? [`text-decoration="${decorations.join(" ")}"`] : [],
  ];
  return [...box, `<text ${attributes.join(" ")}>${escaped(text)}</text>`];
}

/** Where the line of most fonts is, which leave a gap to the next row. */
function verticalLine(column: number, top: number, isDim = false, color = FOREGROUND): string {
  const middle = PADDING + (column + 0.5) * COLUMN_WIDTH;
  return `<rect x="${fixed(middle - LINE_WIDTH / 2)}" y="${fixed(top)}" width="${LINE_WIDTH}" ` +
    `height="${ROW_HEIGHT}" fill="${color}"${isDim ? DIM : ""}/>`;
}

/** Without the spaces at its ends, which show nothing. */
function trimmed(run: Run): Run {
  const text = run.text.replace(/^ +/, "");
  const before = run.text.length - text.length;
  const shown = text.replace(/ +$/, "");
  const columns = run.columns - before - (text.length - shown.length);
  return { ...run, column: run.column + before, columns, text: shown };
}

function x(column: number): string {
  return fixed(PADDING + column * COLUMN_WIDTH);
}

/** Without what binary fractions leave behind. */
function fixed(number: number): string {
  return String(Number(number.toFixed(2)));
}

/** As it may stand in XML, also in an attribute. */
function escaped(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\ufffe\uffff]/gu, "")
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
