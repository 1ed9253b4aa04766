import type { ChatUser } from "../../codec/message.ts";
import { printable } from "../../codec/printable.ts";
import { CONTENT_BYTES_MAX } from "../connection.ts";
import {
  messageOf,
  noSuchSlash,
  parseSlash,
  type ScreenSlashName,
  slashHelp,
  slashNames,
} from "../slash/slash_table.ts";
import { cutToColumns } from "../text/columns.ts";
import { andThen, type Change, changed, say } from "./change.ts";
import type { Pending, Shown } from "./conversation.ts";
import { EMPTY_EDITOR, withText } from "./editor.ts";
import type { Effect } from "./effect.ts";
import { enterInput } from "./input_history.ts";
import { keyHelp } from "./keymap.ts";
import { open, openPerson, readOpen, toEnd } from "./load.ts";
import {
  awaitAnswer,
  changeConversation,
  leaveConversation,
  type Model,
  openConversation,
  type Panel,
  withPanel,
} from "./model.ts";

/** Of a message that is asked about. */
const EXCERPT_COLUMNS = 40;

/** Called with what follows the command's name. */
type Handler = (model: Model, text: string, nowMs: number) => Change;

const handlers: { readonly [name in ScreenSlashName]: Handler } = {
  help: (model) => changed(withPanel(model, helpPanel())),
  msg: message,
  users: (model, text) => changed(model, { kind: "list_people", pattern: text || "*" }),
  search,
  delete: chooseMessage,
  close: (model) => changed(leaveConversation(model)),
  password: (model) => changed(model, { kind: "change_password" }),
  "delete-account": (model) => changed(model, { kind: "delete_account" }),
  status: (model) => changed(model, { kind: "ask_status", isForPerson: true }),
  quit: (model) => changed(model, { kind: "leave", why: "end" }),
};

/** Commands that are nothing without a server. */
const NEED_SERVER: ReadonlySet<ScreenSlashName> = new Set(
  ["users", "search", "delete", "password", "delete-account", "status"] as const,
);

export const NO_CONNECTION = "There is no connection: try again when there is one";

/** What the person entered: a message, or a command. It stays typed if it leads to nothing. */
export function onEntered(model: Model, nowMs: number): Change {
  const { text } = model.editor;
  if (text.trim() === "") return changed(model);
  const obstacle = obstacleTo(model, text);
  if (obstacle !== undefined) return say(model, obstacle);
  return andThen(taken(model, text), (after) => follow(after, text, nowMs));
}

/** Why a line leads to nothing. */
function obstacleTo(model: Model, line: string): string | undefined {
  const command = parseSlash(line);
  if (command === undefined) {
    const bytes = new TextEncoder().encode(line).length;
    if (bytes > CONTENT_BYTES_MAX) {
      return `A message has at most ${CONTENT_BYTES_MAX} bytes, and this one has ${bytes}`;
    }
    return model.open === undefined && model.address === undefined
      ? "Nobody to send it to: /msg NAME opens a conversation"
      : undefined;
  }
  const name = slashNames("screen").find((one) => one === command.given);
  if (name === undefined) return noSuchSlash(printable(command.given));
  if (model.connection?.state !== "lost") return undefined;
  const isKnown = name !== "msg" || knownAddressee(model, command.text) !== undefined;
  return NEED_SERVER.has(name) || !isKnown ? NO_CONNECTION : undefined;
}

/** Does what a line says that was taken. */
function follow(model: Model, line: string, nowMs: number): Change {
  const command = parseSlash(line);
  const name = slashNames("screen").find((one) => one === command?.given);
  const { address } = model;
  // It is for somebody who is being looked up, not for whom is still open.
  if (address !== undefined && name !== "quit") {
    return changed({ ...model, address: { ...address, waiting: [...address.waiting, line] } });
  }
  if (command !== undefined && name !== undefined) {
    return handlers[name](model, command.text, nowMs);
  }
  if (model.open === undefined) return changed(model);
  const content = messageOf(line).replace(/\n+$/, "");
  return send({ ...model, panel: undefined }, model.open, content, nowMs);
}

/** Opens a conversation: names may hold spaces, so it takes the server to tell where one ends. */
function message(model: Model, text: string, nowMs: number): Change {
  if (text === "") return say(model, "/msg NAME [TEXT]");
  const known = knownAddressee(model, text);
  if (known === text || known !== undefined && model.connection?.state === "lost") {
    const content = text.slice(known.length).trim();
    return andThen(
      open(model, known, nowMs),
      (after) => content === "" ? changed(after) : send(after, known, content, nowMs),
    );
  }
  return changed({ ...model, address: { text, waiting: [] } }, { kind: "address", text });
}

/** The longest name of a conversation that the text begins with. */
function knownAddressee({ conversations }: Model, text: string): string | undefined {
  return conversations.map(({ name }) => name)
    .filter((name) => text === name || /^\s/.test(text.slice(name.length)) && text.startsWith(name))
    .sort((a, b) => b.length - a.length)[0];
}

/** Whose name a text began with, and what followed it. */
export function onAddressed(
  model: Model,
  { text, person, content, nowMs }: {
    readonly text: string;
    readonly person: ChatUser;
    readonly content: string;
    readonly nowMs: number;
  },
): Change {
  const { address } = model;
  // The person has been told that it came to nothing.
  if (address?.text !== text) return changed(model);
  // What is being typed is for them, not for whom was open.
  const { editor } = model;
  const left = leaveConversation({ ...model, address: undefined, editor: EMPTY_EDITOR });
  const opened = openPerson({ ...left, editor }, person, nowMs);
  const sent = content === ""
    ? opened
    : andThen(opened, (after) => send(after, person.name, content, nowMs));
  const { waiting } = address;
  return waiting.reduce((done, line) => andThen(done, (after) => follow(after, line, nowMs)), sent);
}

/** Nobody has that name, or nobody knows: what was entered since is typed again. */
export function onNotAddressed(model: Model, text: string, why: string): Change {
  const { address, editor } = model;
  if (address?.text !== text) return changed(model);
  const typed = [...address.waiting, editor.text].filter((line) => line !== "").join("\n");
  return say({ ...model, address: undefined, editor: withText(editor, typed) }, why);
}

/** Sends to somebody: it stands in their conversation from now on. */
export function send(model: Model, to: string, content: string, nowMs: number): Change {
  const number = model.lastNumber + 1;
  const pending: Pending = { number, content, time: nowMs };
  const after = changeConversation(model, to, (one) => ({
    ...one,
    time: Math.max(one.time, nowMs),
    pending: [...one.pending, pending],
    unreadLine: undefined,
  }));
  const sent = changed({ ...awaitAnswer(after), lastNumber: number }, {
    kind: "send",
    number,
    to,
    content,
  });
  return model.open === to ? andThen(sent, toEnd) : sent;
}

/** The input is empty again, and what was typed can be recalled. */
function taken(model: Model, text: string): Change {
  const { editor, history } = enterInput({ editor: model.editor, history: model.inputs });
  return changed({ ...model, editor, inputs: history }, { kind: "remember_input", text });
}

function helpPanel(): Panel {
  const lines = [
    ...slashHelp("screen"),
    "",
    ...keyHelp(),
    "",
    "What begins with no slash is sent to the open conversation.",
  ];
  return { kind: "text", title: "Help", lines, top: 0 };
}

function search(model: Model, text: string): Change {
  if (text === "") return say(model, "/search WORDS finds messages that hold all of them");
  const panel: Panel = {
    kind: "found",
    text,
    messages: [],
    selected: 0,
    isSearching: true,
    next: undefined,
  };
  return changed(
    awaitAnswer(withPanel(model, panel)),
    { kind: "search", text, before: undefined },
  );
}

/** Begins to choose the message that is to be deleted, or takes the Nth from below. */
function chooseMessage(model: Model, text: string): Change {
  const messages = openConversation(model)?.stretch?.messages ?? [];
  if (messages.length === 0) return say(model, "There is no message to delete here");
  const nth = text === "" ? 1 : Number(text);
  const chosen = messages.at(-nth);
  if (!Number.isInteger(nth) || nth < 1 || chosen === undefined) {
    return say(model, "/delete lets you choose, /delete N is the Nth message from below");
  }
  if (text !== "") return changed(withPanel(model, undefined), deletionOf(chosen));
  return readOpen({ ...withPanel(model, undefined), chosen: chosen.id });
}

/** Asks before it deletes. */
export function deletionOf({ id, content }: Shown): Effect {
  const shown = cutToColumns(printable(content.replaceAll(/\s+/g, " ")), EXCERPT_COLUMNS);
  return { kind: "delete_message", id, shown };
}
