import { printableJson } from "../../codec/printable.ts";
import { userLine } from "../text/wording.ts";
import type { Call, Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { paintFor } from "./message_output.ts";
import { SIGN_IN_OPTIONS } from "./option_table.ts";
import { whileSignedIn } from "./signed_in.ts";

export const users: Command = {
  name: "users",
  operands: { usage: "[PATTERN]", min: 0, max: 1 },
  summary: "Lists people: all, or those that match a pattern such as 'al*'.",
  description: [
    "Each with whether they are online, and how many messages from them you have not read. In a " +
    "pattern, * stands for any characters; quote it, or the shell takes it for file names.",
  ],
  examples: [
    { command: "chat users", explains: "Everybody." },
    {
      command: "chat users 'al*' --json",
      explains: "Whose name begins with al, an object a line.",
    },
  ],
  seeAlso: ["chat inbox", "chat status"],
  options: [...SIGN_IN_OPTIONS, "json"],
  run,
};

async function run(call: Call): Promise<ExitCode> {
  const paint = paintFor(call);
  const isJson = call.options.has("json");
  return await whileSignedIn(call, async (client) => {
    for await (const user of client.allUsers(call.options.operands[0])) {
      await call.shell.write(`${isJson ? printableJson(user) : userLine(user, paint)}\n`);
    }
    return EXIT.done;
  });
}
