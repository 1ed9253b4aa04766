import { byteStream, FrameDecoder } from "../../codec/frame.ts";
import {
  encodeMessage,
  type Event,
  isEvent,
  PAYLOAD_BYTES_MAX,
  readServerMessage,
  type Reply,
  type ReplyKind,
  type Request,
  writeRequest,
} from "../../codec/message.ts";

type ReplyOf<K extends ReplyKind> = Extract<Reply, { kind: K }>["payload"];

/** A bare client for tests: one real connection, requests and frames as the test says. */
export class WireClient {
  readonly #conn: Deno.TcpConn;
  readonly #replies = new Mailbox<Reply>();
  readonly #events = new Mailbox<Event>();
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.closed = this.#receive();
  }

  static async connect(port: number): Promise<WireClient> {
    return new WireClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** A connection whose bytes nobody reads. */
  static async connectDeaf(port: number): Promise<Deno.TcpConn> {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  }

  /** Signs up, or in. */
  static async signedIn(
    port: number,
    name: string,
    password = "correct horse",
  ): Promise<WireClient> {
    const client = await WireClient.connect(port);
    await client.signIn(name, password);
    return client;
  }

  async signIn(name: string, password = "correct horse"): Promise<ReplyOf<"login_success">> {
    await this.request({ kind: "login_name", payload: name });
    return await this.expect("login_success", { kind: "login_password", payload: password });
  }

  async send(...requests: readonly Request[]): Promise<void> {
    for (const request of requests) await this.sendBytes(encodeMessage(writeRequest, request));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  async request(request: Request): Promise<Reply> {
    await this.send(request);
    return await this.reply();
  }

  /** The payload of a reply that has to be of one kind. */
  async expect<K extends ReplyKind>(kind: K, request: Request): Promise<ReplyOf<K>> {
    const reply = await this.request(request);
    if (reply.kind !== kind) {
      throw new Error(`Expected ${kind} to ${request.kind}, found ${JSON.stringify(reply)}`);
    }
    return reply.payload as ReplyOf<K>;
  }

  /** The code of the refusal that a request has to get. */
  async refusal(request: Request): Promise<string> {
    return (await this.expect("error", request)).code;
  }

  reply(): Promise<Reply> {
    return this.#replies.take();
  }

  event(): Promise<Event> {
    return this.#events.take();
  }

  /** Events that have come and were not taken. */
  get eventsWaiting(): number {
    return this.#events.waiting;
  }

  /** Sends nothing more, and still reads. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
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
    const source = { read: (into: Uint8Array) => this.#read(into) };
    for await (const frames of decoder.batches(byteStream(source))) {
      for (const frame of frames) {
        const message = readServerMessage(frame);
        if (isEvent(message)) this.#events.put(message);
        else this.#replies.put(message);
      }
    }
    this.#replies.end();
    this.#events.end();
    this.close();
  }

  async #read(into: Uint8Array): Promise<number | null> {
    try {
      return await this.#conn.read(into);
    } catch {
      // Closed by either side: for a test that is the end of the stream.
      return null;
    }
  }
}

/** What has come and was not taken, and who waits for what has not come. */
class Mailbox<T> {
  readonly #items: T[] = [];
  readonly #takers: PromiseWithResolvers<T>[] = [];
  #ended = false;

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
    if (this.#ended) return Promise.reject(new Error("The server has closed the connection"));
    const taker = Promise.withResolvers<T>();
    this.#takers.push(taker);
    return taker.promise;
  }

  end(): void {
    this.#ended = true;
    for (const taker of this.#takers) {
      taker.reject(new Error("The server has closed the connection"));
    }
  }
}
