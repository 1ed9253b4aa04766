import { ChatClient, type Host, type Outside } from "../../../client/connection.ts";
import type { ChatMessage } from "../../../codec/message.ts";
import type { Credentials } from "../wire_client.ts";
import type { History } from "./history.ts";
import { checkMailbox, compareOrder, type Mailbox } from "./mailbox.ts";

export interface AuditOptions {
  /** Where each node listens for clients. */
  readonly hosts: readonly Host[];
  readonly people: readonly Credentials[];
  readonly history: History;
  /** Network, clock and randomness of the clients that ask. */
  readonly outside: Outside;
}

/** For how long a node may keep from signing in who asks, in ms. */
const SIGN_IN_MS_MAX = 20_000;

/**
 * Asks every node for every conversation, as both of its people, and compares that with the history
 * and with the other nodes, which must know the same by now. Returns what each person has.
 */
export async function audit(options: AuditOptions): Promise<ReadonlyMap<string, Mailbox>> {
  const mailboxes = new Map<string, Mailbox>();
  for (const host of options.hosts) {
    await Promise.all(options.people.map(async (person) => {
      const mailbox = await readMailbox(host, person, options);
      checkMailbox(mailbox, options.history);
      const elsewhere = mailboxes.get(person.name);
      if (elsewhere === undefined) mailboxes.set(person.name, mailbox);
      else compareOrder(mailbox, elsewhere, options.history);
    }));
  }
  return mailboxes;
}

async function readMailbox(
  host: Host,
  { name: user, token }: Credentials,
  { people, outside }: AuditOptions,
): Promise<Mailbox> {
  const timeouts = { signInGiveUpMs: SIGN_IN_MS_MAX };
  await using client = new ChatClient({ hosts: [host], outside, timeouts });
  const { node } = await client.signIn({ user, token });
  const conversations = new Map<string, readonly ChatMessage[]>();
  for (const { name } of people) {
    if (name === user) continue;
    const newestFirst = await Array.fromAsync(client.historyFromNewest(name));
    conversations.set(name, newestFirst.reverse());
  }
  const users = await Array.fromAsync(client.allUsers());
  const unread = new Map(users.map(({ name, unread }) => [name, unread]));
  return { node, person: user, conversations, unread };
}
