/** What is kept of one paste; the rest is dropped. */
export const PASTE_BYTES_MAX = 1024 * 1024;

const ESC = 0x1b;
const FIRST_BYTES = 1024;
/** `ESC [ 201 ~` */
const END = Uint8Array.of(ESC, 0x5b, 0x32, 0x30, 0x31, 0x7e);

/** Gathers a bracketed paste up to the mark that ends it, however it was cut. */
export class PasteBuffer {
  #kept = new Uint8Array(FIRST_BYTES);
  #keptBytes = 0;
  #droppedBytes = 0;
  /** How much of the mark the last bytes were. */
  #endBytes = 0;

  get hasEnded(): boolean {
    return this.#endBytes === END.length;
  }

  /** Takes `bytes` from `at` on, up to the mark; returns where it stopped. */
  push(bytes: Uint8Array, at: number): number {
    while (at < bytes.length && !this.hasEnded) {
      if (this.#endBytes > 0) {
        if (bytes[at] === END[this.#endBytes]) {
          this.#endBytes++;
          at++;
        } else {
          // ESC is only the first byte of the mark, so nothing of this can begin another.
          this.#keep(END.subarray(0, this.#endBytes));
          this.#endBytes = 0;
        }
        continue;
      }
      const escape = bytes.indexOf(ESC, at);
      this.#keep(bytes.subarray(at, escape === -1 ? bytes.length : escape));
      if (escape === -1) return bytes.length;
      this.#endBytes = 1;
      at = escape + 1;
    }
    return at;
  }

  content(): { readonly text: string; readonly droppedBytes: number } {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    // A character that was cut in two by the limit is dropped, not shown as a broken one.
    const isCut = this.#droppedBytes > 0;
    const text = decoder.decode(this.#kept.subarray(0, this.#keptBytes), { stream: isCut });
    return { text: text.replaceAll(/\r\n?/g, "\n"), droppedBytes: this.#droppedBytes };
  }

  #keep(bytes: Uint8Array): void {
    // Once something was dropped, nothing after it has a place.
    const room = this.#droppedBytes > 0 ? 0 : PASTE_BYTES_MAX - this.#keptBytes;
    const kept = bytes.subarray(0, room);
    this.#droppedBytes += bytes.length - kept.length;
    const needed = this.#keptBytes + kept.length;
    if (needed > this.#kept.length) {
      const grown = new Uint8Array(
        Math.min(PASTE_BYTES_MAX, Math.max(needed, this.#kept.length * 2)),
      );
      grown.set(this.#kept.subarray(0, this.#keptBytes));
      this.#kept = grown;
    }
    this.#kept.set(kept, this.#keptBytes);
    this.#keptBytes = needed;
  }
}
