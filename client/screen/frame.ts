import type { ChatUser } from "../../codec/message.ts";
import { printable } from "../../codec/printable.ts";
import { columnsOf, cutToColumns, padToColumns } from "../text/columns.ts";
import { PLAIN } from "../text/paint.ts";
import { userLine } from "../text/wording.ts";
import type { Conversation } from "./conversation.ts";
import { type Geometry, geometryOf, textRows } from "./geometry.ts";
import { KEYMAP } from "./keymap.ts";
import { summaryRow } from "./message_rows.ts";
import { type Model, openConversation, type Panel } from "./model.ts";
import { seen } from "./scroll.ts";
import { FAINT, type Row, type Span, span, STRONG, type Style } from "./style.ts";

/** What a terminal shows: as many rows as it has, none wider than it is. */
export interface Frame {
  readonly rows: readonly Row[];
  /** From 0. */
  readonly cursor: { readonly row: number; readonly column: number };
}

const BAR: Style = { isInverse: true };
const OPEN: Style = { isInverse: true };
const UNREAD: Style = { color: "yellow", isBold: true };
const ONLINE: Style = { color: "green" };
const SAID: Style = { color: "yellow" };
const TROUBLE: Style = { isInverse: true, isBold: true };
const NUMBERED_KEYS: readonly string[] = KEYMAP.numbered.keys;
const WELCOME = [
  "Nothing is open.",
  "",
  "/msg NAME   opens a conversation",
  "/users      lists people",
  "/help       lists all commands and keys",
];

/** Draws the model. */
export function frameOf(model: Model): Frame {
  const { size } = model;
  const geometry = geometryOf(model);
  const { input, prompt, said } = geometry;
  const margin = " ".repeat(columnsOf(prompt));
  const all: Row[] = [
    ...upperRows(model, geometry),
    statusRow(model),
    ...said.map((line): Row => [span(line, SAID)]),
    ...input.lines.map((line, index): Row => [
      span(index === 0 ? prompt : margin, STRONG),
      span(line),
    ]),
  ];
  // A terminal that is too small for all of it shows the input.
  const rows = all.slice(-size.rows).map((row) => cutRow(row, size.columns));
  const cursor = {
    row: Math.max(0, rows.length - input.lines.length + input.cursor.row),
    column: Math.min(columnsOf(margin) + input.cursor.column, size.columns - 1),
  };
  return { rows, cursor };
}

/** A frame as plain text: how a test reads it. */
export function frameText({ rows }: Frame): string {
  return rows.map((row) => row.map(({ text }) => text).join("").trimEnd()).join("\n");
}

function upperRows(model: Model, geometry: Geometry): Row[] {
  const { columns, rows, listColumns } = geometry;
  const messages = mainRows(model, geometry);
  const right: Row[] = [titleRow(model, columns), ...filledTo(messages, rows)];
  if (listColumns === 0) return right;
  const left = listRows(model, listColumns, right.length);
  return right.map((row, index): Row => [...left[index] ?? [], span("│", FAINT), ...row]);
}

/** Messages stand at the bottom, whatever else at the top. */
function mainRows(model: Model, { columns, rows }: Geometry): Row[] {
  if (model.me === undefined) {
    const lines = textRows(model.told, columns);
    return atBottom(lines.map((line): Row => [span(line)]), rows);
  }
  if (model.panel !== undefined) return panelRows(model, model.panel, columns, rows);
  const conversation = openConversation(model);
  if (conversation === undefined) {
    return WELCOME.map((line): Row => [span(cutToColumns(line, columns), FAINT)]);
  }
  const view = { me: model.me, columns, rows };
  return atBottom(seen(conversation, view, model.chosen).rows, rows);
}

function atBottom(shown: readonly Row[], rows: number): Row[] {
  const last = shown.slice(-rows);
  return [...Array.from({ length: rows - last.length }, (): Row => []), ...last];
}

function filledTo(shown: readonly Row[], rows: number): Row[] {
  return [...shown, ...Array.from({ length: Math.max(0, rows - shown.length) }, (): Row => [])];
}

function titleRow(model: Model, columns: number): Row {
  const { panel } = model;
  if (panel !== undefined) return between([span(panelTitle(panel), STRONG)], "Esc: back", columns);
  const conversation = openConversation(model);
  if (conversation === undefined) return [span("chat", STRONG)];
  const { name, isOnline, anchor, newer, load, stretch } = conversation;
  const presence = isOnline ? span(" ● online", ONLINE) : span(" ○ offline", FAINT);
  const isElsewhere = anchor !== undefined || stretch?.hasNewest === false;
  const below = newer > 0 ? `${newer} new below` : "End: newest";
  const isLoading = load !== undefined && stretch === undefined;
  const state = isLoading ? "loading…" : isElsewhere ? below : "";
  return between([span(printable(name), STRONG), presence], state, columns);
}

function panelTitle(panel: Panel): string {
  switch (panel.kind) {
    case "text":
      return panel.title;
    case "people":
      return `People like ${printable(panel.pattern)}`;
    case "found": {
      const more = panel.next === undefined ? "" : "+";
      const state = panel.isSearching ? "searching…" : `${panel.messages.length}${more} found`;
      return `${printable(panel.text)}: ${state}`;
    }
    default:
      return panel satisfies never;
  }
}

/** Text at the left and, as far as there is room, at the right. */
function between(left: readonly Span[], right: string, columns: number): Row {
  const cut = cutRow(left, columns);
  const room = columns - columnsOf(cut.map(({ text }) => text).join("")) - 1;
  if (right === "" || room < columnsOf(right)) return cut;
  return [...cut, span(" ".repeat(1 + room - columnsOf(right))), span(right, FAINT)];
}

function cutRow(row: readonly Span[], columns: number): Row {
  let left = columns;
  return row.flatMap((one): Span[] => {
    const text = cutToColumns(one.text, left);
    left -= columnsOf(text);
    return text === "" ? [] : [{ ...one, text }];
  });
}

function panelRows(model: Model, panel: Panel, columns: number, rows: number): Row[] {
  switch (panel.kind) {
    case "text":
      return textRows(panel.lines, columns).slice(panel.top, panel.top + rows)
        .map((line): Row => [span(line)]);
    case "people": {
      const lineOf = (person: ChatUser): Row => [span(userLine(person, PLAIN))];
      return selectable(panel.people, lineOf, panel.selected, columns, rows);
    }
    case "found": {
      if (panel.messages.length === 0) {
        return [[span(panel.isSearching ? "" : "No message holds all of that", FAINT)]];
      }
      const sight = { me: model.me ?? "", columns };
      return selectable(
        panel.messages,
        (message) => summaryRow(message, sight),
        panel.selected,
        columns,
        rows,
      );
    }
    default:
      return panel satisfies never;
  }
}

/** The part of a list that has the selected item in it. */
function selectable<T>(
  items: readonly T[],
  rowOf: (item: T) => Row,
  selected: number,
  columns: number,
  rows: number,
): Row[] {
  const top = Math.max(0, Math.min(selected - Math.floor(rows / 2), items.length - rows));
  return items.slice(top, top + rows).map((item, index): Row => {
    const cut = cutRow(rowOf(item), columns);
    if (top + index !== selected) return cut;
    return [span(padToColumns(cut.map(({ text }) => text).join(""), columns), OPEN)];
  });
}

function listRows(model: Model, columns: number, rows: number): Row[] {
  const { conversations, open } = model;
  const at = conversations.findIndex(({ name }) => name === open);
  const top = Math.max(0, Math.min(at - Math.floor(rows / 2), conversations.length - rows));
  const shown = conversations.slice(top, top + rows)
    .map((one, index): Row => listRow(one, one.name === open, top + index, columns));
  return filledTo(shown, rows).map((row) => row.length === 0 ? [span(" ".repeat(columns))] : row);
}

/** `1 ● alice     3`, with the digit of the key that opens it. */
function listRow(
  { name, isOnline, unread }: Conversation,
  isOpen: boolean,
  index: number,
  columns: number,
): Row {
  const key = NUMBERED_KEYS[index]?.at(-1) ?? " ";
  const count = unread === 0 ? "" : unread > 999 ? "999+" : String(unread);
  const nameColumns = Math.max(1, columns - 5 - columnsOf(count));
  const shown = padToColumns(printable(name), nameColumns);
  const presence = isOnline ? "● " : "  ";
  if (isOpen) return [span(padToColumns(`${key} ${presence}${shown}${count}`, columns), OPEN)];
  return [
    span(`${key} `, FAINT),
    span(presence, ONLINE),
    span(shown, unread > 0 ? STRONG : undefined),
    span(count, UNREAD),
    span(" "),
  ];
}

function statusRow(model: Model): Row {
  const { connection, size, me } = model;
  const { columns } = size;
  if (connection?.state === "lost") {
    const { host, why } = connection;
    const text = ` No connection to ${printable(host)}: ${printable(why)}. Trying on…`;
    return [span(padToColumns(text, columns), TROUBLE)];
  }
  if (model.isSilent && connection !== undefined) {
    const text = ` ${printable(connection.node)} has not answered for a while. Waiting…`;
    return [span(padToColumns(text, columns), TROUBLE)];
  }
  const unread = model.conversations
    .filter(({ name }) => name !== model.open)
    .reduce((sum, one) => sum + one.unread, 0);
  const right = unread === 0 ? "" : `${unread} unread `;
  const who = me === undefined ? " not signed in" : ` ${printable(me)}`;
  const left = connection === undefined ? who : `${who} on ${printable(connection.node)}`;
  const text = cutToColumns(
    left + nodesText(model, columns),
    Math.max(1, columns - columnsOf(right) - 1),
  );
  const padding = " ".repeat(Math.max(0, columns - columnsOf(text) - columnsOf(right)));
  return [span(text + padding, BAR), span(right, { ...BAR, isBold: true })];
}

/** What its node knows of the others, as far as there could be room. */
function nodesText({ status, connection }: Model, columns: number): string {
  if (status === undefined || connection?.state !== "connected") return "";
  return status.peers.slice(0, columns)
    .map(({ name, state }) => `  ${printable(name)} ${NODE_STATES[state]}`)
    .join("");
}

const NODE_STATES = { connected: "✓", catching_up: "catching up", unreachable: "unreachable" };
