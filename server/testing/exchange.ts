import { assertEquals } from "@std/assert";
import type { EventKind, EventPayload } from "../../codec/message.ts";
import type { WireClient } from "./wire_client.ts";

/** Asks for the messages with a friend. */
export function list(friend: string) {
  return { kind: "list_messages", payload: { with: friend } } as const;
}

/** The payload of the next event, which has to be of one kind. */
export async function nextEvent<K extends EventKind>(
  client: WireClient,
  kind: K,
): Promise<EventPayload<K>> {
  const event = await client.event();
  assertEquals(event.kind, kind);
  return event.payload as EventPayload<K>;
}
