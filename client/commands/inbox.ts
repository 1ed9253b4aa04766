import type { ChatMessage, ChatUser } from "../../codec/message.ts";
import type { ChatClient } from "../connection.ts";
import type { Call, Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { writeMessages } from "./message_output.ts";
import { SIGN_IN_OPTIONS } from "./option_table.ts";
import { whileSignedIn } from "./signed_in.ts";

export const inbox: Command = {
  name: "inbox",
  summary: "Shows the messages to you that are unread, oldest first.",
  description: [
    "They stay unread unless --mark-read is given; then those that were shown, and no others, are " +
    "read, which their senders see.",
  ],
  examples: [
    { command: "chat inbox", explains: "What has come for the user who signed in last." },
    {
      command: "chat inbox --user ops --mark-read --json > new.jsonl",
      explains: "Takes over what is new, an object a line; the next time, it is not there again.",
    },
  ],
  seeAlso: ["chat history", "chat tail"],
  options: [...SIGN_IN_OPTIONS, "create", "json", "mark-read"],
  run,
};

async function run(call: Call): Promise<ExitCode> {
  return await whileSignedIn(call, async (client) => {
    const messages = await unreadMessages(client);
    await writeMessages(call, messages);
    // By id, once they are shown: one that has come meanwhile stays unread.
    if (call.options.has("mark-read") && messages.length > 0) {
      await client.readMessages(messages.map(({ id }) => id));
    }
    return EXIT.done;
  });
}

async function unreadMessages(client: ChatClient): Promise<ChatMessage[]> {
  const messages: ChatMessage[] = [];
  for await (const friend of client.allUsers()) {
    if (friend.unread > 0) messages.push(...await unreadFrom(client, friend));
  }
  return messages.sort((a, b) => a.time - b.time);
}

/** Oldest first; stops looking back once it has as many as the server counted. */
async function unreadFrom(client: ChatClient, { name, unread }: ChatUser): Promise<ChatMessage[]> {
  const found: ChatMessage[] = [];
  for await (const message of client.historyFromNewest(name)) {
    if (message.sender === name && message.status === "unread") found.push(message);
    if (found.length >= unread) break;
  }
  return found.reverse();
}
