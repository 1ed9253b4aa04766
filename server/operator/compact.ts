import { DATA_OPTIONS, EXIT_DONE, EXIT_FIXABLE, type OperatorCommand } from "./command.ts";
import { askNode } from "./control.ts";

export const compactCommand: OperatorCommand = {
  description: [
    "The node has to be running, and goes on meanwhile. It does that by itself when most of its " +
    "journal is history. What was deleted is gone from its disk after that.",
  ],
  examples: [
    { command: "chat compact --node node1", explains: "The node whose data is in data/node1." },
    { command: "chat compact --data data/node2", explains: "The node that has this directory." },
  ],
  exits: [["1", "No node runs on that directory, or it could not do it."]],
  seeAlso: ["chat log verify", "docs/OPERATIONS.md"],
  options: DATA_OPTIONS,
  async run({ options, output }) {
    const { directory } = options;
    const report = await askNode(directory, { command: "compact" });
    if (report === undefined) {
      output.note(`chat: no node runs on ${directory}: start it with chat serve`);
      return EXIT_FIXABLE;
    }
    const { bytesBefore, bytesAfter } = report;
    await output.write(`bytes before ${bytesBefore}, after ${bytesAfter}\n`);
    return EXIT_DONE;
  },
};
