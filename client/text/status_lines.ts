import type { NodeStatus } from "../../codec/message.ts";
import { printable } from "../../codec/printable.ts";
import { counted, lagOf } from "./wording.ts";

/** What a person is told of the node that they are on, and of what it knows of the others. */
export function statusLines(status: NodeStatus): string[] {
  const { node, version, accounts, usersOnline, messages, digest, copies, peers, warnings } =
    status;
  return [
    `${printable(node)}: chat ${printable(version)}, this client's node`,
    `  ${counted(accounts, "account")} (${usersOnline} online), ${counted(messages, "message")}`,
    `  stores on ${counted(copies, "node")} before it answers; digest ${printable(digest)}`,
    ...peers.map((peer) => {
      const { name, state, why } = peer;
      const reason = why === undefined ? [] : [printable(why)];
      const parts = [`${printable(name)}: ${state.replace("_", " ")}`, ...lagOf(peer), ...reason];
      return parts.join(", ");
    }),
    ...warnings.map((warning) => `warning: ${printable(warning)}`),
  ];
}
