import { senderOf } from "../core/message_id.ts";
import {
  type AccountCreated,
  compareProvenance,
  type MessageId,
  type MessageSent,
  type Operation,
  type Provenance,
} from "../core/operation.ts";
import type { Observed } from "./observe.ts";

/** What a set of operations means, written down without any order of arrival. */
export function model(history: readonly Operation[]): Observed {
  const facts = <K extends Operation["kind"]>(kind: K) =>
    history.filter((operation): operation is Extract<Operation, { kind: K }> =>
      operation.kind === kind
    ).sort(compareProvenance);
  const deletedAccounts = new Set(facts("account_deleted").map(({ account }) => account));
  const deletedIds = new Set(facts("messages_deleted").flatMap(({ ids }) => ids).filter(isId));
  const readIds = new Set(facts("messages_read").flatMap(({ ids }) => ids).filter(isId));

  const sent = new Map<MessageId, MessageSent & Provenance>();
  for (const message of facts("message_sent").reverse()) sent.set(message.id, message);
  const messages = [...new Set([...sent.keys(), ...deletedIds, ...readIds])].sort().map((id) => {
    const message = sent.get(id);
    if (deletedIds.has(id)) return { id, status: "deleted" as const, content: null };
    const status = readIds.has(id) ? "read" as const : "unread" as const;
    if (message === undefined) return { id, status, content: null };
    const { recipientAccount: recipient, timeMs, tick, origin, seq } = message;
    const gone = deletedAccounts.has(senderOf(id) ?? "") || deletedAccounts.has(recipient);
    const put = { recipient, at: { timeMs, tick, origin, seq } };
    return { id, status, put, content: gone ? null : message.content };
  });
  const present = messages.flatMap(({ id, status, put, content }) =>
    content === null || put === undefined
      ? []
      : [{ ...put, id, status, sender: senderOf(id) ?? "" }]
  ).sort((a, b) => compareProvenance(a.at, b.at));

  const claims = new Map<string, AccountCreated & Provenance>();
  for (const claim of facts("account_created").reverse()) claims.set(claim.account, claim);
  const owners = new Map<string, AccountCreated>();
  const byRank = [...claims.values()].sort((a, b) =>
    b.generation - a.generation || compareProvenance(a, b)
  );
  for (const claim of byRank) if (!owners.has(claim.name)) owners.set(claim.name, claim);
  const passwords = new Map<string, string>();
  const settings = [
    ...facts("account_created").map((fact) => ({ ...fact, version: 1 })),
    ...facts("password_changed"),
  ];
  settings.sort((a, b) => a.version - b.version || compareProvenance(a, b));
  for (const { account, password } of settings) passwords.set(account, password);

  const everybody = new Set(present.flatMap(({ sender, recipient }) => [sender, recipient]));
  const conversations = (id: string) =>
    [...everybody].sort().flatMap((friend) => {
      const shared = present.filter(({ sender, recipient }) =>
        (sender === id && recipient === friend) || (sender === friend && recipient === id)
      );
      const unread = shared.filter(({ recipient, status }) =>
        recipient === id && status === "unread"
      ).length;
      return shared.length === 0 ? [] : [{ with: friend, unread, ids: shared.map(({ id }) => id) }];
    });
  const heardOf = new Set([...claims.keys(), ...passwords.keys(), ...deletedAccounts]);
  return {
    accounts: [...heardOf].sort().map((id) => {
      const claim = claims.get(id);
      const deleted = deletedAccounts.has(id);
      return {
        id,
        name: claim === undefined
          ? null
          : owners.get(claim.name) === claim
          ? claim.name
          : `${claim.name.slice(0, 56)}~${id.slice(0, 6)}`,
        generation: claim?.generation ?? null,
        exists: claim !== undefined && !deleted,
        deleted,
        password: deleted ? null : passwords.get(id) ?? null,
        unread: conversations(id).reduce((sum, { unread }) => sum + unread, 0),
        conversations: conversations(id),
      };
    }),
    names: [...owners].sort(([a], [b]) => a < b ? -1 : 1).map(([name, { account, generation }]) => [
      name,
      deletedAccounts.has(account) ? null : account,
      generation + 1,
    ]),
    existingCount: [...claims.keys()].filter((id) => !deletedAccounts.has(id)).length,
    messages,
    presentCount: present.length,
    vector: [...Map.groupBy(history, ({ origin }) => origin)]
      .map(([origin, { length }]): [string, number] => [origin, length])
      .sort(([a], [b]) => a < b ? -1 : 1),
  };
}

function isId(id: MessageId): boolean {
  return senderOf(id) !== undefined;
}
