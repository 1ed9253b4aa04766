import type { NodeStatus } from "../../codec/message.ts";

/** What a node that has nothing yet says of itself. */
export function statusOf(node: string, changes: Partial<NodeStatus> = {}): NodeStatus {
  return {
    node,
    version: "1.2.3",
    origin: `${node}.e1`,
    uptimeMs: 0,
    connections: 0,
    usersOnline: 0,
    accounts: 0,
    messages: 0,
    journalBytes: 0,
    vector: new Map(),
    digest: "d1",
    copies: 2,
    peers: [],
    warnings: [],
    ...changes,
  };
}
