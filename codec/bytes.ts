/** The byte at `at`, which the caller knows to exist. */
export function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/** The big-endian uint32 at `at`, whose four bytes the caller knows to exist. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 24 | byteAt(bytes, at + 1) << 16 | byteAt(bytes, at + 2) << 8 |
    byteAt(bytes, at + 3)) >>> 0;
}
