import { printable } from "../../codec/printable.ts";
import { SLASH_COMMANDS, slashNames } from "../slash/slash_table.ts";
import { type Change, changed, say } from "./change.ts";
import { type Editor, editorOf, insertText } from "./editor.ts";
import type { Model } from "./model.ts";

/** Names that are shown when several fit. */
const SHOWN_MAX = 12;

/** What is being typed that can be completed. */
type Typed =
  | { readonly kind: "command"; readonly prefix: string }
  /** After a command that takes a name. */
  | { readonly kind: "name"; readonly prefix: string }
  /** In a message. */
  | { readonly kind: "word"; readonly prefix: string };

/** Completes what stands before the cursor, as far as only one thing fits. */
export function complete(model: Model): Change {
  const { editor } = model;
  const typed = typedIn(editor);
  if (typed === undefined) return changed(model);
  switch (typed.kind) {
    case "command": {
      const names = slashNames("screen").filter((name) => name.startsWith(typed.prefix));
      return completeWith(model, typed.prefix, names, "/");
    }
    case "name":
      // Others than those one talks with may be meant.
      return changed(model, { kind: "find_names", prefix: typed.prefix, typed: editor.text });
    case "word":
      return completeWith(model, typed.prefix, namesLike(model, typed.prefix), "");
    default:
      return typed satisfies never;
  }
}

/** Names have come for what was typed then. */
export function completeName(
  model: Model,
  { typed, prefix, names }: {
    readonly typed: string;
    readonly prefix: string;
    readonly names: readonly string[];
  },
): Change {
  if (model.editor.text !== typed) return changed(model);
  const all = new Set([...namesLike(model, prefix), ...names]);
  return completeWith(model, prefix, [...all].sort(), "");
}

function typedIn({ text, cursor }: Editor): Typed | undefined {
  const before = text.slice(0, cursor);
  const command = /^\/(\S*)$/.exec(before)?.[1];
  if (command !== undefined) return { kind: "command", prefix: command };
  const [, name, operand = ""] = /^\/(\S+) +(.*)$/s.exec(before) ?? [];
  const row = slashNames("screen").find((one) => one === name);
  if (row !== undefined) {
    return "completes" in SLASH_COMMANDS[row] ? { kind: "name", prefix: operand } : undefined;
  }
  const [word = ""] = /\S*$/.exec(before) ?? [];
  return word === "" ? undefined : { kind: "word", prefix: word };
}

function namesLike({ conversations }: Model, prefix: string): string[] {
  const wanted = prefix.toLowerCase();
  return conversations.map(({ name }) => name)
    .filter((name) => name.toLowerCase().startsWith(wanted));
}

function completeWith(
  model: Model,
  prefix: string,
  names: readonly string[],
  mark: string,
): Change {
  const [first] = names;
  if (first === undefined) return say(model, "Nothing begins like that");
  if (names.length === 1) return changed(replaced(model, prefix, `${first} `));
  const common = commonPrefix(names);
  const shown = names.slice(0, SHOWN_MAX).map((name) => mark + printable(name)).join("  ");
  const more = names.length > SHOWN_MAX ? "  …" : "";
  const after = common.length > prefix.length ? replaced(model, prefix, common) : model;
  return say(after, shown + more);
}

function commonPrefix(names: readonly string[]): string {
  const [first = ""] = names;
  let length = first.length;
  for (const name of names) {
    while (!name.toLowerCase().startsWith(first.slice(0, length).toLowerCase())) length--;
  }
  return first.slice(0, length);
}

function replaced(model: Model, prefix: string, by: string): Model {
  const { text, cursor } = model.editor;
  const rest = text.slice(cursor);
  const head = editorOf(text.slice(0, cursor - prefix.length) + by);
  const editor = { ...insertText(head, rest), cursor: head.cursor };
  return { ...model, editor };
}
