import { type ChatConversation, LIST_ITEMS_MAX, type RequestPayload } from "../../codec/message.ts";
import type { Account } from "../core/account_table.ts";
import type { Row } from "../core/message_table.ts";
import type { Outcome, RequestContext } from "./context.ts";

/** Whom `account` has messages with, oneself included: those with the latest message first. */
export function listConversations(
  { state, isOnline }: Pick<RequestContext, "state" | "isOnline">,
  { limit = LIST_ITEMS_MAX }: RequestPayload<"list_conversations">,
  account: Account,
): Outcome {
  const { accounts, messages } = state;
  const all: Listed[] = [];
  for (const [number, conversation] of account.conversations) {
    const friend = accounts.at(number);
    const { newest } = conversation;
    // Somebody whose messages came before the creation of their account has no name yet.
    if (newest === undefined || accounts.existing(friend.id) === undefined) continue;
    const unread = conversation.unreadBy(account.number);
    all.push({ friend, newest, timeMs: messages.timeMsOf(newest), unread });
  }
  all.sort((a, b) => b.timeMs - a.timeMs || messages.compare(b.newest, a.newest));
  const listed = all.slice(0, Math.min(Math.max(limit, 0), LIST_ITEMS_MAX)).map(
    ({ friend, timeMs: time, unread }): ChatConversation => {
      return { name: accounts.nameOf(friend), unread, online: isOnline(friend), time };
    },
  );
  return { kind: "conversations", payload: listed };
}

interface Listed {
  readonly friend: Account;
  readonly newest: Row;
  readonly timeMs: number;
  readonly unread: number;
}
