import type { ChatMessage } from "../../codec/message.ts";
import type { ChatClient } from "../connection.ts";
import type { Position } from "./conversation.ts";

/** Asks for the messages at a position of the conversation with a friend, oldest first. */
export async function pageOf(
  client: ChatClient,
  friend: string,
  position: Position,
  limit: number,
): Promise<readonly ChatMessage[]> {
  const query = { with: friend, limit };
  switch (position.at) {
    case "newest":
      return await client.history(query);
    case "oldest":
      return await client.history({ ...query, after: "" });
    case "before":
      return await client.history({ ...query, before: position.id });
    case "after":
      return await client.history({ ...query, after: position.id });
    case "around": {
      const half = { with: friend, limit: Math.ceil(limit / 2) };
      const older = await client.history({ ...half, before: position.message.id });
      // From there, the message comes as it is by now, or not at all.
      const newer = await client.history({ ...half, after: older.at(-1)?.id ?? "" });
      return [...older, ...newer];
    }
    default:
      return position satisfies never;
  }
}
