/**
 * Frames of HTTP/2 as RFC 9113 has them, good ones and such as no library would send. Header blocks are
 * HPACK (RFC 7541) without compression, but for what is there to be misused.
 */

/** Types of frames: section 6. */
export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const CONTINUATION = 9;

/** Flags. */
export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;

/** Length in three bytes, type and flags in one each, stream in four: section 4.1. */
export const FRAME_HEADER_BYTES = 9;
/** What every receiver takes of one frame at least. */
export const FRAME_BYTES_MAX = 16 * 1024;
const CANCEL = 8;
/** Before a message of gRPC: whether it is compressed, and how long it is. */
const GRPC_PREFIX_BYTES = 5;
/** Entries that every table of HPACK begins with; the next one is the latest that was added. */
const STATIC_ENTRIES = 61;

const encoder = new TextEncoder();

/** What a client says first. */
export function preface(): Uint8Array {
  return joined(encoder.encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(SETTINGS, 0, 0));
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(),
): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

export function resetOf(stream: number): Uint8Array {
  return frame(RST_STREAM, 0, stream, Uint8Array.of(0, 0, 0, CANCEL));
}

/** The headers of a call of gRPC, such as `/chat.sync.v1.Sync/Link`. */
export function callHeaders(path: string): Uint8Array {
  return joined(
    // :method POST, :scheme http and the names of :path and :authority are in the static table.
    Uint8Array.of(0x83, 0x86, 0x04),
    text(path),
    Uint8Array.of(0x01),
    text("node"),
    field("content-type", "application/grpc"),
    field("te", "trailers"),
  );
}

/** A header that is not put into the table. */
export function field(name: string, value: string): Uint8Array {
  return joined(Uint8Array.of(0x00), text(name), text(value));
}

/** A header that is put into the table, and {@linkcode latestField} stands for. */
export function addedField(name: string, value: string): Uint8Array {
  return joined(Uint8Array.of(0x40), text(name), text(value));
}

/** One byte that stands for the whole of the header that was added last. */
export function latestField(): Uint8Array {
  return Uint8Array.of(0x80 | STATIC_ENTRIES + 1);
}

/** A message of gRPC, or what claims to be a longer one. */
export function grpcMessage(message: Uint8Array, claimedBytes = message.length): Uint8Array {
  const prefix = new Uint8Array(GRPC_PREFIX_BYTES);
  new DataView(prefix.buffer).setUint32(1, claimedBytes);
  return joined(prefix, message);
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A length with a prefix of seven bits (RFC 7541, section 5.1), and the bytes. */
function text(value: string): Uint8Array {
  const bytes = encoder.encode(value);
  const length = [];
  if (bytes.length < 0x7f) length.push(bytes.length);
  else {
    length.push(0x7f);
    let rest = bytes.length - 0x7f;
    for (; rest >= 0x80; rest >>>= 7) length.push(rest & 0x7f | 0x80);
    length.push(rest);
  }
  return joined(Uint8Array.from(length), bytes);
}
