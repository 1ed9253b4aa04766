import {
  type ChatUser,
  LIST_ITEMS_MAX,
  PAYLOAD_BYTES_MAX,
  type RequestPayload,
} from "../../codec/message.ts";
import type { Account } from "../core/account_table.ts";
import { type Outcome, refuse, type RequestContext } from "./context.ts";

/** Longest pattern, in UTF-16 code units: a name, and some stars. */
const PATTERN_UNITS_MAX = 256;
/** What a listed user takes besides the name, in bytes. */
const LISTED_BYTES = 64;

/** Users by name, oneself included: who matches, and what they wrote that I have not read. */
export function listUsers(
  context: RequestContext,
  { pattern = "*", after, limit = LIST_ITEMS_MAX }: RequestPayload<"list_users">,
  account: Account,
): Outcome {
  if (pattern.length > PATTERN_UNITS_MAX) {
    return refuse("bad_request", `a pattern has at most ${PATTERN_UNITS_MAX} characters`);
  }
  const matches = wildcard(pattern.normalize("NFC"));
  const { accounts } = context.state;
  const found: { name: string; friend: Account }[] = [];
  for (const friend of accounts.allExisting()) {
    const name = accounts.nameOf(friend);
    if ((after === undefined || name > after) && matches(name)) found.push({ name, friend });
  }
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  const listed: ChatUser[] = [];
  let bytesLeft = PAYLOAD_BYTES_MAX - 5;
  for (const { name, friend } of found.slice(0, Math.min(Math.max(limit, 0), LIST_ITEMS_MAX))) {
    bytesLeft -= LISTED_BYTES + name.length * 3;
    if (bytesLeft < 0) break;
    const conversation = context.state.conversation(account, friend);
    const unread = conversation?.unreadBy(account.number) ?? 0;
    listed.push({ name, unread, online: context.isOnline(friend) });
  }
  return { kind: "users", payload: listed };
}

/**
 * Whether a name matches a pattern in which `*` stands for any characters. Greedy from the left,
 * which is enough for stars alone, and takes time linear in the name, whatever the pattern.
 */
export function wildcard(pattern: string): (name: string) => boolean {
  const [start = "", ...rest] = pattern.split("*");
  const end = rest.pop();
  if (end === undefined) return (name) => name === pattern;
  return (name) => {
    if (!name.startsWith(start) || !name.endsWith(end)) return false;
    let at = start.length;
    for (const part of rest) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= name.length - end.length;
  };
}
