import type { ChatConversation, ChatMessage, ChatUser, NodeStatus } from "../../codec/message.ts";
import type { ClientEvent, ConnectionState, Sent } from "../connection.ts";
import { andThen, type Change, changed, say } from "./change.ts";
import { completeName } from "./completion.ts";
import { EMPTY_EDITOR } from "./editor.ts";
import { EMPTY_HISTORY, remember } from "./input_history.ts";
import type { Press } from "./keys.ts";
import { listConversations, loadAhead, onPage, onPageFailed, type Page } from "./load.ts";
import { type Model, NOTHING_MEANWHILE, type Panel, type Size } from "./model.ts";
import { NO_CONNECTION, onAddressed, onNotAddressed } from "./on_entered.ts";
import { onEvent } from "./on_event.ts";
import { onPress } from "./on_press.ts";
import {
  onConversations,
  onFound,
  onNotFound,
  onNotSent,
  onPeople,
  onSent,
  onStatus,
} from "./on_reply.ts";

/** Whatever a screen has to go along with. */
export type Happening =
  | { readonly kind: "pressed"; readonly press: Press }
  | { readonly kind: "resized"; readonly size: Size }
  /** The person is told, or asked, something by whoever talks with them. */
  | { readonly kind: "told"; readonly lines: readonly string[] }
  | { readonly kind: "asked"; readonly text: string; readonly isHidden: boolean }
  | { readonly kind: "signed_in"; readonly me: string; readonly inputs: readonly string[] }
  | { readonly kind: "event"; readonly event: ClientEvent }
  | { readonly kind: "connection"; readonly state: ConnectionState }
  | { readonly kind: "conversations"; readonly listed: readonly ChatConversation[] }
  | { readonly kind: "no_conversations"; readonly why: string }
  | ({ readonly kind: "page" } & Page)
  | {
    readonly kind: "no_page";
    readonly number: number;
    readonly with: string;
    readonly why: string;
  }
  | { readonly kind: "sent"; readonly number: number; readonly to: string; readonly sent: Sent }
  | {
    readonly kind: "not_sent";
    readonly number: number;
    readonly to: string;
    readonly why: string;
  }
  /** `text`: what the person was looked up by. */
  | {
    readonly kind: "addressed";
    readonly text: string;
    readonly person: ChatUser;
    readonly content: string;
  }
  | { readonly kind: "not_addressed"; readonly text: string; readonly why: string }
  | { readonly kind: "people"; readonly pattern: string; readonly people: readonly ChatUser[] }
  | {
    readonly kind: "names";
    readonly prefix: string;
    readonly typed: string;
    readonly names: readonly string[];
  }
  | {
    readonly kind: "found";
    readonly text: string;
    readonly messages: readonly ChatMessage[];
    readonly next: string | undefined;
  }
  | { readonly kind: "not_found"; readonly why: string }
  /** The node that was asked for its status has not answered. */
  | { readonly kind: "silent" }
  | { readonly kind: "status"; readonly status: NodeStatus; readonly isForPerson: boolean };

/** A screen on which nobody is signed in. */
export function firstModel(size: Size, intro: readonly string[] = []): Model {
  return {
    size,
    me: undefined,
    intro,
    told: intro,
    toldBefore: intro.length,
    question: undefined,
    editor: EMPTY_EDITOR,
    inputs: EMPTY_HISTORY,
    conversations: [],
    open: undefined,
    address: undefined,
    panel: undefined,
    chosen: undefined,
    notice: undefined,
    connection: undefined,
    isSilent: false,
    status: undefined,
    isListShown: undefined,
    listing: "none",
    meanwhile: NOTHING_MEANWHILE,
    lastNumber: 0,
  };
}

/** The one place where the model changes: what it becomes, and what is to be done. */
export function update(model: Model, happening: Happening, nowMs: number): Change {
  switch (happening.kind) {
    case "pressed":
      return onPress(model, happening.press, nowMs);
    case "resized":
      return loadAhead({ ...model, size: happening.size });
    case "told":
      return onTold(model, happening.lines);
    case "asked": {
      const { text, isHidden } = happening;
      const question = { text, isHidden, editor: EMPTY_EDITOR };
      return changed({ ...model, question, toldBefore: model.told.length });
    }
    case "signed_in": {
      const { me, inputs } = happening;
      const news = model.told.slice(model.toldBefore);
      const notice = news.length === 0 ? undefined : news.join("\n");
      const panel = model.intro.length === 0 ? undefined : introPanel(model.intro);
      return askAgain({
        ...model,
        me,
        inputs: inputs.reduce(remember, EMPTY_HISTORY),
        notice,
        panel,
      });
    }
    case "connection":
      return onConnection(model, happening.state);
    default:
      return model.me === undefined ? changed(model) : onSession(model, model.me, happening, nowMs);
  }
}

type BeforeSignIn = "pressed" | "resized" | "told" | "asked" | "signed_in" | "connection";

/** What only happens to somebody who is signed in: `me`. */
function onSession(
  model: Model,
  me: string,
  happening: Exclude<Happening, { kind: BeforeSignIn }>,
  nowMs: number,
): Change {
  switch (happening.kind) {
    case "event":
      return onEvent(model, me, happening.event);
    case "conversations":
      return onConversations(model, happening.listed);
    case "no_conversations":
      return say({ ...model, listing: "none" }, happening.why);
    case "page":
      return onPage(model, me, happening);
    case "no_page":
      return say(onPageFailed(model, happening.with, happening.number), happening.why);
    case "sent":
      return onSent(model, me, happening);
    case "not_sent":
      return onNotSent(model, happening);
    case "addressed":
      return onAddressed(model, { ...happening, nowMs });
    case "not_addressed":
      return onNotAddressed(model, happening.text, happening.why);
    case "people":
      return onPeople(model, happening.pattern, happening.people);
    case "names":
      return completeName(model, happening);
    case "found":
      return onFound(model, happening);
    case "not_found":
      return onNotFound(model, happening.why);
    case "silent":
      return changed({ ...model, isSilent: true });
    case "status":
      return onStatus(model, happening.status, happening.isForPerson);
    default:
      return happening satisfies never;
  }
}

/** What no event tells. */
function askAgain(model: Model): Change {
  return andThen(
    listConversations(model),
    (after) => changed(after, { kind: "ask_status", isForPerson: false }),
  );
}

function introPanel(lines: readonly string[]): Panel {
  return { kind: "text", title: "Welcome", lines, top: 0 };
}

function onTold(model: Model, lines: readonly string[]): Change {
  if (model.me !== undefined) return say(model, lines.join("\n"));
  return changed({ ...model, told: [...model.told, ...lines] });
}

function onConnection(model: Model, state: ConnectionState): Change {
  switch (state.state) {
    case "connected": {
      const { node, host } = state;
      const connection = { state: "connected", node, host } as const;
      const after: Model = { ...model, connection, isSilent: false };
      return model.me === undefined ? changed(after) : askAgain(after);
    }
    case "lost": {
      const { host, why } = state;
      const lost: Model = { ...model, connection: { state: "lost", host, why } };
      const { address } = lost;
      return address === undefined
        ? changed(lost)
        : onNotAddressed(lost, address.text, NO_CONNECTION);
    }
    case "ended":
      return changed(model);
    default:
      return state satisfies never;
  }
}
