import { CodecError } from "../../codec/error.ts";
import {
  type ByteSource,
  byteStream,
  type Frame,
  FrameDecoder,
  HEADER_BYTES,
  writeAll,
} from "../../codec/frame.ts";
import {
  type Event,
  isEvent,
  PAYLOAD_BYTES_MAX,
  readServerMessage,
  type RefusalCode,
  type Reply,
  type Request,
  type RequestKind,
  writeRequest,
} from "../../codec/message.ts";
import { ValueWriter } from "../../codec/value.ts";
import type { Clock, Socket } from "./outside.ts";

/** A connection ended. Its message says why: nothing more will come over it. */
export class LinkLostError extends Error {
  override readonly name = "LinkLostError";
}

export interface LinkTimeouts {
  /** From when a request is the first unanswered one until its reply. */
  readonly replyMs: number;
  /** Silence while the first unanswered request is one that no server takes time over. */
  readonly promptMs: number;
  /** Silence after which a PING is sent. */
  readonly heartbeatMs: number;
  /** How long replies may wait behind events that nobody takes. */
  readonly stallMs: number;
}

/** Takes an event; reading goes on once the promise it returns, if any, resolves. */
export type EventSink = (event: Event, bytes: number) => Promise<void> | undefined;

interface Unanswered {
  resolve(reply: Reply): void;
  reject(error: LinkLostError): void;
  readonly onReply: (() => void) | undefined;
  readonly isPrompt: boolean;
}

/** Before it answers these, no server hashes a password or waits for other nodes. */
const PROMPT: ReadonlySet<RequestKind> = new Set(["login_name", "ping", "resume"]);
/** A timer this late means that the process was stopped: what came meanwhile is not read yet. */
const LATE_MS = 1_000;
const TLS_ALERT = 21;
const TLS_MAJOR_VERSION = 3;
/** The ERROR reply that is about the connection, whatever was asked. */
const CONNECTION_REFUSAL: RefusalCode = "too_many_connections";

/**
 * One connection to one server, from connecting until it is lost: requests are answered in their
 * order, and silence is noticed. It never comes back; a new one takes its place.
 */
export class Link {
  /** Resolves, never rejects, when the connection has ended, with the reason. */
  readonly lost: Promise<LinkLostError>;
  readonly #lost = Promise.withResolvers<LinkLostError>();
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #timeouts: LinkTimeouts;
  readonly #unanswered: Unanswered[] = [];
  #end: LinkLostError | undefined;
  #writer = new ValueWriter();
  #spareWriter = new ValueWriter();
  #isWriting = false;
  #heardMs: number;
  /** When the first of #unanswered became the first. */
  #headSinceMs = 0;
  #pausedSinceMs: number | undefined;
  #stopWatch = (): void => {};

  constructor(socket: Socket, clock: Clock, timeouts: LinkTimeouts, sink: EventSink) {
    this.lost = this.#lost.promise;
    this.#socket = socket;
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#heardMs = clock.nowMs();
    this.#watch();
    void this.#read(sink);
  }

  /**
   * Sends a request. Those of one turn of the event loop share a write. Rejects with
   * {@linkcode LinkLostError} if the connection is lost before the reply. `onReply` is called before
   * anything that comes after the reply is looked at.
   */
  request(request: Request, onReply?: () => void): Promise<Reply> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const before = this.#writer.length;
    try {
      writeRequest(this.#writer, request);
    } catch (error) {
      this.#writer.truncate(before);
      return Promise.reject(error);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const isPrompt = PROMPT.has(request.kind);
    if (this.#unanswered.push({ resolve, reject, onReply, isPrompt }) === 1) {
      this.#headSinceMs = this.#clock.nowMs();
      this.#watch();
    }
    if (!this.#isWriting) void this.#write();
    return promise;
  }

  /** Gives the connection up. */
  close(why = "the connection was closed"): void {
    this.#finish(why);
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    // What else is asked before this turn ends goes along.
    await Promise.resolve();
    try {
      while (this.#writer.length > 0 && this.#end === undefined) {
        const full = this.#writer;
        this.#writer = this.#spareWriter;
        await writeAll(this.#socket, full.written);
        full.truncate();
        this.#spareWriter = full;
      }
    } catch (error) {
      this.#finish(reasonOf(error));
    }
    this.#isWriting = false;
  }

  async #read(sink: EventSink): Promise<void> {
    const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
    try {
      for await (const frames of decoder.batches(byteStream(inPlainText(this.#socket)))) {
        this.#heardMs = this.#clock.nowMs();
        for (const frame of frames) {
          const room = this.#take(frame, sink);
          if (room !== undefined) await this.#pauseUntil(room);
          if (this.#end !== undefined) return;
        }
      }
      this.#finish("the server closed the connection");
    } catch (error) {
      this.#finish(reasonOf(error));
    }
  }

  #take(frame: Frame, sink: EventSink): Promise<void> | undefined {
    const message = readServerMessage(frame);
    // An event that only newer servers have: the cursor of the next known one covers it.
    if (message === undefined) return undefined;
    if (isEvent(message)) return sink(message, HEADER_BYTES + frame.payload.length);
    this.#answer(message);
  }

  #answer(reply: Reply): void {
    if (reply.kind === "error" && reply.payload.code === CONNECTION_REFUSAL) {
      return this.#finish(reply.payload.sentence);
    }
    const first = this.#unanswered.shift();
    if (first === undefined) {
      const said = reply.kind === "error" ? reply.payload.sentence : `${reply.kind}, unasked`;
      return this.#finish(`the server said: ${said}`);
    }
    this.#headSinceMs = this.#clock.nowMs();
    // The heartbeat, or a prompt answer, is due sooner than what was awaited so far.
    if (this.#unanswered[0]?.isPrompt !== false) this.#watch();
    first.onReply?.();
    first.resolve(reply);
  }

  async #pauseUntil(room: Promise<void>): Promise<void> {
    this.#pausedSinceMs = this.#clock.nowMs();
    this.#watch();
    await room;
    this.#pausedSinceMs = undefined;
    this.#heardMs = this.#headSinceMs = this.#clock.nowMs();
    this.#watch();
  }

  /** Sets the one timer to what is due next. */
  #watch(): void {
    this.#stopWatch();
    if (this.#end !== undefined) return;
    const dueMs = this.#dueMs();
    if (dueMs === undefined) return;
    const delayMs = Math.max(0, dueMs - this.#clock.nowMs());
    this.#stopWatch = this.#clock.after(delayMs, () => this.#check(dueMs));
  }

  #dueMs(): number | undefined {
    const { stallMs, heartbeatMs, promptMs, replyMs } = this.#timeouts;
    const first = this.#unanswered[0];
    if (this.#pausedSinceMs !== undefined) {
      const stalledSinceMs = Math.max(this.#pausedSinceMs, this.#headSinceMs);
      return first === undefined ? undefined : stalledSinceMs + stallMs;
    }
    if (first === undefined) return this.#heardMs + heartbeatMs;
    if (!first.isPrompt) return this.#headSinceMs + replyMs;
    // All that was missed may come before a PING's answer: whoever tells it lives.
    return Math.max(this.#headSinceMs, this.#heardMs) + promptMs;
  }

  #check(plannedMs: number): void {
    const nowMs = this.#clock.nowMs();
    const dueMs = this.#dueMs();
    if (dueMs !== undefined && dueMs <= nowMs) {
      if (nowMs - plannedMs > LATE_MS) this.#heardMs = this.#headSinceMs = nowMs;
      else if (this.#unanswered.length > 0) return this.#finish(this.#silence());
      // If it fails, the connection is lost, which `lost` tells.
      else this.request({ kind: "ping", payload: null }).catch(() => undefined);
    }
    this.#watch();
  }

  #silence(): string {
    if (this.#pausedSinceMs !== undefined) {
      return "answers were stuck behind events that nobody took";
    }
    const { promptMs, replyMs } = this.#timeouts;
    return `no answer within ${this.#unanswered[0]?.isPrompt ? promptMs : replyMs} ms`;
  }

  #finish(why: string): void {
    if (this.#end !== undefined) return;
    this.#end = new LinkLostError(why);
    this.#stopWatch();
    this.#socket.close();
    for (const { reject } of this.#unanswered.splice(0)) reject(this.#end);
    this.#lost.resolve(this.#end);
  }
}

/**
 * A server that talks TLS only answers plain text with an alert (RFC 8446, section 6), which begins as no
 * frame does: with its type and the protocol's major version.
 */
function inPlainText(socket: Socket): ByteSource {
  let isFirst = true;
  return {
    async read(into) {
      const bytes = await socket.read(into);
      if (isFirst && into[0] === TLS_ALERT && into[1] === TLS_MAJOR_VERSION) {
        throw new Error("it talks TLS only, and its cluster's invite is needed for that");
      }
      isFirst = false;
      return bytes;
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof CodecError) return `it does not speak this protocol (${error.message})`;
  return error instanceof Error ? error.message : String(error);
}
