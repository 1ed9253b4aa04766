import { LIST_ITEMS_MAX, type RequestPayload } from "../../codec/message.ts";
import type { Account } from "../core/account_table.ts";
import type { Row } from "../core/message_table.ts";
import { searchNewestFirst, wordsOf } from "../core/search.ts";
import { type Outcome, refuse, type RequestContext } from "./context.ts";
import { describeMessage, findPlace, findUser, noSuchUser } from "./message.ts";
import { MessagePage } from "./message_page.ts";

/** Longest text to search for, in UTF-16 code units. */
export const QUERY_UNITS_MAX = 256;
/** Most words to search for at once. */
export const QUERY_WORDS_MAX = 16;

/** The newest messages of one's own in which every word of a text occurs. */
export function searchMessages(
  context: RequestContext,
  { text, with: name, before, limit = LIST_ITEMS_MAX }: RequestPayload<"search_messages">,
  account: Account,
): Outcome {
  const { state } = context;
  if (text.length > QUERY_UNITS_MAX) {
    return refuse("bad_query", `a text to search for has at most ${QUERY_UNITS_MAX} characters`);
  }
  const words = wordsOf(text);
  if (words.length === 0 || words.length > QUERY_WORDS_MAX) {
    return refuse("bad_query", `a text to search for has 1 to ${QUERY_WORDS_MAX} words`);
  }
  if (limit < 1) return refuse("bad_query", "a limit is 1 or more");
  const friend = name === undefined ? undefined : findUser(state, name);
  if (name !== undefined && friend === undefined) return noSuchUser(name);
  const isMine = (row: Row) =>
    [state.messages.senderOf(row), state.messages.recipientOf(row)].includes(account.number);
  const place = before === undefined ? undefined : findPlace(state, before, isMine);
  if (before !== undefined && place === undefined) {
    return refuse("no_such_message", "`before` is no message of yours");
  }
  const rows = friend === undefined ? account.mailbox : state.conversation(account, friend);
  const page = new MessagePage(limit);
  const stoppedAt = rows && searchNewestFirst(
    state.messages,
    rows,
    { words, before: place },
    (row) => page.add(describeMessage(state, row)),
  );
  const { messages } = page;
  if (stoppedAt === undefined) return { kind: "found", payload: { messages } };
  return { kind: "found", payload: { messages, next: state.messages.idOf(stoppedAt) } };
}
