import { assertEquals } from "@std/assert";
import { FrameDecoder } from "../../codec/frame.ts";
import {
  type Event,
  type EventKind,
  type EventPayload,
  PAYLOAD_BYTES_MAX,
  readServerMessage,
} from "../../codec/message.ts";
import type { WireClient } from "./wire_client.ts";

/** Asks for the messages with a friend. */
export function list(friend: string) {
  return { kind: "list_messages", payload: { with: friend } } as const;
}

const PATIENCE_MS = 10_000;

/** The payload of the next event, which has to be of one kind. */
export async function nextEvent<K extends EventKind>(
  client: WireClient,
  kind: K,
): Promise<EventPayload<K>> {
  const missed = Promise.withResolvers<never>();
  const why = `Cannot go on: no event came within ${PATIENCE_MS} ms, where ${kind} was expected`;
  const timer = setTimeout(() => missed.reject(new Error(why)), PATIENCE_MS);
  const event = await Promise.race([client.event(), missed.promise])
    .finally(() => clearTimeout(timer));
  assertEquals(event.kind, kind);
  return event.payload as EventPayload<K>;
}

/** The event in one whole frame. */
export function eventIn(bytes: Uint8Array): Event {
  const [frame] = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX }).push(bytes);
  return readServerMessage(frame ?? { type: 0, payload: bytes }) as Event;
}
