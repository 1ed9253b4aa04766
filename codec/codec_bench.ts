/** What one message costs to encode and to decode. Run with `deno task bench`. */

import { FrameDecoder } from "./frame.ts";
import {
  type ChatMessage,
  encodeMessage,
  PAYLOAD_BYTES_MAX,
  readRequest,
  readServerMessage,
  type Reply,
  type Request,
  writeReply,
  writeRequest,
} from "./message.ts";
import { ValueWriter } from "./value.ts";

const send = {
  kind: "send_message",
  payload: { to: "bob", content: "x".repeat(100), key: "5b6f3f0e-8a3c-4f0e-9d2b-1c2d3e4f5a6b" },
} satisfies Request;

const sent = {
  kind: "sent",
  payload: { id: "k3f9ab2cq1xz.5yNmZtDvQeKXq1mHVYt0Jg", time: 1_790_000_000_000, copies: 2 },
} satisfies Reply;

const message = {
  id: sent.payload.id,
  sender: "alice",
  recipient: "bob",
  content: "Grüße aus dem Maschinenraum",
  time: sent.payload.time,
  status: "unread",
} satisfies ChatMessage;
const messages = { kind: "messages", payload: Array(1000).fill(message) } satisfies Reply;

const writer = new ValueWriter();
const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
const sendBytes = encodeMessage(writeRequest, send);
const sentBytes = encodeMessage(writeReply, sent);
const messagesBytes = encodeMessage(writeReply, messages);
const chunkOfSends = Uint8Array.from(Array(64).fill([...sendBytes]).flat());

Deno.bench("write SEND_MESSAGE, 100 bytes", () => {
  writer.truncate();
  writeRequest(writer, send);
});

Deno.bench("read SEND_MESSAGE, 100 bytes, alone in its chunk", () => readAll(sendBytes));

Deno.bench("read SEND_MESSAGE, 100 bytes, 64 in a chunk", () => readAll(chunkOfSends));

Deno.bench("read SEND_MESSAGE, 100 bytes, cut in two", () => {
  readAll(sendBytes.subarray(0, 50));
  readAll(sendBytes.subarray(50));
});

Deno.bench("write SENT", () => {
  writer.truncate();
  writeReply(writer, sent);
});

Deno.bench("read SENT", () => {
  for (const frame of decoder.push(sentBytes)) readServerMessage(frame);
});

Deno.bench("write MESSAGES, 1,000 of them", () => {
  writer.truncate();
  writeReply(writer, messages);
});

Deno.bench("read MESSAGES, 1,000 of them", () => {
  for (const frame of decoder.push(messagesBytes)) readServerMessage(frame);
});

function readAll(chunk: Uint8Array): void {
  for (const frame of decoder.push(chunk)) readRequest(frame);
}
