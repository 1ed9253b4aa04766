import { byteStream, FrameDecoder, HEADER_BYTES, writeAll } from "../../codec/frame.ts";
import {
  encodeMessage,
  PAYLOAD_BYTES_MAX,
  readServerMessage,
  replies,
  writeRequest,
} from "../../codec/message.ts";
import { connectTo, type Credentials, type Door } from "../../server/testing/wire_client.ts";

/** How many messages may still be sent; shared by all senders of a round. */
export interface Budget {
  left: number;
}

const CONTENT_BYTES = 100;
const KEY = "00000000-0000-4000-8000-000000000000";
const DIGITS = "############";
const BUFFER_BYTES = 64 * 1024;

/**
 * A signed-in connection that sends 100-byte messages and counts replies, at as little cost as can
 * be, because it shares the machine with the server: frames are built once and patched in place, of
 * a reply only the header is looked at.
 */
export class Sender {
  /** Of each message, in ms. */
  readonly latenciesMs: number[] = [];
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  readonly #inFlightMax: number;
  readonly #recipients: readonly Uint8Array[];
  readonly #frame: FrameTemplate;
  readonly #out: Uint8Array;
  readonly #in = new Uint8Array(BUFFER_BYTES);
  #inBytes = 0;
  /** When each request under way was sent, as a ring: replies come in order. */
  readonly #sentMs: Float64Array;
  #sent = 0;
  #answered = 0;

  private constructor(
    conn: Deno.TcpConn | Deno.TlsConn,
    inFlightMax: number,
    recipients: readonly string[],
  ) {
    this.#conn = conn;
    this.#inFlightMax = inFlightMax;
    this.#recipients = recipients.map((name) => new TextEncoder().encode(name));
    this.#frame = buildFrame(recipients[0] ?? "");
    this.#out = new Uint8Array(this.#frame.bytes.length * inFlightMax);
    for (let slot = 0; slot < inFlightMax; slot++) {
      this.#out.set(this.#frame.bytes, slot * this.#frame.bytes.length);
    }
    this.#sentMs = new Float64Array(inFlightMax);
  }

  /** `recipients` have names of one length. */
  static async connect(
    door: Door,
    credentials: Credentials,
    inFlightMax: number,
    recipients: readonly string[],
  ): Promise<Sender> {
    const conn = await connectTo(door);
    await signIn(conn, credentials);
    return new Sender(conn, inFlightMax, recipients);
  }

  /** Sends until the budget is spent or the time is over, and waits for all replies. */
  async run(budget: Budget, endMs: number): Promise<void> {
    await this.#send(this.#inFlightMax, budget);
    while (this.#answered < this.#sent) {
      const replies = await this.#readReplies();
      if (performance.now() < endMs) await this.#send(replies, budget);
    }
  }

  close(): void {
    this.#conn.close();
  }

  async #send(wanted: number, budget: Budget): Promise<void> {
    const count = Math.min(wanted, budget.left);
    if (count <= 0) return;
    budget.left -= count;
    const nowMs = performance.now();
    for (let slot = 0; slot < count; slot++) {
      this.#sentMs[this.#sent % this.#inFlightMax] = nowMs;
      this.#patch(slot * this.#frame.bytes.length, this.#sent++);
    }
    await writeAll(this.#conn, this.#out.subarray(0, count * this.#frame.bytes.length));
  }

  #patch(at: number, number: number): void {
    const { keyAt, contentAt, recipientAt } = this.#frame;
    patchDigits(this.#out, at + keyAt, number);
    patchDigits(this.#out, at + contentAt, number);
    const recipient = this.#recipients[number % this.#recipients.length];
    if (recipient !== undefined) this.#out.set(recipient, at + recipientAt);
  }

  /** Reads once, and returns how many replies were in it. */
  async #readReplies(): Promise<number> {
    const bytes = await this.#conn.read(this.#in.subarray(this.#inBytes));
    if (bytes === null) throw closed();
    this.#inBytes += bytes;
    const nowMs = performance.now();
    let at = 0;
    let count = 0;
    while (this.#inBytes - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + payloadBytes(this.#in, at);
      if (end > this.#inBytes) break;
      if (this.#in[at + 7] !== replies.sent.type) throw refused(this.#in.slice(at, end));
      this.latenciesMs.push(nowMs - (this.#sentMs[this.#answered++ % this.#inFlightMax] ?? 0));
      count++;
      at = end;
    }
    this.#in.copyWithin(0, at, this.#inBytes);
    this.#inBytes -= at;
    return count;
  }
}

async function signIn(
  conn: Deno.TcpConn | Deno.TlsConn,
  { name, token }: Credentials,
): Promise<void> {
  await writeAll(conn, encodeMessage(writeRequest, { kind: "resume", payload: [name, token] }));
  const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
  for await (const frames of decoder.batches(byteStream(conn))) {
    for (const frame of frames) {
      const reply = readServerMessage(frame);
      if (reply?.kind === "login_success") return;
      throw new Error(`Cannot go on: RESUME got ${JSON.stringify(reply)}`);
    }
  }
  throw closed();
}

interface FrameTemplate {
  readonly bytes: Uint8Array;
  /** Where the digits that differ from message to message, and the recipient, stand. */
  readonly keyAt: number;
  readonly contentAt: number;
  readonly recipientAt: number;
}

function buildFrame(recipient: string): FrameTemplate {
  const key = crypto.randomUUID().slice(0, KEY.length - DIGITS.length) + DIGITS;
  const content = DIGITS + "x".repeat(CONTENT_BYTES - DIGITS.length);
  const payload = { to: recipient, content, key };
  const bytes = encodeMessage(writeRequest, { kind: "send_message", payload });
  const latin1 = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return {
    bytes,
    keyAt: latin1.indexOf(key) + key.length - DIGITS.length,
    contentAt: latin1.indexOf(content),
    recipientAt: latin1.indexOf(recipient),
  };
}

/** `number` in as many decimal digits as {@linkcode DIGITS} has. */
function patchDigits(bytes: Uint8Array, at: number, number: number): void {
  let rest = number;
  for (let place = at + DIGITS.length - 1; place >= at; place--) {
    bytes[place] = 0x30 + rest % 10;
    rest = Math.floor(rest / 10);
  }
}

function payloadBytes(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 9] ?? 0) << 16) + ((bytes[at + 10] ?? 0) << 8) + (bytes[at + 11] ?? 0);
}

function refused(frame: Uint8Array): Error {
  const reply = readServerMessage({ type: frame[7] ?? 0, payload: frame.subarray(HEADER_BYTES) });
  return new Error(`Cannot go on: SEND_MESSAGE got ${JSON.stringify(reply)}`);
}

function closed(): Error {
  return new Error("Cannot go on: the server closed the connection");
}
