import { DATA_OPTIONS, EXIT_DONE, EXIT_FIXABLE, type OperatorCommand } from "./command.ts";
import { askNode } from "./control.ts";

export const compactCommand: OperatorCommand = {
  details:
    "The node goes on meanwhile. It does that by itself when most of its journal is history. What was\n" +
    "deleted is gone from its disk after that.",
  options: DATA_OPTIONS,
  async run({ options, output }) {
    const { directory } = options;
    const report = await askNode(directory, "compact");
    if (report === undefined) {
      output.note(`chat: no node runs on ${directory}: start it with chat serve`);
      return EXIT_FIXABLE;
    }
    const { bytesBefore, bytesAfter } = report;
    await output.write(`bytes before ${bytesBefore}, after ${bytesAfter}\n`);
    return EXIT_DONE;
  },
};
