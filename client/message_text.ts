import type { ChatMessage } from "../codec/message.ts";
import { printable, printableLines } from "./printable.ts";

/** How names and the like are set off; plain where colours are not wanted. */
export interface Paint {
  name(text: string): string;
  faint(text: string): string;
  strong(text: string): string;
}

export const PLAIN: Paint = {
  name: (text) => text,
  faint: (text) => text,
  strong: (text) => text,
};

export const COLORED: Paint = {
  name: (text) => `\x1b[36m${text}\x1b[39m`,
  faint: (text) => `\x1b[2m${text}\x1b[22m`,
  strong: (text) => `\x1b[1m${text}\x1b[22m`,
};

/** `2026-01-31 14:05`, in this machine's time zone. */
export function dateAndTime(timeMs: number): string {
  const date = new Date(timeMs);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join("-");
  return `${day} ${timeOfDay(timeMs)}`;
}

export function timeOfDay(timeMs: number): string {
  const date = new Date(timeMs);
  return [date.getHours(), date.getMinutes()].map(twoDigits).join(":");
}

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

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
