import { assertEquals } from "@std/assert";
import { byteStream, FrameDecoder, writeAll } from "../../codec/frame.ts";
import {
  type ChatMessage,
  encodeMessage,
  type Event,
  PAYLOAD_BYTES_MAX,
  readRequest,
  type Reply,
  type Request,
  type RequestKind,
  writeEvent,
  writeReply,
} from "../../codec/message.ts";
import type { Host } from "../connection.ts";

/**
 * A server on a real socket that does what the test says, step by step: it takes a connection when
 * told to, gives the next request when asked, and dies when it must.
 */
export class ScriptedServer implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #peers: Peer[] = [];

  /** Without a port, on any that is free. */
  constructor(port = 0) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
  }

  get host(): Host {
    return { host: "127.0.0.1", port: this.#listener.addr.port };
  }

  async accept(): Promise<Peer> {
    const peer = new Peer(await this.#listener.accept());
    this.#peers.push(peer);
    return peer;
  }

  /** Every connection, until the server dies. */
  async *connections(): AsyncGenerator<Peer, void> {
    for await (const connection of this.#listener) {
      const peer = new Peer(connection);
      this.#peers.push(peer);
      yield peer;
    }
  }

  /** Takes a connection and signs it in, by whatever way it comes. */
  async acceptSignIn(user?: string): Promise<Peer> {
    const peer = await this.accept();
    await peer.signIn(user);
    return peer;
  }

  /** Like the death of its process. */
  [Symbol.dispose](): void {
    for (const peer of this.#peers) peer.close();
    try {
      this.#listener.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

/** The server's end of one connection. */
export class Peer {
  readonly #connection: Deno.Conn;
  readonly #requests: AsyncGenerator<Request, void>;

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
    this.#requests = requestsFrom(connection);
  }

  /** The next request; it must be of this kind. */
  async expect<K extends RequestKind>(kind: K): Promise<Extract<Request, { kind: K }>> {
    const request = await this.next();
    assertEquals(request?.kind, kind);
    return request as Extract<Request, { kind: K }>;
  }

  /** The next request; undefined when the client has closed the connection. */
  async next(): Promise<Request | undefined> {
    const { value } = await this.#requests.next();
    return value ?? undefined;
  }

  async reply(reply: Reply): Promise<void> {
    await this.send(encodeMessage(writeReply, reply));
  }

  async event(event: Event): Promise<void> {
    await this.send(encodeMessage(writeEvent, event));
  }

  async send(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#connection, bytes);
  }

  async signIn(user?: string): Promise<void> {
    const first = await this.next();
    if (first?.kind === "login_name") {
      await this.reply({ kind: "user_existing", payload: null });
      await this.expect("login_password");
    }
    await this.reply(signedIn(user));
  }

  /** Takes neither token nor password, as a node does that does not know the account. */
  async refuseSession(): Promise<void> {
    for (let request = await this.next(); request !== undefined; request = await this.next()) {
      const isToken = request.kind === "resume";
      await this.reply({ kind: isToken ? "login_failed" : "user_not_existing", payload: null });
    }
  }

  /** Answers SUBSCRIBE, and the PING by which the client sees that nothing is to be made up for. */
  async subscribe(cursor: string, missed: readonly Event[] = []): Promise<string | undefined> {
    const { payload: { since } } = await this.expect("subscribe");
    await this.reply({ kind: "done", payload: { count: missed.length, copies: 1, cursor } });
    for (const event of missed) await this.event(event);
    await this.expect("ping");
    await this.reply({ kind: "pong", payload: null });
    return since;
  }

  close(): void {
    try {
      this.#connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

export function signedIn(user = "alice"): Reply {
  return { kind: "login_success", payload: { user, node: "node1", unread: 0, token: "t1" } };
}

export function messageFrom(sender: string, content: string, id = content): ChatMessage {
  return { id, sender, recipient: "alice", content, time: 1_700_000_000_000, status: "unread" };
}

export function messageEvent(content: string, cursor: string): Event {
  return { kind: "message", payload: { ...messageFrom("bob", content), cursor } };
}

export function renamedEvent(from: string, to: string, cursor: string): Event {
  return { kind: "renamed", payload: { from, to, cursor } };
}

async function* requestsFrom(connection: Deno.Conn): AsyncGenerator<Request, void> {
  const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
  try {
    for await (const frames of decoder.batches(byteStream(connection))) {
      for (const frame of frames) yield readRequest(frame);
    }
  } catch (error) {
    // The client was killed, or closed the connection with something unread; or this server died.
    const { ConnectionReset, Interrupted } = Deno.errors;
    if (!(error instanceof ConnectionReset || error instanceof Interrupted)) throw error;
  }
}
