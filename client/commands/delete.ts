import { printableJson } from "../../codec/printable.ts";
import { counted } from "../text/wording.ts";
import type { Call, Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { SIGN_IN_OPTIONS } from "./option_table.ts";
import { whileSignedIn } from "./signed_in.ts";

export const deleteCommand: Command = {
  name: "delete",
  operands: { usage: "ID…", min: 1, max: Infinity },
  summary: "Deletes messages that you sent or were sent, for both sides.",
  description: [
    "An ID is what --json calls id. A deleted message is gone for sender and recipient, on every " +
    "node, and does not come back. Ids that are no messages of yours are passed over, and said.",
  ],
  examples: [
    {
      command: 'chat delete "$(chat history bob --limit 1 --json | cut -d\'"\' -f4)"',
      explains: "The last message with bob.",
    },
    {
      command: "chat history bob --json | grep 4711 | cut -d'\"' -f4 | xargs chat delete",
      explains: "Those of the newest messages with bob that have 4711 in them.",
    },
  ],
  seeAlso: ["chat history"],
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
