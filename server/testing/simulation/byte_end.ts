import type { Socket } from "../../../client/connection.ts";
import type { Connection } from "../../session.ts";
import type { Random } from "../random.ts";
import type { Channel } from "./channel.ts";
import { carry, type EndKeeper } from "./connection_end.ts";
import type { Process } from "./scheduler.ts";

/** Of what one side has sent, so much may wait to be read, in bytes. */
const WINDOW_BYTES = 64 * 1024;

interface Reader {
  readonly into: Uint8Array;
  resolve(bytes: number | null): void;
}

/** One end of a client's connection: bytes, in pieces of any size. */
export class ByteEnd implements Connection, Socket {
  readonly process: Process;
  readonly out: Channel;
  /** Of whom the other end is. */
  readonly address: string;
  other: ByteEnd | undefined;
  /** Told of all that is sent, before it is. */
  onWrite = (_bytes: Uint8Array): void => {};
  readonly #keeper: EndKeeper;
  readonly #random: Random;
  readonly #arrived: Uint8Array[] = [];
  #hasEnded = false;
  #error: Error | undefined;
  #reader: Reader | undefined;
  /** Sent, and not read by the other end. */
  #unreadBytes = 0;
  #writer: (() => void) | undefined;
  #isClosed = false;

  constructor(keeper: EndKeeper, process: Process, out: Channel, random: Random) {
    this.#keeper = keeper;
    this.process = process;
    this.out = out;
    this.address = out.way.to;
    this.#random = random;
  }

  read(into: Uint8Array): Promise<number | null> {
    const { promise, resolve } = Promise.withResolvers<number | null>();
    this.#reader = { into, resolve };
    this.#serveReader();
    return promise;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (!this.process.isAlive) return await new Promise<never>(() => {});
    while (this.#error === undefined && this.#unreadBytes >= WINDOW_BYTES) {
      await new Promise<void>((resolve) => this.#writer = resolve);
    }
    if (this.#error !== undefined) throw this.#error;
    const room = Math.min(bytes.length, WINDOW_BYTES - this.#unreadBytes);
    const count = this.#random.oneIn(8) ? 1 + this.#random.below(room) : room;
    const sent = bytes.slice(0, count);
    this.onWrite(sent);
    this.#unreadBytes += count;
    this.#carry(`${count} bytes`, (other) => other.#arrive(sent));
    return count;
  }

  endWriting(): Promise<void> {
    this.#carry("end", (other) => other.#end());
    return Promise.resolve();
  }

  close(): void {
    if (this.#isClosed || !this.process.isAlive) return;
    this.#isClosed = true;
    this.#keeper.forget(this);
    // With bytes unread, the other end may lose what was sent to it before.
    if (this.#arrived.length > 0) this.sayReset();
    else this.#carry("end", (other) => other.#end());
    this.#fail(new Error("the connection is closed"));
  }

  reset(): void {
    this.#keeper.forget(this);
    this.#fail(new Error("connection reset by peer"));
  }

  /** Its process is gone, and its machine says so. */
  sayReset(): void {
    this.#carry("reset", (other) => other.reset());
  }

  #carry(what: string, arrive: (other: ByteEnd) => void): void {
    carry<ByteEnd>(this.#keeper, this, what, arrive);
  }

  #arrive(bytes: Uint8Array): void {
    if (this.#isClosed) return this.sayReset();
    this.#arrived.push(bytes);
    this.#serveReader();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#serveReader();
  }

  /** Writes fail from now on, and reads end. */
  #fail(error: Error): void {
    this.#error ??= error;
    this.#arrived.length = 0;
    this.#hasEnded = true;
    this.#writer?.();
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(null);
  }

  #serveReader(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const first = this.#arrived[0];
    if (first === undefined) {
      if (!this.#hasEnded) return;
      this.#reader = undefined;
      return reader.resolve(null);
    }
    this.#reader = undefined;
    const most = Math.min(first.length, reader.into.length);
    const count = this.#random.oneIn(4) ? 1 + this.#random.below(most) : most;
    reader.into.set(first.subarray(0, count));
    if (count < first.length) this.#arrived[0] = first.subarray(count);
    else this.#arrived.shift();
    this.other?.wasRead(count);
    reader.resolve(count);
  }

  wasRead(bytes: number): void {
    this.#unreadBytes -= bytes;
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    this.out.way.scheduler.after(this.process, 0, "room to write", writer);
  }
}
