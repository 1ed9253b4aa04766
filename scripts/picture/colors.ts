/** The colours of a terminal's picture: dark, and legible where pages are white or black. */

export const BACKGROUND = "#16181d";
export const FOREGROUND = "#d6d9e0";

/** The 16 that programs ask for by number, normal and bright. */
const NAMED: readonly string[] = [
  ...["#3b4048", "#f07178", "#9ccc65", "#e6c07b", "#6cb6ff", "#d38aea", "#56c8d8", "#d6d9e0"],
  ...["#8a919e", "#ff8b92", "#b9e08c", "#f5d68f", "#93caff", "#e2aef2", "#84dfeb", "#ffffff"],
];
const CUBE_START = 16;
const GRAY_START = 232;
const CUBE_LEVELS: readonly number[] = [0, 95, 135, 175, 215, 255];

/** One of the 256 colours of xterm; undefined for any other number. */
export function indexedColor(index: number): string | undefined {
  if (!Number.isInteger(index) || index < 0 || index > 255) return undefined;
  if (index < CUBE_START) return NAMED[index];
  if (index >= GRAY_START) {
    const level = 8 + 10 * (index - GRAY_START);
    return rgbColor(level, level, level);
  }
  const place = index - CUBE_START;
  const [red = 0, green = 0, blue = 0] = [
    Math.floor(place / 36),
    Math.floor(place / 6) % 6,
    place % 6,
  ]
    .map((level) => CUBE_LEVELS[level] ?? 0);
  return rgbColor(red, green, blue);
}

export function rgbColor(red: number, green: number, blue: number): string {
  const parts = [red, green, blue].map((part) => Math.max(0, Math.min(255, Math.trunc(part) || 0)));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
