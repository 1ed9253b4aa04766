import { fold, isPlain } from "./fold.ts";

/** Bits that a filter has while texts are added one after the other, and at most: 8 KiB. */
const BITS_MAX = 2 ** 16;
const BITS_MIN = 2 ** 6;
/** So many bits a filter gets at least for each that is set: one in four says yes to what is not there. */
const ROOM = 4;
/** Where more than this part of the bits is set, most questions are answered with a yes. */
const FULL_PART = 1 / 2;
/** Of a query, so many trigrams are asked for: more would hardly say no more often. */
const ASKED_MAX = 64;
const STEPS_PER_ASCII_BYTE = 0.4;
const STEPS_PER_PLAIN_BYTE = 1;
/** As long as it takes to fold a text that changes by it. */
const STEPS_PER_OTHER_BYTE = 10;
const SCRATCH_BYTES = 4096;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const scratch = new Uint8Array(SCRATCH_BYTES);

/** Of bytes of UTF-8: capital letters of ASCII as small ones, all others as they are. */
const LOWER = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);

/**
 * Says of some texts that a word occurs in none of them, or may occur: a Bloom filter with one hash, of
 * every three bytes in a row of the folded texts' UTF-8. A word of several trigrams asks that often.
 */
export class TrigramFilter {
  readonly #bits: Int32Array;

  /** As large as can be, with no texts. */
  constructor(bits = new Int32Array(BITS_MAX / 32)) {
    this.#bits = bits;
  }

  get bytes(): number {
    return this.#bits.byteLength;
  }

  clear(): void {
    this.#bits.fill(0);
  }

  /** Adds a text, by its UTF-8. Returns what that took, in steps of about 10 ns. */
  add(utf8: Uint8Array): number {
    // Of ASCII, the folded form is just its small letters.
    if (isAscii(utf8)) {
      this.#addFolded(utf8, utf8.length);
      return utf8.length * STEPS_PER_ASCII_BYTE;
    }
    const text = decoder.decode(utf8);
    this.#addText(text);
    return utf8.length * (isPlain(text) ? STEPS_PER_PLAIN_BYTE : STEPS_PER_OTHER_BYTE);
  }

  /** False if no text has all of these trigrams, which {@linkcode trigramsOf} made. */
  mayHaveAll(trigrams: Uint32Array): boolean {
    const bits = this.#bits;
    const mask = bits.length * 32 - 1;
    for (let index = 0; index < trigrams.length; index++) {
      const bit = (trigrams[index] as number) & mask;
      if (((bits[bit >>> 5] as number) & (1 << bit)) === 0) return false;
    }
    return true;
  }

  /** The same in as few bits as will do; undefined if so much is in it that it is of no use. */
  packed(): TrigramFilter | undefined {
    const set = countBits(this.#bits);
    if (set > this.#bits.length * 32 * FULL_PART) return undefined;
    let size = BITS_MIN;
    while (size < set * ROOM) size *= 2;
    const words = Math.min(size / 32, this.#bits.length);
    const bits = this.#bits.slice(0, words);
    // Numbers of bits are the lowest bits of a hash: so one half lies over the other.
    for (let from = words; from < this.#bits.length; from += words) {
      for (let word = 0; word < words; word++) {
        bits[word] = (bits[word] as number) | (this.#bits[from + word] as number);
      }
    }
    return new TrigramFilter(bits);
  }

  #addText(text: string): void {
    const folded = fold(text);
    const { read, written } = encoder.encodeInto(folded, scratch);
    if (read === folded.length) return this.#addFolded(scratch, written);
    const bytes = encoder.encode(folded);
    this.#addFolded(bytes, bytes.length);
  }

  #addFolded(bytes: Uint8Array, length: number): void {
    if (length < 3) return;
    const bits = this.#bits;
    const mask = bits.length * 32 - 1;
    let trigram = firstTwo(bytes);
    for (let at = 2; at < length; at++) {
      trigram = (trigram << 8 | (LOWER[bytes[at] as number] as number)) & 0xffffff;
      const bit = hashOf(trigram) & mask;
      // How many are set is counted later: here that would take as long as all else.
      bits[bit >>> 5] = (bits[bit >>> 5] as number) | (1 << bit);
    }
  }
}

/** What to ask a filter for: hashes of the trigrams of words that are folded. None of short words. */
export function trigramsOf(words: readonly string[]): Uint32Array {
  const hashes = new Set<number>();
  for (const word of words) {
    const bytes = encoder.encode(word);
    if (bytes.length < 3) continue;
    let trigram = firstTwo(bytes);
    for (let at = 2; at < bytes.length && hashes.size < ASKED_MAX; at++) {
      trigram = (trigram << 8 | (bytes[at] as number)) & 0xffffff;
      hashes.add(hashOf(trigram));
    }
  }
  return Uint32Array.from(hashes);
}

function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if ((bytes[at] as number) >= 0x80) return false;
  return true;
}

function firstTwo(bytes: Uint8Array): number {
  return (LOWER[bytes[0] as number] as number) << 8 | (LOWER[bytes[1] as number] as number);
}

/** 16 bits, of which the lowest tell most trigrams apart, too. */
function hashOf(trigram: number): number {
  return Math.imul(trigram, 0x9e3779b1) >>> 16;
}

function countBits(words: Int32Array): number {
  let count = 0;
  for (let at = 0; at < words.length; at++) {
    let word = words[at] as number;
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    count += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count;
}
