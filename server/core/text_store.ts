import type { Row } from "./row_index.ts";
import { TrigramFilter } from "./trigram_filter.ts";

const BLOCK_BITS = 8;
const BLOCK_ROWS = 1 << BLOCK_BITS;
/** A block is packed once more than this part of its bytes is of texts that are gone. */
const GONE_PART_MAX = 1 / 4;
/** How much larger than need be a block gets that is not the newest. */
const GROWTH = 1.25;
/** A filter that would take longer to make is not made: in steps of about 10 ns. */
const FILTER_STEPS_MAX = 400_000;
/** UTF-8 takes at most this many bytes for a UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3;

const encoder = new TextEncoder();
// The decoder would take U+FEFF at a text's beginning for a mark that is not part of it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Texts by row, as UTF-8 outside of the heap: that of V8 has a limit (4 GiB, or less on a small
 * machine), at which the process dies whatever memory there is, and its collector would copy every
 * text twice and visit it ever after. The texts of 256 rows share a block of bytes, and where in it
 * they are takes 8 bytes of each. Lone surrogates come back as U+FFFD, as from any UTF-8.
 *
 * A block gets a filter when somebody searches much of it, which says of most words that no text of it
 * has them. So nothing is the slower for searches, and a start least of all.
 */
export class TextStore {
  readonly #blocks: TextBlock[] = [];
  /** To make others in. */
  readonly #filter = new TrigramFilter();

  /** Bytes that blocks take, which are not all of texts. */
  get bytes(): number {
    return this.#blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Bytes that the blocks' filters take. */
  get filterBytes(): number {
    return this.#blocks.reduce((sum, { filter }) => sum + (filter?.bytes ?? 0), 0);
  }

  get blockCount(): number {
    return this.#blocks.length;
  }

  blockOf(row: Row): number {
    return row >>> BLOCK_BITS;
  }

  /** False if no text of the block has all of these trigrams. Without a filter, it may. */
  mayHaveAll(block: number, trigrams: Uint32Array): boolean {
    return this.#blocks[block]?.filter?.mayHaveAll(trigrams) ?? true;
  }

  /** Makes a block's filter, if there is none and can be one. Returns what that took, in steps. */
  makeFilter(number: number): number {
    const block = this.#blocks[number];
    // The newest changes with every text.
    if (block === undefined || block === this.#blocks.at(-1)) return 0;
    if (block.filter !== undefined || block.isBeyondFilter) return 0;
    const filter = this.#filter;
    filter.clear();
    let steps = 0;
    for (let at = 0; at < BLOCK_ROWS && steps <= FILTER_STEPS_MAX; at++) {
      const start = block.start[at] as number;
      steps += filter.add(block.bytes.subarray(start, start + (block.size[at] as number)));
    }
    block.filter = steps <= FILTER_STEPS_MAX ? filter.packed() : undefined;
    block.isBeyondFilter = block.filter === undefined;
    block.filteredBytes = block.used;
    return steps;
  }

  /** Replaces what text the row had. */
  put(row: Row, text: string): void {
    const block = this.#blockFor(row);
    const at = row % BLOCK_ROWS;
    drop(block, at);
    reserve(block, text.length * BYTES_PER_UNIT_MAX);
    const { written } = encoder.encodeInto(text, block.bytes.subarray(block.used));
    block.start[at] = block.used;
    block.size[at] = written;
    block.used += written;
    dropFilter(block);
  }

  /** Empty if the row has no text. */
  textOf(row: Row): string {
    const block = this.#blocks[row >>> BLOCK_BITS];
    const size = block?.size[row % BLOCK_ROWS] ?? 0;
    if (block === undefined || size === 0) return "";
    const start = block.start[row % BLOCK_ROWS] as number;
    return decoder.decode(block.bytes.subarray(start, start + size));
  }

  remove(row: Row): void {
    const block = this.#blocks[row >>> BLOCK_BITS];
    if (block === undefined) return;
    drop(block, row % BLOCK_ROWS);
    // The newest keeps its room, and is packed when that is full or the next block begins.
    if (block === this.#blocks.at(-1)) return;
    packIfSparse(block);
    // One that is made anew is smaller.
    if (block.used <= block.filteredBytes / 2) dropFilter(block);
  }

  #blockFor(row: Row): TextBlock {
    const number = row >>> BLOCK_BITS;
    while (this.#blocks.length <= number) this.#begin();
    return this.#blocks[number] as TextBlock;
  }

  /** Rows get their texts mostly in their order: only the newest block has room for many more. */
  #begin(): void {
    const block = new TextBlock();
    const previous = this.#blocks.at(-1);
    if (previous !== undefined) {
      block.bytes = previous.bytes;
      pack(previous);
    }
    this.#blocks.push(block);
  }
}

/** Bytes up to `used` are of texts: those of `size` 0 have none, and `gone` bytes are of nobody. */
class TextBlock {
  bytes = new Uint8Array();
  used = 0;
  gone = 0;
  readonly start = new Uint32Array(BLOCK_ROWS);
  readonly size = new Uint32Array(BLOCK_ROWS);
  /** Of the texts that are there, and of some that are gone. */
  filter: TrigramFilter | undefined;
  /** Whether a filter would be of no use, or take too long to make. */
  isBeyondFilter = false;
  /** Bytes of texts when the filter was made. */
  filteredBytes = 0;
}

function dropFilter(block: TextBlock): void {
  block.filter = undefined;
  block.isBeyondFilter = false;
  block.filteredBytes = 0;
}

function drop(block: TextBlock, at: number): void {
  block.gone += block.size[at] as number;
  block.size[at] = 0;
}

function reserve(block: TextBlock, bytes: number): void {
  if (block.used + bytes <= block.bytes.length) return;
  packIfSparse(block);
  const needed = block.used + bytes;
  const grown = new Uint8Array(Math.ceil(needed * GROWTH));
  grown.set(block.bytes.subarray(0, block.used));
  block.bytes = grown;
}

function packIfSparse(block: TextBlock): void {
  if (block.gone > block.used * GONE_PART_MAX) pack(block);
}

/** Moves its texts together, into as many bytes as they need. */
function pack(block: TextBlock): void {
  if (block.gone === 0) {
    block.bytes = block.bytes.slice(0, block.used);
    return;
  }
  const packed = new Uint8Array(block.used - block.gone);
  let used = 0;
  for (let at = 0; at < BLOCK_ROWS; at++) {
    const size = block.size[at] as number;
    if (size === 0) continue;
    const start = block.start[at] as number;
    packed.set(block.bytes.subarray(start, start + size), used);
    block.start[at] = used;
    used += size;
  }
  block.bytes = packed;
  block.used = used;
  block.gone = 0;
}
