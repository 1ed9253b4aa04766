import type { ChatMessage } from "../../../codec/message.ts";
import { checkConversation } from "./explain.ts";
import type { History } from "./history.ts";

/** What one person has on one node. */
export interface Mailbox {
  readonly node: string;
  readonly person: string;
  /** By friend, each from its beginning. */
  readonly conversations: ReadonlyMap<string, readonly ChatMessage[]>;
  /** By friend, how many of theirs are unread, as USERS says. */
  readonly unread: ReadonlyMap<string, number>;
}

/** Reports what a mailbox has that the history does not explain, and where it contradicts itself. */
export function checkMailbox(mailbox: Mailbox, history: History): void {
  const { node, person, conversations } = mailbox;
  for (const [friend, listed] of conversations) {
    checkConversation(history, history.between(person, friend), listed, node);
    checkTimes(listed, `${person} with ${friend} on ${node}`, history);
  }
  checkUnread(mailbox, history);
}

/** Reports where the same person's mailbox is in another order on another node. */
export function compareOrder(mailbox: Mailbox, elsewhere: Mailbox, history: History): void {
  const { node, person } = mailbox;
  for (const [friend, conversation] of mailbox.conversations) {
    const other = elsewhere.conversations.get(friend) ?? [];
    const at = conversation.findIndex(({ id }, index) => other[index]?.id !== id);
    if (at < 0 && other.length === conversation.length) continue;
    const from = conversation[Math.max(0, at)]?.content ?? "its end";
    const what = `${person} with ${friend}: ${node} and ${elsewhere.node} differ from ${from} on`;
    history.findings.report("disordered", what);
  }
}

function checkTimes(listed: readonly ChatMessage[], where: string, history: History): void {
  let lastMs = 0;
  for (const { content, time } of listed) {
    if (time < lastMs) history.findings.report("disordered", `${where}: ${content} is earlier`);
    lastMs = time;
  }
}

function checkUnread({ node, person, conversations, unread }: Mailbox, history: History): void {
  for (const [friend, said] of unread) {
    const listed = conversations.get(friend) ?? [];
    const { length } = listed.filter(({ recipient, status }) =>
      recipient === person && status === "unread"
    );
    if (said === length) continue;
    const what = `${person} on ${node}: ${said} unread of ${friend}, listed ${length}`;
    history.findings.report("miscounted", what);
  }
}
