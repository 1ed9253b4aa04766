import { printableJson } from "../text/printable.ts";
import { counted } from "../text/wording.ts";
import type { Call, Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { SIGN_IN_OPTIONS } from "./option_table.ts";
import { whileSignedIn } from "./signed_in.ts";

export const deleteCommand: Command = {
  name: "delete",
  operands: { usage: "ID…", min: 1, max: Infinity },
  summary: "Deletes messages that you sent or were sent, for both sides.",
  options: [...SIGN_IN_OPTIONS, "json"],
  run,
};

async function run(call: Call): Promise<ExitCode> {
  const { options, shell } = call;
  return await whileSignedIn(call, async (client) => {
    const changed = await client.deleteMessages(options.operands);
    const { count, copies } = changed;
    const text = `deleted ${counted(count, "message")} (on ${counted(copies, "node")})`;
    await shell.write(`${options.has("json") ? printableJson({ count, copies }) : text}\n`);
    if (count < new Set(options.operands).size) {
      shell.note("chat: the others are no messages of yours, or were deleted before");
    }
    return EXIT.done;
  });
}
