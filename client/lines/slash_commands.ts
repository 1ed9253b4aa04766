import type { ChatMessage } from "../../codec/message.ts";
import { type ChatClient, NAME_CHARACTERS_MAX } from "../connection.ts";
import type { Paint } from "../text/paint.ts";
import { printable } from "../text/printable.ts";
import { counted, dateAndTime, userLine } from "../text/wording.ts";
import type { LineScreen } from "./line_screen.ts";
import type { ShownMessages } from "./shown_messages.ts";
import { agrees, askNewPassword } from "./sign_in_dialog.ts";

/** What a slash command works on. */
export interface Conversations {
  readonly client: ChatClient;
  readonly screen: LineScreen;
  readonly paint: Paint;
  readonly shown: ShownMessages;
  readonly open: string | undefined;
  print(...lines: readonly string[]): void;
  printHistory(messages: readonly ChatMessage[]): void;
  openConversation(friend: string): Promise<void>;
  closeConversation(): void;
  send(friend: string, content: string): void;
}

type Outcome = "leave" | void;

interface SlashCommand {
  readonly operands: string;
  readonly help: string;
  /** Called with what follows the command's name. */
  run(on: Conversations, text: string): Outcome | Promise<Outcome>;
}

const HISTORY_DEFAULT = 50;
const USERS_SHOWN_MAX = 100;

/** Every slash command: for /help, for completion, and to run it. */
const slashCommands: { readonly [name: string]: SlashCommand } = {
  help: { operands: "", help: "shows this", run: help },
  msg: { operands: "NAME [TEXT]", help: "opens a conversation, and sends TEXT", run: message },
  users: { operands: "[PATTERN]", help: "lists people, such as /users al*", run: users },
  history: {
    operands: "[N]",
    help: "shows the newest N messages of the conversation",
    run: history,
  },
  read: { operands: "", help: "marks all of the conversation as read", run: read },
  delete: { operands: "N|ID", help: "deletes message [N] for both sides", run: deleteMessage },
  close: { operands: "", help: "leaves the conversation", run: (on) => on.closeConversation() },
  password: { operands: "", help: "changes your password", run: changePassword },
  "delete-account": { operands: "", help: "deletes you and all your messages", run: deleteAccount },
  status: { operands: "", help: "tells how the server is", run: status },
  quit: { operands: "", help: "leaves", run: () => "leave" },
};

/** Runs a line that begins with a slash. */
export async function runSlashCommand(on: Conversations, line: string): Promise<Outcome> {
  const [, name = "", text = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  const command = Object.hasOwn(slashCommands, name) ? slashCommands[name] : undefined;
  if (command === undefined) {
    return on.print(`There is no /${printable(name)}: /help lists the commands, // sends a slash`);
  }
  return await command.run(on, text.trim());
}

/** What a line that begins with a slash may become. */
export function completeSlash(line: string): string[] {
  return Object.keys(slashCommands).map((name) => `/${name} `).filter((it) => it.startsWith(line));
}

function help(on: Conversations): void {
  for (const [name, { operands, help }] of Object.entries(slashCommands)) {
    on.print(`  ${`/${name} ${operands}`.padEnd(20)}  ${help}`);
  }
}

/** Names may hold spaces: the longest beginning of the text that is somebody's name is meant. */
async function message(on: Conversations, text: string): Promise<void> {
  if (text === "") return on.print("/msg NAME [TEXT]");
  const name = await longestName(on.client, text);
  await on.openConversation(name);
  const content = text.slice(name.length).trim();
  if (content !== "") on.send(name, content);
}

async function longestName(client: ChatClient, text: string): Promise<string> {
  const words = text.split(" ");
  const beginnings = words
    .map((_, last) => words.slice(0, last + 1).join(" "))
    .filter((name) => [...name].length <= NAME_CHARACTERS_MAX && !name.includes("*"));
  const found = await Promise.all(
    beginnings.map((pattern) => client.users({ pattern, limit: 1 })),
  );
  const longest = found.findLastIndex((users) => users.length > 0);
  return beginnings[longest] ?? words[0] ?? text;
}

async function users(on: Conversations, pattern: string): Promise<void> {
  let count = 0;
  for await (const user of on.client.allUsers(pattern === "" ? "*" : pattern)) {
    if (++count > USERS_SHOWN_MAX) return on.print("… and more: /users PATTERN narrows it down");
    on.print(`  ${userLine(user, on.paint)}`);
  }
  if (count === 0) on.print("Nobody");
}

async function history(on: Conversations, text: string): Promise<void> {
  if (on.open === undefined) return on.print("No conversation is open: /msg NAME opens one");
  const limit = text === "" ? HISTORY_DEFAULT : Number(text);
  if (!Number.isInteger(limit) || limit < 1) return on.print("/history [N], N from 1");
  const messages: ChatMessage[] = [];
  for await (const message of on.client.historyFromNewest(on.open)) {
    messages.push(message);
    if (messages.length >= limit) break;
  }
  const [oldest] = messages.toReversed();
  if (oldest !== undefined) on.print(on.paint.faint(`-- since ${dateAndTime(oldest.time)}`));
  on.printHistory(messages.reverse());
}

async function read(on: Conversations): Promise<void> {
  if (on.open === undefined) return on.print("No conversation is open: /msg NAME opens one");
  const { count } = await on.client.readMessages(on.open);
  on.print(`${count} marked as read`);
}

async function deleteMessage(on: Conversations, text: string): Promise<void> {
  if (text === "") return on.print("/delete N deletes the message that is shown as [N]");
  const id = /^\d+$/.test(text) ? on.shown.idOf(Number(text)) : text;
  if (id === undefined) return on.print(`There is no message [${text}]`);
  const question = `Delete ${printable(text)} for both sides? [y/N] `;
  if (!await agrees(on.screen, question)) return on.print("It stays");
  const { count } = await on.client.deleteMessages([id]);
  if (count === 0) on.print("There is no such message that is yours to delete");
}

async function changePassword(on: Conversations): Promise<void> {
  const old = await on.screen.ask("Old password: ", { isHidden: true });
  if (old === undefined) return;
  const password = await askNewPassword(on.screen);
  if (password === undefined) return;
  await on.client.changePassword(old, password);
  on.print("Changed. Your other sessions have ended.");
}

async function deleteAccount(on: Conversations): Promise<Outcome> {
  const { user } = on.client.session;
  const answer = await on.screen.ask(
    `This deletes you and all your messages, for all. Type your name to do it: `,
  );
  if (answer !== user) return on.print("You stay");
  await on.client.deleteAccount();
  on.print(`${printable(user)} is deleted`);
  return "leave";
}

async function status(on: Conversations): Promise<void> {
  const { node, version, accounts, messages, usersOnline, digest, peers } = await on.client
    .status();
  const people = `${counted(accounts, "account")} (${usersOnline} online)`;
  on.print(
    `${printable(node)}, chat ${printable(version)}: ${people}, ` +
      `${counted(messages, "message")}, digest ${printable(digest)}`,
  );
  for (const { name, state, why = "" } of peers) {
    on.print(`  ${printable(name)}: ${state.replace("_", " ")} ${printable(why)}`.trimEnd());
  }
}
