/**
 * How many fields a block of HPACK stands for (RFC 7541, section 6), without decoding them: one byte may
 * stand for 4 KiB of a field that came before. Undefined if it is broken.
 */
export function countFields(block: Uint8Array): number | undefined {
  let fields = 0;
  for (let at = 0; at < block.length;) {
    const first = block[at] ?? 0;
    const { prefixBits, isField, isLiteral } = kindOf(first);
    const index = readInteger(block, at, prefixBits);
    if (index === undefined) return undefined;
    at = index.end;
    if (isField) fields++;
    if (!isLiteral) continue;
    // Without an index the name comes, too, as a string before the value.
    for (let strings = index.value === 0 ? 2 : 1; strings > 0; strings--) {
      const length = readInteger(block, at, STRING_PREFIX_BITS);
      if (length === undefined || length.value > block.length - length.end) return undefined;
      at = length.end + length.value;
    }
  }
  return fields;
}

const STRING_PREFIX_BITS = 7;
/** Bytes after the prefix: more is more than any block has. */
const INTEGER_BYTES_MAX = 4;

function kindOf(first: number) {
  if ((first & 0x80) !== 0) return { prefixBits: 7, isField: true, isLiteral: false };
  if ((first & 0x40) !== 0) return { prefixBits: 6, isField: true, isLiteral: true };
  if ((first & 0x20) !== 0) return { prefixBits: 5, isField: false, isLiteral: false };
  return { prefixBits: 4, isField: true, isLiteral: true };
}

/** See section 5.1. */
function readInteger(
  block: Uint8Array,
  at: number,
  prefixBits: number,
): { readonly value: number; readonly end: number } | undefined {
  const first = block[at];
  if (first === undefined) return undefined;
  const most = 2 ** prefixBits - 1;
  let value = first & most;
  if (value < most) return { value, end: at + 1 };
  for (let count = 0; count < INTEGER_BYTES_MAX; count++) {
    const byte = block[at + 1 + count];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * count);
    if ((byte & 0x80) === 0) return { value, end: at + 2 + count };
  }
  return undefined;
}
