import { writeFrame } from "../../codec/frame.ts";
import {
  type ChatMessage,
  encodeMessage,
  type Event,
  events,
  replies,
  type Reply,
  type Request,
  requests,
  writeEvent,
  writeReply,
  writeRequest,
} from "../../codec/message.ts";
import { type Value, ValueWriter } from "../../codec/value.ts";
import type { Random } from "../../server/testing/random.ts";

const TYPES = [requests, replies, events]
  .flatMap((table) => Object.values(table).map((row) => row.type));
const NESTING_TRIED = 36;
/** Names that exist are worth hitting; so are names that nobody can have. */
const NAMES = [
  "fuzz",
  "fuzz-1",
  "nobody",
  "",
  " ",
  "\u202e",
  "a".repeat(65),
  "e\u0301",
  "*",
] as const;
const TEXTS = ["", "x", "__proto__", "\0", "\ufeff", "\ufffd", "😀", "*", "\u001b[2J"] as const;
const KEYS = [
  "to",
  "content",
  "key",
  "with",
  "before",
  "limit",
  "pattern",
  "after",
  "since",
  "text",
] as const;
const INTS = [
  0,
  1,
  -1,
  1000,
  2 ** 31,
  2 ** 53 - 1,
  -(2 ** 53) + 1,
  2n ** 63n - 1n,
  -(2n ** 63n),
] as const;
const HOSTILE_BYTES = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xc0, 0xed, 0xff] as const;

/** Any object of the protocol, small ones most of all. */
function randomValue(random: Random, depth = 0): Value {
  switch (random.below(depth > NESTING_TRIED ? 2 : 4)) {
    case 0:
      return random.pick(INTS);
    case 1:
      return randomText(random);
    case 2:
      return Array.from({ length: random.below(4) }, () => randomValue(random, depth + 1));
    default:
      return new Map(Array.from({ length: random.below(4) }, () => [
        random.oneIn(2) ? random.pick(KEYS) : randomText(random),
        randomValue(random, depth + 1),
      ]));
  }
}

/** A well-formed frame: a type that exists, mostly, and any object. */
export function structuredFrame(random: Random): Uint8Array {
  const type = random.oneIn(20) ? random.below(2 ** 32) : random.pick(TYPES) ?? 0;
  return frameOf(type, (writer) => {
    // Deeper than may be encoded, at times: not a frame then, but bytes.
    if (random.oneIn(50)) writer.raw(deepList(random.below(80)));
    else if (!random.oneIn(8)) writer.value(randomValue(random));
  });
}

/** A frame whose header is right and whose payload is any bytes. */
export function hostileFrame(random: Random, type = random.pick(TYPES) ?? 0): Uint8Array {
  const payload = random.bytes(random.below(60));
  if (payload.length > 0) payload[0] = random.below(5);
  return frameOf(type, (writer) => writer.raw(payload));
}

/** `bytes` with one to four things wrong. */
export function mutated(random: Random, bytes: Uint8Array): Uint8Array {
  let result: Uint8Array = bytes.slice();
  for (let left = 1 + random.below(4); left > 0 && result.length > 0; left--) {
    result = mutatedOnce(random, result);
  }
  return result;
}

/** A request as a client might mean it, though its payload may be unfit. */
export function randomRequest(random: Random): Request {
  const name = () => random.oneIn(2) ? random.pick(NAMES) : randomText(random);
  const ids = () => Array.from({ length: random.below(5) }, () => randomText(random));
  const either = <T>(value: T) => (random.oneIn(2) ? { value } : {}) as { value?: T };
  const limit = () => random.pick([0, 1, -1, 5, 2 ** 40] as const);
  const kind = random.pick(Object.keys(requests)) as Request["kind"];
  switch (kind) {
    case "login_name":
      return { kind, payload: name() };
    case "login_password":
      return { kind, payload: randomPassword(random) };
    case "send_message": {
      const { value: key } = either(randomText(random));
      const payload = { to: name(), content: randomText(random) };
      return { kind, payload: key === undefined ? payload : { ...payload, key } };
    }
    case "read_messages":
      return { kind, payload: random.oneIn(2) ? name() : ids() };
    case "list_messages": {
      const position = { [random.pick(["before", "after"])]: randomText(random) };
      const payload = { with: name(), limit: limit() };
      return { kind, payload: random.oneIn(2) ? payload : { ...payload, ...position } };
    }
    case "search_messages": {
      const payload = { text: randomText(random), limit: limit() };
      const where = { with: name(), before: randomText(random) };
      return { kind, payload: random.oneIn(2) ? payload : { ...payload, ...where } };
    }
    case "list_conversations":
      return { kind, payload: random.oneIn(2) ? {} : { limit: limit() } };
    case "list_users":
      return { kind, payload: { pattern: randomText(random), after: name(), limit: limit() } };
    case "delete_messages":
      return { kind, payload: ids() };
    case "change_password":
      return { kind, payload: [randomPassword(random), randomPassword(random)] };
    case "subscribe": {
      const { value: since } = either(randomText(random));
      return { kind, payload: since === undefined ? {} : { since } };
    }
    case "resume":
      return { kind, payload: [name(), randomText(random)] };
    case "redeem": {
      const token = random.pick(["", "invite.", "invite.zzzzzzzz."] as const) + randomText(random);
      return { kind, payload: { user: name(), token, password: randomPassword(random) } };
    }
    case "delete_account":
    case "logout":
    case "ping":
    case "status":
      return { kind, payload: null };
    default:
      return kind satisfies never;
  }
}

export function requestBytes(request: Request): Uint8Array {
  return encodeMessage(writeRequest, request);
}

/** What a server may send, as bytes. */
export function serverMessageBytes(random: Random): Uint8Array {
  const text = randomText(random);
  const ids = [text, text];
  const time = random.pick([0, -1, 2 ** 53 - 1] as const);
  const message: ChatMessage = {
    ...{ id: text, sender: text, recipient: text, content: text, time },
    status: random.pick(["read", "unread"] as const),
  };
  const online = random.oneIn(2);
  const someReplies: [Reply, ...Reply[]] = [
    { kind: "error", payload: { code: "busy", sentence: text } },
    { kind: "login_success", payload: { user: text, node: text, unread: time, token: text } },
    { kind: "messages", payload: [message, message] },
    { kind: "users", payload: [{ name: text, unread: time, online }] },
    { kind: "sent", payload: { id: text, time, copies: 2 } },
    { kind: "done", payload: { count: time, copies: 1, cursor: text, token: text } },
    { kind: "pong", payload: null },
    { kind: "found", payload: { messages: [message], next: text } },
    { kind: "conversations", payload: [{ name: text, unread: time, online, time }] },
  ];
  const someEvents: [Event, ...Event[]] = [
    { kind: "message", payload: { ...message, cursor: text } },
    { kind: "read", payload: { reader: text, ids, cursor: text } },
    { kind: "deleted", payload: { ids, cursor: text } },
    { kind: "presence", payload: { name: text, online, cursor: text } },
  ];
  return random.oneIn(2)
    ? encodeMessage(writeReply, random.pick(someReplies))
    : encodeMessage(writeEvent, random.pick(someEvents));
}

/** `bytes` cut anywhere. */
export function randomChunks(random: Random, bytes: Uint8Array): Uint8Array[] {
  const chunks = [];
  for (let at = 0; at < bytes.length;) {
    const end = random.oneIn(3) ? bytes.length : at + 1 + random.below(bytes.length - at);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

function randomText(random: Random): string {
  switch (random.below(4)) {
    case 0:
      return random.pick(TEXTS);
    case 1:
      return random.pick(NAMES);
    case 2:
      return "x".repeat(random.below(random.oneIn(50) ? 2000 : 40));
    default: {
      const codes = Array.from({ length: random.below(12) }, () => random.below(0xd800));
      return String.fromCharCode(...codes);
    }
  }
}

/** Hardly ever one that is worth hashing: that takes a core for 0.2 s. */
function randomPassword(random: Random): string {
  return random.oneIn(500) ? "long enough" : "x".repeat(random.below(8));
}

function mutatedOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length);
  switch (random.below(5)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 1:
      bytes[at] = random.pick(HOSTILE_BYTES);
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3:
      return joined(bytes.subarray(0, at), random.bytes(1 + random.below(8)), bytes.subarray(at));
    default: {
      const end = at + random.below(bytes.length - at + 1);
      return joined(bytes.subarray(0, end), bytes.subarray(at, end), bytes.subarray(end));
    }
  }
}

function frameOf(type: number, writePayload: (writer: ValueWriter) => void): Uint8Array {
  const writer = new ValueWriter();
  try {
    writeFrame(writer, type, () => writePayload(writer));
  } catch {
    // Too deep to be encoded: an empty payload will do.
    writeFrame(writer, type, () => {});
  }
  return writer.written;
}

function deepList(depth: number): Uint8Array {
  return joined(...new Array(depth).fill(Uint8Array.of(2, 0, 0, 0, 1)), new Uint8Array(9));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
