const NEWLINE = 0x0a;

/** A line of input without its newline; without bytes if it is longer than any may be. */
export interface InputLine {
  /** From 1. */
  readonly number: number;
  readonly bytes: Uint8Array | undefined;
}

/** Cuts what comes into lines, and keeps no more of one than it may have. */
export class LineCutter {
  readonly #bytesMax: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #number = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  *add(chunk: Uint8Array): Generator<InputLine> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      this.#keep(chunk.subarray(start, end));
      yield this.#take();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** The last line, if it has no newline. */
  *end(): Generator<InputLine> {
    if (this.#bytes > 0) yield this.#take();
  }

  #keep(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#bytesMax) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  #take(): InputLine {
    const [parts, length] = [this.#parts, this.#bytes];
    this.#parts = [];
    this.#bytes = 0;
    const number = ++this.#number;
    if (length > this.#bytesMax) return { number, bytes: undefined };
    const [only, ...others] = parts;
    if (only !== undefined && others.length === 0) return { number, bytes: only };
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { number, bytes };
  }
}
