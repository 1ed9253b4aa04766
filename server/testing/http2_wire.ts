import { FLAG, PREFACE, TYPE } from "../sync/http2_frames.ts";

const LINK = "/chat.sync.v1.Sync/Link";
const encoder = new TextEncoder();

/** A frame of HTTP/2, as RFC 9113, section 4.1, has it; right or wrong is up to the caller. */
export function http2Frame(
  type: number,
  { flags = 0, stream = 0, content = new Uint8Array() }: {
    flags?: number;
    stream?: number;
    content?: Uint8Array;
  } = {},
): Uint8Array {
  const { length } = content;
  const header = new Uint8Array(9);
  const view = new DataView(header.buffer);
  view.setUint32(0, length << 8);
  header.set([type, flags], 3);
  view.setUint32(5, stream);
  return concat([header, content]);
}

/** How a client begins. */
export function http2Beginning(): Uint8Array {
  return concat([PREFACE, http2Frame(TYPE.settings)]);
}

/** The fields of a call of gRPC, in the plainest form of HPACK: RFC 7541. */
export function callFields(path = LINK): Uint8Array {
  return concat([
    // POST, http.
    Uint8Array.of(0x83, 0x86),
    literal(Uint8Array.of(0x04), path),
    literal(Uint8Array.of(0x01), "chat"),
    literal(Uint8Array.of(0x0f, 0x10), "application/grpc"),
    literal(concat([Uint8Array.of(0x00, 2), encoder.encode("te")]), "trailers"),
  ]);
}

/** Begins a call. */
export function http2Call(stream: number, path = LINK): Uint8Array {
  return http2Frame(TYPE.headers, { flags: FLAG.endHeaders, stream, content: callFields(path) });
}

/** A message of a call, in one frame. */
export function http2Message(stream: number, message: Uint8Array): Uint8Array {
  const content = new Uint8Array(5 + message.length);
  new DataView(content.buffer).setUint32(1, message.length);
  content.set(message, 5);
  return http2Frame(TYPE.data, { stream, content });
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function literal(name: Uint8Array, value: string): Uint8Array {
  const bytes = encoder.encode(value);
  return concat([name, Uint8Array.of(bytes.length), bytes]);
}
