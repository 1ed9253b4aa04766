import type { ChatMessage } from "../../codec/message.ts";
import { type Credentials, WireClient } from "../../server/testing/wire_client.ts";
import type { Books } from "./books.ts";

/** What one person has on one node: their conversations by friend, each from its beginning. */
type Mailbox = ReadonlyMap<string, readonly ChatMessage[]>;

/**
 * Asks every node for every conversation, as both of its people, and compares that with the books
 * and with the other nodes. Returns what each person has.
 */
export async function audit(
  ports: readonly number[],
  people: readonly Credentials[],
  books: Books,
): Promise<ReadonlyMap<string, Mailbox>> {
  const mailboxes = new Map<string, Mailbox>();
  for (const port of ports) {
    await Promise.all(people.map(async (person) => {
      const mailbox = await readMailbox(port, person, people, books);
      checkMailbox(person.name, mailbox, books);
      const elsewhere = mailboxes.get(person.name);
      if (elsewhere === undefined) mailboxes.set(person.name, mailbox);
      else compareOrder(person.name, mailbox, elsewhere, books);
    }));
  }
  return mailboxes;
}

async function readMailbox(
  port: number,
  me: Credentials,
  people: readonly Credentials[],
  books: Books,
): Promise<Mailbox> {
  const client = await WireClient.resumed(port, me);
  const mailbox = new Map<string, readonly ChatMessage[]>();
  try {
    for (const { name } of people) {
      if (name !== me.name) mailbox.set(name, await readConversation(client, name));
    }
    for (
      const { name, unread } of await client.expect("users", {
        kind: "list_users",
        payload: {},
      })
    ) {
      const listed = mailbox.get(name)?.filter((message) => isUnread(message, me.name)).length ?? 0;
      if (unread === listed) continue;
      books.report("miscounted", `${me.name}: ${unread} unread of ${name}, listed ${listed}`);
    }
  } finally {
    client.close();
  }
  return mailbox;
}

async function readConversation(client: WireClient, friend: string): Promise<ChatMessage[]> {
  const pages: (readonly ChatMessage[])[] = [];
  for (;;) {
    const before = pages[0]?.[0]?.id;
    const payload = { with: friend, ...(before === undefined ? {} : { before }) };
    const page = await client.expect("messages", { kind: "list_messages", payload });
    if (page.length === 0) return pages.flat();
    pages.unshift(page);
  }
}

function checkMailbox(me: string, mailbox: Mailbox, books: Books): void {
  for (const [friend, conversation] of mailbox) {
    const faults = books.between(me, friend).check(conversation);
    for (const [fault, what] of faults) books.report(fault, ...what);
    let lastMs = 0;
    for (const { sender, recipient, content, time } of conversation) {
      const isOurs = [`${me} ${friend}`, `${friend} ${me}`].includes(`${sender} ${recipient}`);
      if (!isOurs) books.report("foreign", `${me} with ${friend} has ${content}`);
      if (time < lastMs) books.report("disordered", `${me} with ${friend}: ${content} is earlier`);
      lastMs = time;
    }
  }
}

function compareOrder(me: string, mailbox: Mailbox, elsewhere: Mailbox, books: Books): void {
  for (const [friend, conversation] of mailbox) {
    const other = elsewhere.get(friend) ?? [];
    const at = conversation.findIndex(({ id }, index) => other[index]?.id !== id);
    if (at < 0 && other.length === conversation.length) continue;
    const what = conversation[Math.max(0, at)]?.content ?? "its end";
    books.report("disordered", `${me} with ${friend}: nodes differ from ${what} on`);
  }
}

function isUnread({ recipient, status }: ChatMessage, me: string): boolean {
  return recipient === me && status === "unread";
}
