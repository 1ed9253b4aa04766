import { HEADER_BYTES } from "../../codec/frame.ts";
import { PAYLOAD_BYTES_MAX_ANONYMOUS, requests } from "../../codec/message.ts";
import {
  ClosedError,
  type Credentials,
  signUp,
  WireClient,
} from "../../server/testing/wire_client.ts";
import type { Random } from "../../server/testing/random.ts";
import {
  hostileFrame,
  mutated,
  randomChunks,
  randomRequest,
  requestBytes,
  structuredFrame,
} from "./generate.ts";

const BATCH_FRAMES_MAX = 32;
const PASSWORD = "a password of the fuzzer";
const PING = requestBytes({ kind: "ping", payload: null });
/** A server that is silent for so long has not answered. */
const SILENCE_MAX_MS = 60_000;

/** What was done to the server. */
export interface ServerFuzzCount {
  frames: number;
  /** Streams that were broken off or garbled. */
  brokenStreams: number;
  connections: number;
}

/** A client that sends what no client should, over one connection at a time. */
export class Attacker {
  readonly #port: number;
  readonly #random: Random;
  readonly #count: ServerFuzzCount;
  /** Undefined: it never signs in. */
  readonly #name: string | undefined;
  #credentials: Credentials | undefined;
  #generation = 0;

  constructor(port: number, random: Random, count: ServerFuzzCount, name?: string) {
    this.#port = port;
    this.#random = random;
    this.#count = count;
    this.#name = name;
  }

  /** Sends until `frames` are counted, over all attackers. */
  async run(frames: number): Promise<void> {
    while (this.#count.frames < frames) {
      const client = await this.#connect();
      try {
        await this.#attackOver(client, frames);
      } finally {
        client.close();
      }
    }
  }

  async #attackOver(client: WireClient, frames: number): Promise<void> {
    while (this.#count.frames < frames) {
      if (this.#random.oneIn(4)) return await this.#breakStream(client);
      const isOver = await this.#sendBatch(client);
      if (isOver || this.#random.oneIn(20)) return;
    }
  }

  /** Every well-formed frame gets one reply, whatever is in it. True if it ended the sign-in. */
  async #sendBatch(client: WireClient): Promise<boolean> {
    const frames = Array.from(
      { length: 1 + this.#random.below(BATCH_FRAMES_MAX) },
      () => this.#frame(),
    );
    this.#count.frames += frames.length;
    const bytes = Uint8Array.from([...frames, PING].flatMap((frame) => [...frame]));
    const replies = withinDeadline(this.#readReplies(client, frames.length), frames);
    await Promise.all([this.#writeChunks(client, bytes), replies]);
    return frames.some(endsSignIn);
  }

  async #readReplies(client: WireClient, count: number): Promise<void> {
    for (let left = count; left > 0; left--) await client.reply();
    const last = await client.reply();
    if (last.kind !== "pong") {
      throw new Error(`${count} frames got another number of replies: PING got ${last.kind}`);
    }
  }

  /** Garbles the stream, or ends it within a frame. The server answers what it can, and closes. */
  async #breakStream(client: WireClient): Promise<void> {
    this.#count.brokenStreams++;
    this.#count.frames++;
    const bytes = this.#random.oneIn(2)
      ? this.#random.bytes(1 + this.#random.below(200))
      : mutated(this.#random, this.#frame());
    try {
      await client.sendBytes(bytes);
      await client.closeWrite();
      await withinDeadline(client.closed, [bytes]);
    } catch (error) {
      // The server may close before it has read all.
      if (!(error instanceof ClosedError)) throw error;
    }
  }

  async #writeChunks(client: WireClient, bytes: Uint8Array): Promise<void> {
    for (const chunk of randomChunks(this.#random, bytes)) await client.sendBytes(chunk);
  }

  #frame(): Uint8Array {
    const frame = this.#anyFrame();
    const isTooLarge = frame.length > HEADER_BYTES + PAYLOAD_BYTES_MAX_ANONYMOUS;
    // Signing up again takes a core for 0.2 s.
    const isCostly = endsSignIn(frame) && !this.#random.oneIn(200);
    return isTooLarge || isCostly ? PING : frame;
  }

  #anyFrame(): Uint8Array {
    switch (this.#random.below(4)) {
      case 0:
        return structuredFrame(this.#random);
      case 1:
        return hostileFrame(this.#random, 1 + this.#random.below(14));
      default:
        return requestBytes(randomRequest(this.#random));
    }
  }

  async #connect(): Promise<WireClient> {
    this.#count.connections++;
    if (this.#name === undefined) return await WireClient.connect(this.#port);
    for (;;) {
      this.#credentials ??= await this.#signUp(this.#name);
      const client = await WireClient.connect(this.#port);
      const { name, token } = this.#credentials;
      const reply = await client.request({ kind: "resume", payload: [name, token] });
      if (reply.kind === "login_success") return client;
      // It has deleted its account.
      client.close();
      this.#credentials = undefined;
    }
  }

  async #signUp(name: string): Promise<Credentials> {
    const generation = this.#generation++;
    return await signUp(this.#port, generation === 0 ? name : `${name}.${generation}`, PASSWORD);
  }
}

/** Whether a frame is a DELETE_ACCOUNT or LOGOUT that will be obeyed. */
function endsSignIn(frame: Uint8Array): boolean {
  const type = frame[7];
  return frame.length === HEADER_BYTES && frame.subarray(0, 7).every((byte) => byte === 0) &&
    (type === requests.delete_account.type || type === requests.logout.type);
}

async function withinDeadline(work: Promise<void>, sent: readonly Uint8Array[]): Promise<void> {
  const silence = Promise.withResolvers<never>();
  const hex = () => sent.map((bytes) => bytes.toHex()).join("\n");
  const timer = setTimeout(
    () => silence.reject(new Error(`No answer in ${SILENCE_MAX_MS} ms to:\n${hex()}`)),
    SILENCE_MAX_MS,
  );
  try {
    await Promise.race([work, silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}
