import type { OperatorRow } from "./command.ts";

/** Every command for who runs a node. */
export const operatorCommands: readonly OperatorRow[] = [
  {
    name: "compact",
    summary: "Replaces a node's journal by a snapshot of what is in it.",
    load: async () => (await import("./compact.ts")).compactCommand,
  },
];
