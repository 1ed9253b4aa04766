/** What a client says first: see RFC 9113, section 3.4. */
export const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** Length in three bytes, type in one, flags in one, stream in four: see section 4.1. */
export const HEADER_BYTES = 9;
/** What a frame may have unless its receiver said that it takes more: this one does not. */
export const FRAME_BYTES_MAX = 16 * 1024;

/** The types of frames: see section 6. */
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = {
  /** Of SETTINGS and PING. */
  ack: 0x1,
  /** Of DATA and HEADERS. */
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

export interface FrameHeader {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
}

export function readHeader(bytes: Uint8Array): FrameHeader {
  const [high = 0, middle = 0, low = 0, type = 0, flags = 0] = bytes;
  return {
    length: high << 16 | middle << 8 | low,
    type,
    flags,
    stream: readU31(bytes, 5),
  };
}

/** The first bit is reserved, and to be ignored. */
export function readU31(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
  return (a & 0x7f) * 2 ** 24 + (b << 16 | c << 8 | d);
}
