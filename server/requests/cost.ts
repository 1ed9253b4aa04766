import type { RequestPayload } from "../../codec/message.ts";
import type { Account } from "../core/account_table.ts";
import type { RequestContext } from "./context.ts";
import { findUser } from "./message.ts";

/** What counts as one message: about a KiB of the journal, begun. */
const CONTENT_UNITS = 1024;
const IDS = 25;
/** To be told to so many connections costs as much again: nobody has as many devices. */
const TOLD_CONNECTIONS = 10;

export function costOfSending(
  { state, connectionsOf }: RequestContext,
  { to, content }: RequestPayload<"send_message">,
  account: Account,
): number {
  const friend = findUser(state, to);
  const told = connectionsOf(account) + (friend === undefined ? 0 : connectionsOf(friend));
  const times = Math.max(1, Math.floor(told / TOLD_CONNECTIONS));
  return times * (1 + Math.floor(content.length / CONTENT_UNITS));
}

export function costOfReading(
  { state }: RequestContext,
  which: RequestPayload<"read_messages">,
  account: Account,
): number {
  if (typeof which !== "string") return costOfIds(which.length);
  const friend = findUser(state, which);
  const conversation = friend === undefined ? undefined : state.conversation(account, friend);
  return costOfIds(conversation?.unreadBy(account.number) ?? 0);
}

export function costOfDeleting(_context: RequestContext, ids: readonly string[]): number {
  return costOfIds(ids.length);
}

function costOfIds(count: number): number {
  return 1 + Math.floor(count / IDS);
}
