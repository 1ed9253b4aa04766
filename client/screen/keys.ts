import {
  characterKeyName,
  controlKeyName,
  keyName,
  KEYPAD,
  KEYS_BY_LETTER,
  KEYS_BY_NUMBER,
  LINUX_KEYS,
  type Modifiers,
  modifiersOf,
  NO_MODIFIERS,
  RXVT_ARROWS,
} from "./key_names.ts";
import { PasteBuffer } from "./paste_buffer.ts";

/** What somebody did at the keyboard. */
export type Press =
  /** Printable characters, as many as came together. */
  | { readonly kind: "text"; readonly text: string }
  /** A key by its name, with ctrl, alt and shift before it in this order: `ctrl+left`, `alt+1`. */
  | { readonly kind: "key"; readonly key: string }
  /**
   * A block that was pasted. Its line ends are `\n`; other control characters are as they came.
   * `droppedBytes` is how much of it was beyond `PASTE_BYTES_MAX`.
   */
  | { readonly kind: "paste"; readonly text: string; readonly droppedBytes: number };

/** No key's parameters are longer. A sequence with more is read to its end, and is no key. */
export const PARAMETER_BYTES_MAX = 64;

/** What the bytes before the next one began. */
type State =
  | "text"
  | "escape"
  /** After `ESC [`. */
  | "csi"
  /** After `ESC O`. */
  | "ss3"
  /** After `ESC [ [`. */
  | "linux_key"
  /** After `ESC [ M`: three bytes follow, whatever they are. */
  | "mouse"
  /** An answer of the terminal: OSC, DCS, SOS, PM or APC. */
  | "string"
  | "string_escape"
  /** After `ESC`: the first bytes of a character. */
  | "alt_character"
  | "paste";

type Key = { readonly key: string } | { readonly text: string };

const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const DEL = 0x7f;
const MOUSE_BYTES = 3;
const STRING_INTRODUCERS = "]PX^_";
const ALT: Modifiers = { ...NO_MODIFIERS, alt: true };
/** In reports of keys that say more: the key was let go. */
const RELEASE = 3;

/**
 * Makes presses of what a terminal sends, however it was cut. What is no key, such as reports of the
 * mouse, of focus, and answers to questions, is swallowed.
 *
 * ESC is a key and begins others: while {@linkcode KeyDecoder.isWaiting}, the caller is to call
 * {@linkcode KeyDecoder.flush} once nothing more has come for some tens of milliseconds.
 */
export class KeyDecoder {
  #state: State = "text";
  /** One more ESC came before the one that began this: alt, where the terminal sends it so. */
  #hasAlt = false;
  #parameters = "";
  /** What began a string. */
  #introducer = "";
  #mouseBytes = 0;
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #paste = new PasteBuffer();
  #presses: Press[] = [];

  push(bytes: Uint8Array): Press[] {
    for (let at = 0; at < bytes.length;) {
      if (this.#state === "text") at = this.#takeText(bytes, at);
      else if (this.#state === "paste") at = this.#takePaste(bytes, at);
      else if (this.#take(bytes[at] ?? 0)) at++;
    }
    return this.#takePresses();
  }

  /** Whether it holds what is a key by itself if nothing more comes. */
  get isWaiting(): boolean {
    return this.#held() !== undefined;
  }

  /** Nothing more came for a while: what is held is a key. Half of anything else is still held. */
  flush(): Press[] {
    const held = this.#held();
    if (held !== undefined) {
      for (const key of held) this.#press({ key });
      this.#become("text");
    }
    return this.#takePresses();
  }

  #held(): string[] | undefined {
    switch (this.#state) {
      case "escape":
        return [this.#hasAlt ? "alt+escape" : "escape"];
      case "string_escape":
        return ["escape"];
      case "csi":
        return this.#parameters === "" ? this.#heldAlt("[") : undefined;
      case "ss3":
        return this.#parameters === "" ? this.#heldAlt("O") : undefined;
      case "string":
        return this.#introducer === "" ? undefined : this.#heldAlt(this.#introducer);
      default:
        return undefined;
    }
  }

  #heldAlt(character: string): string[] {
    return [...this.#hasAlt ? ["escape"] : [], characterKeyName(character, ALT)];
  }

  #takeText(bytes: Uint8Array, at: number): number {
    let end = at;
    while (end < bytes.length && !isControl(bytes[end] ?? 0)) end++;
    if (end > at) {
      this.#type(this.#utf8.decode(bytes.subarray(at, end), { stream: true }));
      return end;
    }
    // Half a character that is not continued is none.
    this.#type(this.#utf8.decode());
    const byte = bytes[at] ?? 0;
    if (byte === ESC) this.#become("escape");
    else this.#press({ key: controlKeyName(byte, NO_MODIFIERS) });
    return at + 1;
  }

  #takePaste(bytes: Uint8Array, at: number): number {
    const end = this.#paste.push(bytes, at);
    if (!this.#paste.hasEnded) return end;
    this.#presses.push({ kind: "paste", ...this.#paste.content() });
    this.#paste = new PasteBuffer();
    this.#become("text");
    return end;
  }

  /** Whether this byte was taken; if not, it is to be looked at in the state that is now. */
  #take(byte: number): boolean {
    switch (this.#state) {
      case "escape":
        return this.#takeAfterEscape(byte);
      case "csi":
      case "ss3":
      case "linux_key":
        return this.#takeOfSequence(byte);
      case "mouse":
        // Of a report that was cut short, only its own bytes are lost.
        if (byte < 0x20) return this.#drop();
        if (++this.#mouseBytes === MOUSE_BYTES) this.#drop();
        return true;
      case "string":
        return this.#takeOfString(byte);
      case "string_escape":
        this.#become(byte === 0x5c ? "text" : "escape");
        return byte === 0x5c;
      case "alt_character":
        return this.#takeAltCharacter(byte);
      case "text":
      case "paste":
        return false;
      default:
        return this.#state satisfies never;
    }
  }

  #takeAfterEscape(byte: number): boolean {
    const character = String.fromCharCode(byte);
    if (byte === ESC) {
      if (this.#hasAlt) this.#press({ key: "escape" });
      this.#hasAlt = true;
    } else if (character === "[" || character === "O") {
      this.#become(character === "[" ? "csi" : "ss3", this.#hasAlt);
    } else if (STRING_INTRODUCERS.includes(character)) {
      this.#become("string", this.#hasAlt);
      this.#introducer = character;
    } else {
      if (this.#hasAlt) this.#press({ key: "escape" });
      if (byte >= 0x80) {
        this.#become("alt_character");
        return false;
      }
      const name = isControl(byte) ? controlKeyName(byte, ALT) : characterKeyName(character, ALT);
      this.#press({ key: name });
      this.#become("text");
    }
    return true;
  }

  #takeOfSequence(byte: number): boolean {
    if (byte === ESC) {
      this.#drop();
      this.#become("escape");
      return true;
    }
    if (byte < 0x20 || byte >= DEL) return this.#drop();
    const character = String.fromCharCode(byte);
    if (this.#state === "csi" && this.#parameters === "" && "[M".includes(character)) {
      this.#become(character === "[" ? "linux_key" : "mouse", this.#hasAlt);
      return true;
    }
    if (this.#isFinal(character)) this.#end(character);
    else if (this.#parameters.length <= PARAMETER_BYTES_MAX) this.#parameters += character;
    return true;
  }

  #isFinal(character: string): boolean {
    // rxvt ends what is held with shift in a sign that ends nothing elsewhere.
    if (character === "$") return KEYS_BY_NUMBER.has(Number(this.#parameters || NaN));
    return character >= "@";
  }

  #end(final: string): void {
    const state = this.#state;
    const parameters = this.#parameters;
    const hasAlt = this.#hasAlt;
    this.#become("text");
    if (state === "csi" && parameters === "200" && final === "~") {
      if (hasAlt) this.#press({ key: "escape" });
      this.#become("paste");
      return;
    }
    const key = parameters.length > PARAMETER_BYTES_MAX
      ? undefined
      : keyOfSequence(state, parameters, final, hasAlt);
    if (key !== undefined) this.#press(key);
    // Somebody pressed it just before the terminal reported something.
    else if (hasAlt) this.#press({ key: "escape" });
  }

  #takeOfString(byte: number): boolean {
    if (byte === ESC) {
      if (this.#hasAlt) this.#press({ key: "escape" });
      this.#become("string_escape");
      return true;
    }
    if (byte === BEL || byte === CAN || byte === SUB) {
      this.#drop();
      return true;
    }
    // Answers hold no controls: a string that lost its end must not swallow keys for ever.
    if (byte < 0x20) return this.#drop();
    this.#introducer = "";
    return true;
  }

  #takeAltCharacter(byte: number): boolean {
    if (byte < 0x80) {
      this.#become("text");
      return false;
    }
    const character = this.#utf8.decode(Uint8Array.of(byte), { stream: true });
    if (character === "") return true;
    if (!/[\x80-\x9f\ufffd]/.test(character)) {
      this.#press({ key: characterKeyName(character, ALT) });
    }
    this.#become("text");
    return true;
  }

  /** Ends what was begun as no key. */
  #drop(): false {
    if (this.#hasAlt) this.#press({ key: "escape" });
    this.#become("text");
    return false;
  }

  #become(state: State, hasAlt = false): void {
    this.#state = state;
    this.#hasAlt = hasAlt;
    this.#parameters = "";
    this.#introducer = "";
    this.#mouseBytes = 0;
  }

  #press(key: Key): void {
    if ("text" in key) this.#type(key.text);
    else this.#presses.push({ kind: "key", key: key.key });
  }

  #type(decoded: string): void {
    const text = decoded.replaceAll(/[\x80-\x9f]/g, "");
    if (text === "") return;
    const last = this.#presses.at(-1);
    if (last?.kind === "text") {
      this.#presses[this.#presses.length - 1] = { kind: "text", text: last.text + text };
    } else {
      this.#presses.push({ kind: "text", text });
    }
  }

  #takePresses(): Press[] {
    const presses = this.#presses;
    this.#presses = [];
    return presses;
  }
}

function isControl(byte: number): boolean {
  return byte < 0x20 || byte === DEL;
}

function keyOfSequence(
  state: State,
  parameters: string,
  final: string,
  hasAlt: boolean,
): Key | undefined {
  switch (state) {
    case "linux_key":
      return named(LINUX_KEYS.get(final), hasAlt ? ALT : NO_MODIFIERS);
    case "ss3":
      return keyOfSs3(parameters, final, hasAlt);
    default:
      return keyOfCsi(parameters, final, hasAlt);
  }
}

function keyOfSs3(parameters: string, final: string, hasAlt: boolean): Key | undefined {
  if (!/^\d*$/.test(parameters)) return undefined;
  const modifiers = modifiersOf(Number(parameters));
  const held = { ...modifiers, alt: modifiers.alt || hasAlt };
  const typed = KEYPAD.get(final);
  if (typed !== undefined) return characterKey(typed, held);
  const arrow = RXVT_ARROWS.get(final);
  if (arrow !== undefined) return named(arrow, { ...held, ctrl: true });
  return named(final === "M" ? "enter" : KEYS_BY_LETTER.get(final), held);
}

/** `number`, `number;modifiers` or `number;modifiers;code`, each perhaps with more after a colon. */
function keyOfCsi(parameters: string, final: string, hasAlt: boolean): Key | undefined {
  if (!/^[\d;:]*$/.test(parameters)) return undefined;
  const [numbers = [], modifierNumbers = [], [code = 0] = []] = parameters.split(";")
    .map((parameter) => parameter.split(":").map(Number));
  const [number = 0, shifted = 0] = numbers;
  const [modifierNumber = 1, event] = modifierNumbers;
  if (event === RELEASE) return undefined;
  const modifiers = modifiersOf(modifierNumber);
  const held = { ...modifiers, alt: modifiers.alt || hasAlt };
  switch (final) {
    case "~":
      return number === 27 ? codeKey(code, 0, held) : named(KEYS_BY_NUMBER.get(number), held);
    case "u":
      return codeKey(number, shifted, held);
    case "Z":
      return named("tab", { ...held, shift: true });
    case "$":
      return named(KEYS_BY_NUMBER.get(number), { ...held, shift: true });
    case "^":
      return named(KEYS_BY_NUMBER.get(number), { ...held, ctrl: true });
    case "@":
      return named(KEYS_BY_NUMBER.get(number), { ...held, ctrl: true, shift: true });
    case "R":
      // Where the cursor is, unless it can be a key.
      if (number > 1 || modifierNumber > 16) return undefined;
  }
  const arrow = RXVT_ARROWS.get(final);
  if (arrow !== undefined) return named(arrow, { ...held, shift: true });
  // Old terminals leave the 1 out: CSI 5 D.
  const isOld = number > 1 && modifierNumbers.length === 0;
  const heldOnOld = { ...modifiersOf(number), alt: modifiersOf(number).alt || hasAlt };
  return named(KEYS_BY_LETTER.get(final), isOld ? heldOnOld : held);
}

function named(key: string | undefined, modifiers: Modifiers): Key | undefined {
  return key === undefined ? undefined : { key: keyName(key, modifiers) };
}

/** A key by its code point, and by that of what it types with shift, if the terminal told. */
function codeKey(code: number, shifted: number, modifiers: Modifiers): Key | undefined {
  if (code < 0x20 || code === DEL) {
    return code === 0 ? undefined : { key: controlKeyName(code, modifiers) };
  }
  if (code > 0x10ffff) return undefined;
  const isShifted = modifiers.shift && shifted >= 0x20 && shifted <= 0x10ffff;
  const character = String.fromCodePoint(isShifted ? shifted : code);
  // Keys that type nothing have codes for private use.
  if (/[\p{Cc}\p{Cs}\p{Co}\p{Cn}]/u.test(character)) return undefined;
  return characterKey(character, isShifted ? { ...modifiers, shift: false } : modifiers);
}

function characterKey(character: string, modifiers: Modifiers): Key {
  if (modifiers.ctrl || modifiers.alt) return { key: characterKeyName(character, modifiers) };
  return { text: modifiers.shift ? character.toUpperCase() : character };
}
