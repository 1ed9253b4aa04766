import { type ChatMessage, LIST_ITEMS_MAX, PAYLOAD_BYTES_MAX } from "../../codec/message.ts";

/** What a listed message takes besides its names and content, in bytes. */
const LISTED_BYTES = 160;
/** What a reply takes besides its messages, in bytes: of FOUND, with `next`. */
const FRAMING_BYTES = 128;

const encoder = new TextEncoder();

/** The messages of one reply: at most `limit` or 1,000, and no more bytes than a frame may have. */
export class MessagePage {
  readonly #countMax: number;
  readonly #messages: ChatMessage[] = [];
  #bytesLeft = PAYLOAD_BYTES_MAX - FRAMING_BYTES;

  constructor(limit: number) {
    this.#countMax = Math.min(limit, LIST_ITEMS_MAX);
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** False if there is no room for it, and none for any that comes after it. */
  add(message: ChatMessage): boolean {
    if (this.#messages.length >= this.#countMax) return false;
    const { sender, recipient, content } = message;
    this.#bytesLeft -= LISTED_BYTES + encoder.encode(sender + recipient + content).length;
    if (this.#bytesLeft < 0) return false;
    this.#messages.push(message);
    return true;
  }
}
