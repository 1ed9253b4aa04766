import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** What a client says first: see RFC 9113, section 3.4. */
const PREFACE_BYTES = 24;
/** Length in three bytes, type in one, flags and stream: see section 4.1. */
const HEADER_BYTES = 9;
const GOAWAY = 7;

/** Takes the GOAWAY frames out of what a client of HTTP/2 says, however the network split it. */
export class GoawayFilter {
  /** The beginning of a header whose end has not come yet. */
  #held = new Uint8Array();
  /** Of the preface, or of a frame after its header. */
  #leftBytes = PREFACE_BYTES;
  #isGoaway = false;

  /** What is to be told, now that these bytes have come. */
  take(bytes: Uint8Array): Uint8Array[] {
    const all = this.#held.length === 0 ? bytes : joined(this.#held, bytes);
    const told: Uint8Array[] = [];
    let from = 0;
    let at = 0;
    for (;;) {
      const end = Math.min(all.length, at + this.#leftBytes);
      this.#leftBytes -= end - at;
      if (this.#isGoaway) from = end;
      at = end;
      if (all.length - at < HEADER_BYTES) break;
      this.#readHeader(all.subarray(at, at + HEADER_BYTES));
      if (this.#isGoaway) told.push(all.subarray(from, at));
      at += HEADER_BYTES;
    }
    told.push(all.subarray(from, at));
    this.#held = all.slice(at);
    return told.filter(({ length }) => length > 0);
  }

  #readHeader(header: Uint8Array): void {
    const [high = 0, middle = 0, low = 0, type] = header;
    this.#leftBytes = high << 16 | middle << 8 | low;
    this.#isGoaway = type === GOAWAY;
  }
}

/**
 * A connection whose other end never seems to say GOAWAY, as every client does that hangs up: at
 * that word the HTTP/2 of Deno 2.9.6 now and then aborts the process (denoland/deno#36788). What
 * the word announces, that the connection ends, follows anyway.
 */
export function withoutGoaway(socket: Socket): Duplex {
  const filter = new GoawayFilter();
  const filtered = new Duplex({
    read: () => void socket.resume(),
    write: (bytes, _encoding, done) => void socket.write(bytes, done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  // By these the library tells connections apart.
  const { remoteAddress, remotePort } = socket;
  Object.assign(filtered, { remoteAddress, remotePort });
  socket.on("data", (bytes: Uint8Array) => {
    for (const part of filter.take(bytes)) if (!filtered.push(part)) socket.pause();
  });
  socket.on("end", () => filtered.push(null));
  socket.on("error", (error) => filtered.destroy(error));
  socket.on("close", () => filtered.destroy());
  return filtered;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
