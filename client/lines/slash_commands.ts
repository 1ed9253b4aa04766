import type { ChatMessage } from "../../codec/message.ts";
import { printable } from "../../codec/printable.ts";
import type { ChatClient } from "../connection.ts";
import { changePasswordDialog, deleteAccountDialog } from "../dialog/account_dialog.ts";
import { agrees } from "../dialog/sign_in_dialog.ts";
import { longestName } from "../slash/longest_name.ts";
import {
  noSuchSlash,
  slashHelp,
  type SlashLine,
  type SlashName,
  slashNames,
} from "../slash/slash_table.ts";
import type { Paint } from "../text/paint.ts";
import { statusLines } from "../text/status_lines.ts";
import { dateAndTime, userLine } from "../text/wording.ts";
import type { LineScreen } from "./line_screen.ts";
import type { ShownMessages } from "./shown_messages.ts";

/** What a slash command works on. */
export interface Conversations {
  readonly client: ChatClient;
  readonly screen: LineScreen;
  readonly paint: Paint;
  readonly shown: ShownMessages;
  readonly open: string | undefined;
  print(...lines: readonly string[]): void;
  printFound(message: ChatMessage): void;
  printHistory(messages: readonly ChatMessage[]): void;
  openConversation(friend: string): Promise<void>;
  closeConversation(): void;
  send(friend: string, content: string): void;
}

type Outcome = "leave" | void;
/** Called with what follows the command's name. */
type Handler = (on: Conversations, text: string) => Outcome | Promise<Outcome>;

const HISTORY_DEFAULT = 50;
const FOUND_SHOWN_MAX = 50;
const USERS_SHOWN_MAX = 100;

const handlers: { readonly [name in SlashName]: Handler } = {
  help: (on) => on.print(...slashHelp("lines").map((line) => `  ${line}`)),
  msg: message,
  users,
  search,
  history,
  read,
  delete: deleteMessage,
  close: (on) => on.closeConversation(),
  password: (on) => changePasswordDialog(on.client, on.screen),
  "delete-account": deleteAccount,
  status,
  quit: () => "leave",
};

/** Runs a line that is a slash command. */
export async function runSlashCommand(
  on: Conversations,
  { given, text }: SlashLine,
): Promise<Outcome> {
  const name = slashNames("lines").find((one) => one === given);
  if (name === undefined) return on.print(noSuchSlash(printable(given)));
  return await handlers[name](on, text);
}

/** What a line that begins with a slash may become. */
export function completeSlash(line: string): string[] {
  return slashNames("lines").map((name) => `/${name} `).filter((it) => it.startsWith(line));
}

async function message(on: Conversations, text: string): Promise<void> {
  if (text === "") return on.print("/msg NAME [TEXT]");
  const name = await longestName(on.client, text);
  await on.openConversation(name);
  const content = text.slice(name.length).trim();
  if (content !== "") on.send(name, content);
}

async function users(on: Conversations, pattern: string): Promise<void> {
  let count = 0;
  for await (const user of on.client.allUsers(pattern === "" ? "*" : pattern)) {
    if (++count > USERS_SHOWN_MAX) return on.print("… and more: /users PATTERN narrows it down");
    on.print(`  ${userLine(user, on.paint)}`);
  }
  if (count === 0) on.print("Nobody");
}

async function search(on: Conversations, text: string): Promise<void> {
  if (text === "") return on.print("/search WORDS");
  const found: ChatMessage[] = [];
  let before: string | undefined;
  do {
    const limit = FOUND_SHOWN_MAX - found.length;
    const position = before === undefined ? {} : { before };
    const { messages, next } = await on.client.search({ text, limit, ...position });
    found.push(...messages);
    before = next;
  } while (before !== undefined && found.length < FOUND_SHOWN_MAX);
  if (found.length === 0) return on.print("Nothing");
  for (const message of found.reverse()) on.printFound(message);
  if (before !== undefined) on.print("… and more, older ones");
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

async function deleteAccount(on: Conversations): Promise<Outcome> {
  const { user } = on.client.session;
  if (!await deleteAccountDialog(on.client, on.screen)) return;
  on.print(`${printable(user)} is deleted`);
  return "leave";
}

async function status(on: Conversations): Promise<void> {
  on.print(...statusLines(await on.client.status()));
}
