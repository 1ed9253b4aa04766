/** How names and the like are set off; plain where colours are not wanted. */
export interface Paint {
  readonly hasColors: boolean;
  name(text: string): string;
  faint(text: string): string;
  strong(text: string): string;
}

export const PLAIN: Paint = {
  hasColors: false,
  name: (text) => text,
  faint: (text) => text,
  strong: (text) => text,
};

export const COLORED: Paint = {
  hasColors: true,
  name: (text) => `\x1b[36m${text}\x1b[39m`,
  faint: (text) => `\x1b[2m${text}\x1b[22m`,
  strong: (text) => `\x1b[1m${text}\x1b[22m`,
};
