import type { NodeStatus } from "../codec/message.ts";
import { ChatClient } from "./connection.ts";
import type { Host } from "./host.ts";
import type { ChatClientOptions } from "./options.ts";

/** How one node is, without signing in. Throws {@linkcode UnreachableError}. */
export async function nodeStatus(
  host: Host,
  options: Omit<ChatClientOptions, "hosts">,
): Promise<NodeStatus> {
  await using client = new ChatClient({ ...options, hosts: [host] });
  return await client.status();
}
