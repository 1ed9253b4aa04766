import { CodecError } from "../../codec/error.ts";
import { byteStream, FrameDecoder, writeAll } from "../../codec/frame.ts";
import { SERVER_NAME } from "../../codec/invite.ts";
import {
  encodeMessage,
  type Event,
  isEvent,
  type NodeStatus,
  PAYLOAD_BYTES_MAX,
  readServerMessage,
  type Reply,
  type ReplyKind,
  type ReplyPayload,
  type Request,
  writeRequest,
} from "../../codec/message.ts";

/** What an account is signed in by again. */
export interface Credentials {
  readonly name: string;
  readonly token: string;
}

/** A port of this machine; with the certificate of a CA, in PEM, one that talks TLS. */
export type Door = number | { readonly port: number; readonly ca: string };

/** The connection has ended, where something was to be sent or received. The cause says how. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";
}

/**
 * A client that sends exactly what it is told to, over one real connection, and reads whatever
 * comes at once.
 */
export class WireClient {
  /** Resolves when the connection has ended; rejects if the server sent what is no message. */
  readonly closed: Promise<void>;
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  readonly #replies = new Mailbox<Reply>();
  readonly #events = new Mailbox<Event>();

  private constructor(conn: Deno.TcpConn | Deno.TlsConn) {
    this.#conn = conn;
    this.closed = this.#receive();
  }

  static async connect(door: Door): Promise<WireClient> {
    return new WireClient(await connectTo(door));
  }

  /** A connection whose bytes nobody reads. */
  static async connectDeaf(port: number): Promise<Deno.TcpConn> {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  }

  /** Signs up, or in. */
  static async signedIn(
    door: Door,
    name: string,
    password = "correct horse",
  ): Promise<WireClient> {
    const client = await WireClient.connect(door);
    await client.signIn(name, password);
    return client;
  }

  /** Signs in by token. */
  static async resumed(door: Door, { name, token }: Credentials): Promise<WireClient> {
    const client = await WireClient.connect(door);
    try {
      await client.expect("login_success", { kind: "resume", payload: [name, token] });
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  async signIn(name: string, password = "correct horse"): Promise<ReplyPayload<"login_success">> {
    await this.request({ kind: "login_name", payload: name });
    return await this.expect("login_success", { kind: "login_password", payload: password });
  }

  async send(...requests: readonly Request[]): Promise<void> {
    for (const request of requests) await this.sendBytes(encodeMessage(writeRequest, request));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    await unlessClosed(writeAll(this.#conn, bytes));
  }

  async request(request: Request): Promise<Reply> {
    await this.send(request);
    return await this.reply();
  }

  /** The payload of a reply that has to be of one kind. */
  async expect<K extends ReplyKind>(kind: K, request: Request): Promise<ReplyPayload<K>> {
    const reply = await this.request(request);
    if (reply.kind !== kind) {
      throw new Error(`Expected ${kind} to ${request.kind}, found ${JSON.stringify(reply)}`);
    }
    return reply.payload as ReplyPayload<K>;
  }

  /** The code of the refusal that a request has to get. */
  async refusal(request: Request): Promise<string> {
    return (await this.expect("error", request)).code;
  }

  /** The next reply. Throws {@linkcode ClosedError} if there is none. */
  reply(): Promise<Reply> {
    return this.#replies.take();
  }

  /** The next event. Throws {@linkcode ClosedError} if there is none. */
  event(): Promise<Event> {
    return this.#events.take();
  }

  /** Events that have come and were not taken. */
  get eventsWaiting(): number {
    return this.#events.waiting;
  }

  /** Sends nothing more, and still reads. */
  async closeWrite(): Promise<void> {
    await unlessClosed(this.#conn.closeWrite());
  }

  close(): void {
    try {
      this.#conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #receive(): Promise<void> {
    const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
    let cause: unknown;
    try {
      for await (const frames of decoder.batches(byteStream(this.#conn))) {
        for (const frame of frames) this.#put(readServerMessage(frame));
      }
    } catch (error) {
      cause = error;
    }
    const why = closedBy(cause);
    this.#replies.end(why);
    this.#events.end(why);
    this.close();
    // A server that dies may leave half a frame, and nothing else that is wrong.
    if (cause instanceof CodecError && cause.code !== "frame_truncated") throw cause;
  }

  #put(message: Reply | Event | undefined): void {
    if (message === undefined) throw new CodecError("unknown_type", "Cannot understand an event");
    if (isEvent(message)) this.#events.put(message);
    else this.#replies.put(message);
  }
}

/** Creates the account, or signs in if there is one. */
export async function signUp(door: Door, name: string, password: string): Promise<Credentials> {
  const client = await WireClient.connect(door);
  const { token } = await client.signIn(name, password);
  client.close();
  return { name, token };
}

export async function statusOf(door: Door): Promise<NodeStatus> {
  const client = await WireClient.connect(door);
  const status = await client.expect("status", { kind: "status", payload: null });
  client.close();
  return status;
}

/** A connection; rejects if whoever is behind the door has no certificate that its CA has issued. */
export async function connectTo(door: Door): Promise<Deno.TcpConn | Deno.TlsConn> {
  const port = typeof door === "number" ? door : door.port;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  if (typeof door === "number") return conn;
  const tls = await Deno.startTls(conn, { hostname: SERVER_NAME, caCerts: [door.ca] });
  await tls.handshake();
  return tls;
}

async function unlessClosed<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw closedBy(cause);
  }
}

function closedBy(cause: unknown): ClosedError {
  return new ClosedError("Cannot go on: the connection has ended", { cause });
}

/** What has come and was not taken, and who waits for what has not come. */
class Mailbox<T> {
  readonly #items: T[] = [];
  readonly #takers: PromiseWithResolvers<T>[] = [];
  #end: Error | undefined;

  get waiting(): number {
    return this.#items.length;
  }

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker.resolve(item);
  }

  take(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const taker = Promise.withResolvers<T>();
    this.#takers.push(taker);
    return taker.promise;
  }

  end(why: Error): void {
    this.#end = why;
    for (const taker of this.#takers) taker.reject(why);
  }
}
