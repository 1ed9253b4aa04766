import type { Position } from "./conversation.ts";

/** What is to be done outside of the model. */
export type Effect = LocalEffect | ServerEffect;

/** What no server is needed for. */
export type LocalEffect =
  | { readonly kind: "notify"; readonly from: string; readonly text: string }
  | { readonly kind: "remember_input"; readonly text: string }
  /** To what was asked; undefined if the person will not say. */
  | { readonly kind: "answer"; readonly text: string | undefined }
  | { readonly kind: "redraw" }
  | { readonly kind: "leave"; readonly why: "end" | "interrupt" };

/** What a server is asked for, or told. */
export type ServerEffect =
  | { readonly kind: "load_conversations" }
  /** `number` comes back with the page. */
  | {
    readonly kind: "load_messages";
    readonly number: number;
    readonly with: string;
    readonly position: Position;
    readonly limit: number;
  }
  | {
    readonly kind: "send";
    readonly number: number;
    readonly to: string;
    readonly content: string;
  }
  /** All that a friend sent, or some. */
  | { readonly kind: "mark_read"; readonly which: string | readonly string[] }
  /** Finds out whose name the text begins with. */
  | { readonly kind: "address"; readonly text: string }
  | { readonly kind: "list_people"; readonly pattern: string }
  /** `typed`: what the names are to complete. */
  | { readonly kind: "find_names"; readonly prefix: string; readonly typed: string }
  | { readonly kind: "search"; readonly text: string; readonly before: string | undefined }
  | { readonly kind: "ask_status"; readonly isForPerson: boolean }
  /** Asks first. */
  | { readonly kind: "delete_message"; readonly id: string; readonly shown: string }
  | { readonly kind: "change_password" }
  /** Asks first. */
  | { readonly kind: "delete_account" };
