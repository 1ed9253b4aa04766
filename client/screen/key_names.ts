/** What terminals call keys, and what we call them. */

/** What was held down with a key. */
export interface Modifiers {
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
}

export const NO_MODIFIERS: Modifiers = { ctrl: false, alt: false, shift: false };

/** `ctrl+alt+shift+key`, with those that are held. */
export function keyName(key: string, { ctrl, alt, shift }: Modifiers): string {
  return `${ctrl ? "ctrl+" : ""}${alt ? "alt+" : ""}${shift ? "shift+" : ""}${key}`;
}

/** A character that came with modifiers: `alt+b`, `alt+shift+b` for what types a capital letter. */
export function characterKeyName(character: string, modifiers: Modifiers): string {
  const lower = character.toLowerCase();
  const isCapital = lower !== character && lower.length === character.length;
  const key = character === " " ? "space" : isCapital ? lower : character;
  return keyName(key, { ...modifiers, shift: modifiers.shift || isCapital });
}

/** The name of a control character; every one is some key. */
export function controlKeyName(code: number, modifiers: Modifiers): string {
  const named = CONTROL_KEYS.get(code);
  if (named !== undefined) return keyName(named, modifiers);
  const key = code === 0 ? "space" : String.fromCharCode(code | 0x40).toLowerCase();
  return keyName(key, { ...modifiers, ctrl: true });
}

/** The parameter of xterm and its like: one more than the bits of what is held. */
export function modifiersOf(parameter: number): Modifiers {
  const bits = Math.max(parameter, 1) - 1;
  return {
    ctrl: (bits & CTRL_BIT) !== 0,
    alt: (bits & (ALT_BIT | META_BIT)) !== 0,
    shift: (bits & SHIFT_BIT) !== 0,
  };
}

/** After `CSI`, or `SS3`: xterm, and everything since. */
export const KEYS_BY_LETTER: ReadonlyMap<string, string> = new Map([
  ["A", "up"],
  ["B", "down"],
  ["C", "right"],
  ["D", "left"],
  ["F", "end"],
  ["H", "home"],
  ["P", "f1"],
  ["Q", "f2"],
  ["R", "f3"],
  ["S", "f4"],
]);

/** rxvt's arrows: with shift after `CSI`, with ctrl after `SS3`. */
export const RXVT_ARROWS: ReadonlyMap<string, string> = new Map([
  ["a", "up"],
  ["b", "down"],
  ["c", "right"],
  ["d", "left"],
]);

/** After `CSI [`, on the Linux console. */
export const LINUX_KEYS: ReadonlyMap<string, string> = new Map([
  ["A", "f1"],
  ["B", "f2"],
  ["C", "f3"],
  ["D", "f4"],
  ["E", "f5"],
]);

/** `CSI number ~`: VT220, tmux, screen, rxvt and the Linux console. */
export const KEYS_BY_NUMBER: ReadonlyMap<number, string> = new Map([
  [1, "home"],
  [2, "insert"],
  [3, "delete"],
  [4, "end"],
  [5, "pageup"],
  [6, "pagedown"],
  [7, "home"],
  [8, "end"],
  [11, "f1"],
  [12, "f2"],
  [13, "f3"],
  [14, "f4"],
  [15, "f5"],
  [17, "f6"],
  [18, "f7"],
  [19, "f8"],
  [20, "f9"],
  [21, "f10"],
  [23, "f11"],
  [24, "f12"],
]);

/** The number pad in application mode, after `SS3`: what it types. */
export const KEYPAD: ReadonlyMap<string, string> = new Map([
  ["X", "="],
  ["j", "*"],
  ["k", "+"],
  ["l", ","],
  ["m", "-"],
  ["n", "."],
  ["o", "/"],
  ...Array.from("pqrstuvwxy", (letter, digit) => [letter, String(digit)] as const),
]);

const SHIFT_BIT = 1;
const ALT_BIT = 2;
const CTRL_BIT = 4;
/** Where alt sends what xterm calls meta. */
const META_BIT = 8;

const CONTROL_KEYS: ReadonlyMap<number, string> = new Map([
  [0x08, "backspace"],
  [0x09, "tab"],
  [0x0d, "enter"],
  [0x1b, "escape"],
  [0x7f, "backspace"],
]);
