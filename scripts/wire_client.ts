import { byteStream, FrameDecoder } from "../codec/frame.ts";
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
} from "../codec/message.ts";

export interface Credentials {
  readonly name: string;
  readonly token: string;
}

/** The server closed the connection where a reply was due. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";

  constructor() {
    super("Cannot read a reply: the server closed the connection");
  }
}

/** A client that sends exactly what it is told to, for load and for hostile tests. */
export class WireClient {
  readonly conn: Deno.TcpConn;
  /** Events received while waiting for replies. */
  readonly events: Event[] = [];
  readonly #messages: AsyncGenerator<Reply | Event>;

  constructor(conn: Deno.TcpConn) {
    conn.setNoDelay(true);
    this.conn = conn;
    this.#messages = serverMessages(conn);
  }

  static async connect(port: number): Promise<WireClient> {
    return new WireClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends one request and waits for its reply. */
  async request(request: Request): Promise<Reply> {
    await this.write(encodeMessage(writeRequest, request));
    return await this.reply();
  }

  /** As {@linkcode request}; throws unless the reply is a `kind`. */
  async expect<K extends ReplyKind>(request: Request, kind: K): Promise<ReplyPayload<K>> {
    const reply = await this.request(request);
    if (reply.kind !== kind) {
      throw new Error(`Cannot go on: ${request.kind} got ${JSON.stringify(reply)}, not ${kind}`);
    }
    return reply.payload as ReplyPayload<K>;
  }

  /** The next reply, undefined if the server closed. Events before it go to {@linkcode events}. */
  async replyOrEnd(): Promise<Reply | undefined> {
    for (;;) {
      const message = await this.message();
      if (message === undefined || !isEvent(message)) return message;
      this.events.push(message);
    }
  }

  async reply(): Promise<Reply> {
    const reply = await this.replyOrEnd();
    if (reply === undefined) throw new ClosedError();
    return reply;
  }

  /** The next reply or event, undefined if the server closed. */
  async message(): Promise<Reply | Event | undefined> {
    const { value, done } = await this.#messages.next();
    return done ? undefined : value;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.conn, bytes);
  }

  close(): void {
    this.conn.close();
  }
}

/** Creates the account, or signs in if there is one. */
export async function signUp(port: number, name: string, password: string): Promise<Credentials> {
  const client = await WireClient.connect(port);
  await client.request({ kind: "login_name", payload: name });
  const { token } = await client.expect(
    { kind: "login_password", payload: password },
    "login_success",
  );
  client.close();
  return { name, token };
}

/** A connection that is signed in by token. */
export async function resume(port: number, { name, token }: Credentials): Promise<WireClient> {
  const client = await WireClient.connect(port);
  try {
    await client.expect({ kind: "resume", payload: [name, token] }, "login_success");
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

export async function statusOf(port: number): Promise<NodeStatus> {
  const client = await WireClient.connect(port);
  const status = await client.expect({ kind: "status", payload: null }, "status");
  client.close();
  return status;
}

export async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await conn.write(bytes.subarray(written));
}

async function* serverMessages(conn: Deno.TcpConn): AsyncGenerator<Reply | Event> {
  const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
  for await (const frames of decoder.batches(byteStream(conn))) {
    for (const frame of frames) yield readServerMessage(frame);
  }
}
