import { printable, printableLines } from "../../codec/printable.ts";
import { columnsOf, cutToColumns, wrapToColumns } from "../text/columns.ts";
import { counted, dayText, timeOfDay } from "../text/wording.ts";
import type { Conversation, Pending, Shown } from "./conversation.ts";
import { FAINT, type Row, type Span, span, type Style } from "./style.ts";

/** Who looks at a conversation, and how much room there is for a row. */
export interface Sight {
  readonly me: string;
  readonly columns: number;
}

/** A message of a conversation, stored or not, with what stands above it. */
export interface Block {
  /** What an anchor calls it. */
  readonly key: string;
  readonly rows: readonly Row[];
}

/** `14:05 ` */
const TIME_COLUMNS = 6;
/** Less than this beside the time, and texts begin at the left. */
const TEXT_COLUMNS_MIN = 20;
/** Of a message that was refused. */
const EXCERPT_COLUMNS = 40;
const OWN: Style = { color: "green", isBold: true };
const THEIRS: Style = { color: "cyan", isBold: true };
const FAILED: Style = { color: "red", isBold: true };
const MARKED: Style = { isInverse: true };
/** Of a text, in UTF-16 units: letters with many marks and spaces that become one have room. */
const SUMMARY_UNITS_PER_COLUMN = 16;

/** How many blocks a conversation has: its loaded messages, and those on their way. */
export function blockCount({ stretch, pending }: Conversation): number {
  return (stretch?.messages.length ?? 0) + shownPending(pending).length;
}

/** The key of the block at `index`, without laying it out. */
export function blockKey({ stretch, pending }: Conversation, index: number): string | undefined {
  const messages = stretch?.messages ?? [];
  const message = messages[index];
  if (message !== undefined) return message.id;
  const one = shownPending(pending)[index - messages.length];
  return one === undefined ? undefined : pendingKey(one);
}

export function blockIndex(conversation: Conversation, key: string): number {
  const messages = conversation.stretch?.messages ?? [];
  const index = messages.findLastIndex(({ id }) => id === key);
  if (index >= 0) return index;
  const at = shownPending(conversation.pending).findIndex((one) => pendingKey(one) === key);
  return at < 0 ? -1 : messages.length + at;
}

/** The block at `index`; undefined beyond the last one. `chosen`: the message that stands out. */
export function blockAt(
  conversation: Conversation,
  index: number,
  sight: Sight,
  chosen?: string,
): Block | undefined {
  const { stretch, pending, unreadLine, name } = conversation;
  const messages = stretch?.messages ?? [];
  const message = messages[index];
  if (message === undefined) {
    const one = shownPending(pending)[index - messages.length];
    if (one === undefined) return undefined;
    const above = dayRow(one.time, (messages.at(-1) ?? one).time, sight);
    return { key: pendingKey(one), rows: [...above, ...pendingRows(one, sight)] };
  }
  const previous = messages[index - 1];
  const isFirst = previous === undefined;
  const day = isFirst && stretch?.hasOldest
    ? [lineAcross(dayText(message.time), FAINT, sight)]
    : dayRow(message.time, (previous ?? message).time, sight);
  const unread = unreadLine?.id === message.id ? [unreadRow(sight)] : [];
  const isTwin = pending.some(({ twin }) => twin === message.id);
  const rows = isTwin ? messageRows(message, sight, name, true) : rowsOf(message, sight, name);
  const stands = chosen === message.id || conversation.marked === message.id;
  const own = stands ? rows.map((row) => row.map(({ text }) => span(text, MARKED))) : rows;
  return { key: message.id, rows: [...day, ...unread, ...own] };
}

/** What came back as a message stands there, not here. */
function shownPending(pending: readonly Pending[]): readonly Pending[] {
  return pending.some(({ twin }) => twin !== undefined)
    ? pending.filter(({ twin }) => twin === undefined)
    : pending;
}

/** What an anchor calls what is not stored yet. */
export function pendingKey({ number }: Pending): string {
  return `pending ${number}`;
}

/** Laid out once for each width: a conversation has many messages, and is scrolled row by row. */
const laidOut = new WeakMap<Shown, { readonly sight: Sight; readonly rows: readonly Row[] }>();

function rowsOf(message: Shown, sight: Sight, friend: string): readonly Row[] {
  const known = laidOut.get(message);
  if (known?.sight.columns === sight.columns && known.sight.me === sight.me) return known.rows;
  const rows = messageRows(message, sight, friend, false);
  laidOut.set(message, { sight, rows });
  return rows;
}

function messageRows(
  message: Shown,
  sight: Sight,
  friend: string,
  isSending: boolean,
): readonly Row[] {
  const { sender, content, time } = message;
  const isOwn = sender === sight.me;
  const state = isOwn && friend !== sight.me ? stateText(message, isSending) : undefined;
  const name = span(printable(sender), isOwn ? OWN : THEIRS);
  return bodyRows(time, name, content, sight, state === undefined ? undefined : span(state, FAINT));
}

function pendingRows({ time, content, failure }: Pending, sight: Sight): readonly Row[] {
  const name = span(printable(sight.me), OWN);
  if (failure === undefined) return bodyRows(time, name, content, sight, span("sending…", FAINT));
  // However long it is, what comes next must be seen.
  const [line = ""] = printableLines(content);
  const shown = cutToColumns(line, EXCERPT_COLUMNS) + (line === content ? "" : " …");
  const state = span(`not sent: ${printable(failure)}`, FAILED);
  return bodyRows(time, name, shown, sight, state);
}

/** What is known of a message of one's own. */
function stateText({ status, copies }: Shown, isSending: boolean): string {
  if (status === "read") return "read";
  if (isSending) return "sending…";
  return copies === undefined ? "stored" : `stored on ${counted(copies, "node")}`;
}

/** `14:05 alice: what she wrote`, its further rows below her name, its state at the end. */
function bodyRows(
  time: number,
  name: Span,
  content: string,
  { columns }: Sight,
  state: Span | undefined,
): readonly Row[] {
  const indent = columns - TIME_COLUMNS < TEXT_COLUMNS_MIN ? 0 : TIME_COLUMNS;
  const width = Math.max(1, columns - indent);
  const start = `${name.text}: `;
  const texts = printableLines(content)
    .flatMap((line, index) => wrapToColumns(index === 0 ? start + line : line, width));
  const margin = " ".repeat(indent);
  const rows = texts.map((text, index): Row => {
    if (index > 0) return [span(margin + text)];
    const head = indent === 0 ? [] : [span(`${timeOfDay(time)} `, FAINT)];
    if (!text.startsWith(start.trimEnd())) return [...head, span(text)];
    return [...head, name, span(text.slice(name.text.length))];
  });
  return state === undefined ? rows : withState(rows, state, columns);
}

/** In the last row if there is room, else in rows of its own. */
function withState(rows: readonly Row[], state: Span, columns: number): readonly Row[] {
  const last = rows.at(-1) ?? [];
  const used = columnsOf(last.map(({ text }) => text).join(""));
  const own = columnsOf(state.text);
  if (used + 2 + own <= columns) {
    return [...rows.slice(0, -1), [...last, span("  "), state]];
  }
  const lines = wrapToColumns(state.text, columns).map((text): Row => {
    const margin = " ".repeat(Math.max(0, columns - columnsOf(text)));
    return [span(margin), span(text, state.style)];
  });
  return [...rows, ...lines];
}

/** A line for the day, where it is another one than that of the message before. */
function dayRow(time: number, previous: number, sight: Sight): readonly Row[] {
  const day = dayText(time);
  return day === dayText(previous) ? [] : [lineAcross(day, FAINT, sight)];
}

function unreadRow(sight: Sight): Row {
  return lineAcross("unread", { color: "yellow", isBold: true }, sight);
}

/** `── text ──────` over all columns. */
function lineAcross(text: string, style: Style, { columns }: Sight): Row {
  const head = `── ${text} `;
  if (columnsOf(head) > columns) return [span(text.slice(0, columns), style)];
  return [span(head + "─".repeat(columns - columnsOf(head)), style)];
}

/** Who wrote, when, and how that begins, in one row, for lists of messages. */
export function summaryRow(
  { sender, recipient, content, time }: Shown,
  { me, columns }: Sight,
): Row {
  const isOwn = sender === me;
  const who = isOwn ? `to ${printable(recipient)}` : printable(sender);
  const text = content.slice(0, columns * SUMMARY_UNITS_PER_COLUMN).replaceAll(/\s+/g, " ");
  return [
    span(`${dayText(time)} ${timeOfDay(time)} `, FAINT),
    span(who, isOwn ? OWN : THEIRS),
    span(` ${printable(text)}`),
  ];
}
