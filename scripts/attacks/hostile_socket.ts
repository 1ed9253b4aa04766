import type { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { FrameDecoder } from "../../codec/frame.ts";
import {
  encodeMessage,
  isEvent,
  PAYLOAD_BYTES_MAX,
  readServerMessage,
  type Reply,
  type Request,
  writeRequest,
} from "../../codec/message.ts";
import type { Credentials } from "../../server/testing/wire_client.ts";

/** What is written and was not taken by the system, in bytes: more waits until it was. */
const WAITING_BYTES_MAX = 256 * 1024;

/** The server ended the connection, or never took it. */
export class HungUpError extends Error {
  override readonly name = "HungUpError";
}

/**
 * A connection from any address of this machine, which may be left alone, written to without end, or
 * reset. Node's sockets can do that, and Deno's own cannot.
 */
export class HostileSocket {
  /** Resolves, never rejects, when it has ended. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // What went wrong does not matter to an attacker: "close" follows.
    socket.on("error", () => {});
    socket.setNoDelay(true);
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#isClosed = true;
        resolve();
      });
    });
  }

  /** Rejects with {@linkcode HungUpError}. What comes is not read before somebody says so. */
  static async connect(port: number, from: string): Promise<HostileSocket> {
    const socket = connect({ host: "127.0.0.1", port, localAddress: from });
    const hostile = new HostileSocket(socket);
    const connected = new Promise<"connected">((resolve) => {
      socket.once("connect", () => resolve("connected"));
    });
    if (await Promise.race([connected, hostile.closed]) === "connected") return hostile;
    throw new HungUpError("Cannot connect");
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Takes whatever comes from now on. */
  onBytes(take: (bytes: Uint8Array) => void): void {
    this.#socket.on("data", (bytes: Buffer) => take(bytes));
  }

  /** Reads whatever comes, and forgets it. */
  ignoreAll(): void {
    this.#socket.resume();
  }

  /** Resolves when the system has taken most of it: at once, as a rule. Rejects if it has ended. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) throw new HungUpError("Cannot write");
    this.#socket.write(bytes);
    if (this.#socket.writableLength <= WAITING_BYTES_MAX) return;
    const drained = new Promise<void>((resolve) => this.#socket.once("drain", resolve));
    await Promise.race([drained, this.closed]);
    if (this.#isClosed) throw new HungUpError("Cannot write");
  }

  /** Ends it with FIN, or with RST where bytes were not read. */
  close(): void {
    this.#socket.destroy();
  }

  /** Ends it with RST. */
  reset(): void {
    if (!this.#isClosed) this.#socket.resetAndDestroy();
  }
}

/** A hostile connection on which replies are read. */
export class HostileClient {
  readonly socket: HostileSocket;
  /** Replies and events that have come. */
  answers = 0;
  readonly #onReply: (reply: Reply) => void;
  readonly #waiting: ((reply: Reply | undefined) => void)[] = [];

  /** `onReply` is told of each. */
  constructor(socket: HostileSocket, onReply: (reply: Reply) => void) {
    this.socket = socket;
    this.#onReply = onReply;
    const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
    socket.onBytes((bytes) => {
      for (const frame of decoder.push(bytes)) {
        const message = readServerMessage(frame);
        this.answers++;
        if (message !== undefined && !isEvent(message)) this.#take(message);
      }
    });
    void socket.closed.then(() => {
      for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    });
  }

  /** Rejects with {@linkcode HungUpError}. */
  async request(...requests: readonly Request[]): Promise<Reply> {
    const replies = requests.map(() => this.reply());
    for (const request of requests) await this.socket.write(bytesOf(request));
    const last = (await Promise.all(replies)).at(-1);
    if (last === undefined) throw new HungUpError("Cannot get a reply");
    return last;
  }

  /** The next one; undefined if the connection ends before. */
  reply(): Promise<Reply | undefined> {
    if (this.socket.isClosed) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Rejects with {@linkcode HungUpError} if the server does not want it. */
  async resume({ name, token }: Credentials): Promise<void> {
    const reply = await this.request({ kind: "resume", payload: [name, token] });
    if (reply.kind !== "login_success") throw new HungUpError(`Cannot sign in: ${reply.kind}`);
  }

  #take(reply: Reply): void {
    this.#onReply(reply);
    this.#waiting.shift()?.(reply);
  }
}

export function bytesOf(request: Request): Uint8Array {
  return encodeMessage(writeRequest, request);
}

/** Does something that the server may end at any moment by hanging up. False if it did. */
export async function unlessHungUp(deed: () => Promise<void>): Promise<boolean> {
  try {
    await deed();
    return true;
  } catch (error) {
    if (!(error instanceof HungUpError)) throw error;
    return false;
  }
}
