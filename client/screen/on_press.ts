import { andThen, type Change, changed, say } from "./change.ts";
import { complete } from "./completion.ts";
import type { Conversation } from "./conversation.ts";
import { editKey, type Editor, insertText } from "./editor.ts";
import { geometryOf, hasRoomForList, messageView, textRows } from "./geometry.ts";
import { inputKey } from "./input_history.ts";
import { actionOf, type KeyAction, KEYMAP } from "./keymap.ts";
import type { Press } from "./keys.ts";
import {
  jump,
  listConversations,
  loadAhead,
  open,
  openPerson,
  readOpen,
  toBeginning,
  toEnd,
  toUnreadLine,
} from "./load.ts";
import {
  changeConversation,
  type Model,
  openConversation,
  type Panel,
  type Question,
  withPanel,
} from "./model.ts";
import { deletionOf, onEntered } from "./on_entered.ts";
import { searchOn } from "./on_reply.ts";
import { scrolled, showing } from "./scroll.ts";

/** What a key does; `key` tells those apart that do it together. */
type Action = (model: Model, nowMs: number, key: string) => Change;

const actions: { readonly [action in KeyAction]: Action } = {
  enter: onEntered,
  complete,
  next_unread: openNextUnread,
  numbered(model, nowMs, key) {
    const { keys } = KEYMAP.numbered;
    const conversation = model.conversations[keys.indexOf(key)];
    return conversation === undefined ? changed(model) : open(model, conversation.name, nowMs);
  },
  previous: (model, nowMs) => openBeside(model, nowMs, -1),
  next: (model, nowMs) => openBeside(model, nowMs, 1),
  page_up: (model) => scroll(model, -pageRows(model)),
  page_down: (model) => scroll(model, pageRows(model)),
  unread_line: toUnreadLine,
  beginning: toBeginning,
  end: toEnd,
  list(model) {
    const isWanted = geometryOf(model).listColumns === 0;
    const isUsual = isWanted === hasRoomForList(model.size);
    return changed({ ...model, isListShown: isUsual ? undefined : isWanted });
  },
  back,
  redraw: (model) => changed(model, { kind: "redraw" }),
  leave,
};

/** What a person did at the keyboard. */
export function onPress(model: Model, press: Press, nowMs: number): Change {
  if (model.question !== undefined) return onAnswering(model, model.question, press);
  const heard: Model = { ...model, notice: undefined };
  if (press.kind !== "key") {
    // Before sign-in there is nobody to say it to.
    if (heard.me === undefined) return changed(heard);
    // What is typed while a message is chosen is no message.
    if (heard.chosen !== undefined) return changed(heard);
    return changed({ ...heard, editor: insertText(heard.editor, press.text) });
  }
  const { key } = press;
  const action = actionOf(key);
  if (heard.me === undefined) return action === "leave" ? leave(heard) : changed(heard);
  if (heard.chosen !== undefined) return onChoosing(heard, heard.chosen, key);
  if (heard.panel !== undefined && heard.editor.text === "") {
    const change = onPanelKey(heard, heard.me, heard.panel, key, nowMs);
    if (change !== undefined) return change;
  }
  const isDeleting = key === "ctrl+d" && heard.editor.text !== "";
  if (action !== undefined && !isDeleting) return actions[action](heard, nowMs, key);
  // An escape and what was typed right after it look like one key.
  const [, after] = /^alt\+(.)$/su.exec(key) ?? [];
  if (after !== undefined && editKey(heard.editor, key) === undefined) {
    return andThen(back(heard), (model) => onPress(model, { kind: "text", text: after }, nowMs));
  }
  const input = inputKey({ editor: heard.editor, history: heard.inputs }, key);
  return changed(
    input === undefined ? heard : { ...heard, editor: input.editor, inputs: input.history },
  );
}

/** What is typed answers a question. */
function onAnswering(model: Model, question: Question, press: Press): Change {
  const change = (editor: Editor) => changed({ ...model, question: { ...question, editor } });
  if (press.kind !== "key") return change(insertText(question.editor, oneLine(press.text)));
  const { key } = press;
  const isLeaving = actionOf(key) === "leave" && (key === "ctrl+c" || question.editor.text === "");
  if (isLeaving && model.me === undefined) return leave(model, 0, key);
  if (isLeaving || key === "escape" && model.me !== undefined) {
    return changed({ ...model, question: undefined }, { kind: "answer", text: undefined });
  }
  if (key === "enter") {
    const { text } = question.editor;
    return changed({ ...model, question: undefined }, { kind: "answer", text });
  }
  return change(editKey(question.editor, key) ?? question.editor);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").trimEnd();
}

/** What keys do while a message is being chosen to be deleted. */
function onChoosing(model: Model, chosen: string, key: string): Change {
  const conversation = openConversation(model);
  const messages = conversation?.stretch?.messages ?? [];
  const at = messages.findIndex(({ id }) => id === chosen);
  const by = STEPS.get(key) ?? 0;
  const next = messages[Math.min(Math.max(at + by, 0), messages.length - 1)];
  if (conversation === undefined || next === undefined) {
    return changed({ ...model, chosen: undefined });
  }
  if (key === "enter" || key === "delete") return changed(model, deletionOf(next));
  if (by === 0) return changed({ ...model, chosen: undefined });
  const see = (one: Conversation): Conversation => ({
    ...one,
    anchor: showing(one, messageView(model), next.id),
  });
  const moved = changeConversation(model, conversation.name, see);
  return andThen(changed({ ...moved, chosen: next.id }), loadAhead);
}

const STEPS = new Map([["up", -1], ["down", 1], ["pageup", -10], ["pagedown", 10]]);

/** What keys do in a panel; undefined: what they do without. */
function onPanelKey(
  model: Model,
  me: string,
  panel: Panel,
  key: string,
  nowMs: number,
): Change | undefined {
  const { rows, columns } = geometryOf(model);
  const by = new Map([["up", -1], ["down", 1], ["pageup", 1 - rows], ["pagedown", rows - 1]])
    .get(key);
  if (panel.kind === "text") {
    if (by === undefined) return undefined;
    const { length } = textRows(panel.lines, columns);
    const top = Math.max(0, Math.min(panel.top + by, length - rows));
    return changed({ ...model, panel: { ...panel, top } });
  }
  const items = panel.kind === "people" ? panel.people : panel.messages;
  if (by !== undefined) {
    const selected = Math.max(0, Math.min(panel.selected + by, items.length - 1));
    return searchOn({ ...model, panel: { ...panel, selected } });
  }
  if (key !== "enter") return undefined;
  if (panel.kind === "people") {
    const person = panel.people[panel.selected];
    return person === undefined ? undefined : openPerson(model, person, nowMs);
  }
  const message = panel.messages[panel.selected];
  return message === undefined ? undefined : jump(model, me, message, nowMs);
}

function openNextUnread(model: Model, nowMs: number): Change {
  const { conversations } = model;
  const at = conversations.findIndex(({ name }) => name === model.open);
  const inOrder = [...conversations.slice(at + 1), ...conversations.slice(0, at + 1)];
  const found = inOrder.find(({ unread }) => unread > 0);
  return found === undefined ? say(model, "Nothing is unread") : open(model, found.name, nowMs);
}

function openBeside(model: Model, nowMs: number, by: number): Change {
  const { conversations } = model;
  if (conversations.length === 0) return changed(model);
  const at = conversations.findIndex(({ name }) => name === model.open);
  const next = at < 0 ? 0 : (at + by + conversations.length) % conversations.length;
  const conversation = conversations[next];
  return conversation === undefined ? changed(model) : open(model, conversation.name, nowMs);
}

/** One row stays in sight. */
function pageRows(model: Model): number {
  return Math.max(1, geometryOf(model).rows - 1);
}

function scroll(model: Model, by: number): Change {
  const conversation = openConversation(model);
  if (conversation === undefined) return changed(model);
  const anchor = scrolled(conversation, messageView(model), by);
  const after = changeConversation(model, conversation.name, (one) => ({ ...one, anchor }));
  return andThen(readOpen(after), loadAhead);
}

/** Back to the messages; then what stands out among them, and what was not sent, goes. */
function back(model: Model): Change {
  if (model.panel !== undefined) return readOpen(withPanel(model, undefined));
  const after = changeConversation(model, model.open ?? "", (one) => ({
    ...one,
    marked: undefined,
    pending: one.pending.filter(({ failure }) => failure === undefined),
  }));
  const hasRefused = openConversation(model)?.pending.some(({ failure }) => failure !== undefined);
  // The conversation stood where its last message would.
  return hasRefused ? listConversations(after) : changed(after);
}

/** What is typed and was not sent can be recalled the next time. */
function leave(model: Model, _nowMs = 0, key = "ctrl+c"): Change {
  const { text } = model.editor;
  const kept = text.trim() === "" ? [] : [{ kind: "remember_input", text } as const];
  const why = key === "ctrl+d" ? "end" : "interrupt";
  return changed(model, ...kept, { kind: "leave", why });
}
