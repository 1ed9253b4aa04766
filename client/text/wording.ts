import type { ChatMessage, ChatUser, PeerStatus } from "../../codec/message.ts";
import { printable, printableLines } from "../../codec/printable.ts";
import type { Paint } from "./paint.ts";

/**
 * A message as lines. Its own line breaks are indented, so that no text can look like another
 * message.
 */
export function messageLines(
  message: Pick<ChatMessage, "sender" | "content">,
  head: string,
  paint: Paint,
): string[] {
  const [first = "", ...rest] = printableLines(message.content);
  const start = `${paint.faint(head)} ${paint.name(printable(message.sender))}: ${first}`;
  return [start, ...rest.map((line) => `    ${line}`)];
}

/** `bob, online, 3 unread` */
export function userLine({ name, online, unread }: ChatUser, paint: Paint): string {
  const presence = online ? ", online" : "";
  const waiting = unread > 0 ? `, ${paint.strong(`${unread} unread`)}` : "";
  return `${paint.name(printable(name))}${presence}${waiting}`;
}

/** What a person is told whose name somebody else had claimed while nodes were out of touch. */
export function renamedText({ from, to }: { readonly from: string; readonly to: string }): string {
  return `your name ${printable(from)} was claimed earlier by somebody else: ` +
    `you are ${printable(to)} from now on`;
}

/** That an account was created, and how safe it is. */
export function createdText(user: string, copies: number): string {
  return `account ${printable(user)} created (stored on ${counted(copies, "node")})`;
}

export function passwordSetText(copies: number): string {
  return `your password is set (stored on ${counted(copies, "node")})`;
}

/** What to tell whoever signed in as `asked` and is `user`; undefined if that is the same name. */
export function signedInText(asked: string, user: string): string | undefined {
  if (asked.normalize("NFC") === user) return undefined;
  return `signed in as ${printable(user)}: ` +
    `the name ${printable(asked)} was claimed earlier by somebody else`;
}

/** How far a node and another one are apart, in parts of a sentence about the other. */
export function lagOf({ ahead, behind }: Pick<PeerStatus, "ahead" | "behind">): string[] {
  return [
    ...(ahead > 0 ? [`lacks ${counted(ahead, "operation")}`] : []),
    ...(behind > 0 ? [`has ${counted(behind, "operation")} more`] : []),
  ];
}

/** `1 node`, `2 nodes` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `2026-01-31 14:05`, in this machine's time zone. */
export function dateAndTime(timeMs: number): string {
  return `${dayText(timeMs)} ${timeOfDay(timeMs)}`;
}

/** `2026-01-31`, in this machine's time zone. */
export function dayText(timeMs: number): string {
  const date = new Date(timeMs);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join("-");
}

export function timeOfDay(timeMs: number): string {
  const date = new Date(timeMs);
  return [date.getHours(), date.getMinutes()].map(twoDigits).join(":");
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
