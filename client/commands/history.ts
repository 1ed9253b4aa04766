import type { ChatMessage } from "../../codec/message.ts";
import type { ChatClient } from "../connection.ts";
import type { Call, Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { writeMessages } from "./message_output.ts";
import { SIGN_IN_OPTIONS } from "./option_table.ts";
import { whileSignedIn } from "./signed_in.ts";

const LIMIT_DEFAULT = 50;

export const history: Command = {
  name: "history",
  operands: { usage: "FRIEND", min: 1, max: 1 },
  summary: "Shows the newest messages with somebody, oldest first.",
  description: [
    "The newest 50, or as many as --limit says, or all. With --before, only what is older than that " +
    "message: so one goes back page by page. Nothing is marked as read.",
  ],
  examples: [
    { command: "chat history bob --limit 10", explains: "The last ten messages with bob." },
    {
      command: "chat history bob --all --json > bob.jsonl",
      explains: "The whole conversation into a file, an object a line.",
    },
  ],
  seeAlso: ["chat inbox", "chat delete", "chat export"],
  options: [...SIGN_IN_OPTIONS, "json", "limit", "all", "before"],
  check(options) {
    if (options.has("limit") && options.has("all")) {
      throw new UsageError("--limit and --all cannot both be given");
    }
  },
  run,
};

async function run(call: Call): Promise<ExitCode> {
  const { options } = call;
  const [friend = ""] = options.operands;
  const limit = options.count("limit");
  const count = options.has("all") ? Infinity : limit ?? LIMIT_DEFAULT;
  return await whileSignedIn(call, async (client) => {
    const messages = await newest(client, friend, count, options.text("before"));
    await writeMessages(call, messages.reverse());
    return EXIT.done;
  });
}

async function newest(
  client: ChatClient,
  friend: string,
  count: number,
  before: string | undefined,
): Promise<ChatMessage[]> {
  const found: ChatMessage[] = [];
  for await (const message of client.historyFromNewest(friend, before)) {
    found.push(message);
    if (found.length >= count) break;
  }
  return found;
}
