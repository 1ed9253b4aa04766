/** Random sets of operations, and what they mean: a model without any order of arrival. */

import fc from "fast-check";
import { apply } from "../core/apply.ts";
import { messageIdOf, senderOf } from "../core/message_id.ts";
import {
  type AccountCreated,
  compareProvenance,
  type Fact,
  type MessageId,
  type MessageSent,
  type Operation,
  type Provenance,
} from "../core/operation.ts";
import { ChatState } from "../core/state.ts";
import type { Observed } from "./observe.ts";

/** More of them find rarer histories: CHAT_RUNS=100000 deno test … */
export const RUNS = { numRuns: Number(Deno.env.get("CHAT_RUNS") ?? 300) };

export const ORIGINS = ["node1.e1", "node2.e2", "node3.e3"];
export const ACCOUNTS = ["aaaaaaaaaaaa", "aaaaaabbbbbb", "cccccccccccc", "dddddddddddd"];
const NAMES = ["ann", "bob", "n".repeat(64)];
const KEYS = ["1", "2", "3", "4"];

export type History = readonly Operation[];

/** One fact of one origin. Few accounts, names and keys, so that everything collides. */
const step = fc.record({
  origin: fc.nat({ max: ORIGINS.length - 1 }),
  passedMs: fc.nat({ max: 2 }),
  fact: fc.oneof(
    { weight: 6, arbitrary: fc.tuple(messageId(), account(), fc.string()).map(sent) },
    { weight: 3, arbitrary: fc.tuple(account(), ids()).map(([by, ids]) => read(by, ids)) },
    { weight: 2, arbitrary: fc.tuple(account(), ids()).map(([by, ids]) => deleted(by, ids)) },
    {
      weight: 2,
      arbitrary: fc.tuple(account(), fc.constantFrom(...NAMES), fc.nat(2)).map(created),
    },
    { weight: 1, arbitrary: fc.tuple(account(), fc.string(), fc.nat(2)).map(passwordChanged) },
    {
      weight: 1,
      arbitrary: account().map((id): Fact => ({ kind: "account_deleted", account: id })),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "unknown" as const, line: "{}" }) },
  ),
});

/** Every origin's operations in its sequence and with stamps that rise, tied with others' at will. */
export const history: fc.Arbitrary<History> = fc.array(step, { maxLength: 40 }).map((steps) => {
  const clocks = ORIGINS.map(() => ({ timeMs: 1, tick: 0, seq: 0 }));
  return steps.map(({ origin, passedMs, fact }): Operation => {
    const clock = clocks[origin] as (typeof clocks)[0];
    clock.tick = passedMs === 0 ? clock.tick + 1 : 0;
    clock.timeMs += passedMs;
    clock.seq++;
    return { ...fact, ...clock, origin: ORIGINS[origin] as string };
  });
});

/** Which origin's next operation arrives next, for as long as there are any. */
export const arrivals = fc.array(fc.nat({ max: ORIGINS.length - 1 }), {
  minLength: 40,
  maxLength: 40,
});

/** How much of each origin is known. */
export const extent = fc.tuple(...ORIGINS.map(() => fc.nat({ max: 20 })));

/** The messages that an account sees: id → content and status. */
export function viewOf({ messages }: Observed, account: string): Map<MessageId, string> {
  return new Map(
    messages
      .filter(({ id, content, put }) =>
        content !== null && (senderOf(id) === account || put?.recipient === account)
      )
      .map(({ id, content, status }) => [id, `${status} ${content}`]),
  );
}

export function contentAndStatus({ messages }: ChatState, row: number): string {
  return `${messages.isRead(row) ? "read" : "unread"} ${messages.contentOf(row)}`;
}

export function fold(operations: History): ChatState {
  const state = new ChatState();
  for (const operation of operations) apply(state, operation);
  return state;
}

export function interleave(history: History, arrivals: readonly number[]): History {
  const queues = ORIGINS.map((name) => history.filter(({ origin }) => origin === name));
  const arrived: Operation[] = [];
  for (const origin of arrivals) arrived.push(...queues[origin]?.splice(0, 1) ?? []);
  return [...arrived, ...queues.flat()];
}

export function within(history: History, extent: readonly number[]): History {
  return history.filter(({ origin, seq }) => seq <= (extent[ORIGINS.indexOf(origin)] ?? 0));
}

/** What a set of operations means, written down without any order of arrival. */
export function model(history: History): Observed {
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

  const conversations = (id: string) =>
    ACCOUNTS.flatMap((friend) => {
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
    vector: ORIGINS.flatMap((name) => {
      const seq = history.filter(({ origin }) => origin === name).length;
      return seq === 0 ? [] : [[name, seq] as [string, number]];
    }),
  };
}

function isId(id: MessageId): boolean {
  return senderOf(id) !== undefined;
}

function account() {
  return fc.constantFrom(...ACCOUNTS);
}

function messageId() {
  return fc.tuple(account(), fc.constantFrom(...KEYS)).map(([sender, key]) =>
    messageIdOf(sender, key)
  );
}

function ids() {
  const some = fc.oneof({ weight: 9, arbitrary: messageId() }, {
    weight: 1,
    arbitrary: fc.constant("no id"),
  });
  return fc.array(some, { maxLength: 4 });
}

function sent([id, recipientAccount, content]: [MessageId, string, string]): Fact {
  return { kind: "message_sent", id, sender: "s", recipient: "r", recipientAccount, content };
}

function read(by: string, ids: MessageId[]): Fact {
  return { kind: "messages_read", by, ids };
}

function deleted(by: string, ids: MessageId[]): Fact {
  return { kind: "messages_deleted", by, ids };
}

function created([account, name, generation]: [string, string, number]): Fact {
  return {
    kind: "account_created",
    account,
    name,
    generation: generation + 1,
    password: `${account} ${name}`,
  };
}

function passwordChanged([account, password, version]: [string, string, number]): Fact {
  return { kind: "password_changed", account, password, version: version + 1 };
}

/** Every message is sent once: of one that was sent twice only one of the two operations counts. */
export function withoutRepeats(history: History): History {
  const ids = new Set<string>();
  return history.map((operation) => {
    if (operation.kind !== "message_sent") return operation;
    const { id, timeMs, tick, origin, seq } = operation;
    if (!ids.has(id)) {
      ids.add(id);
      return operation;
    }
    return { kind: "messages_read", by: ACCOUNTS[0] ?? "", ids: [], timeMs, tick, origin, seq };
  });
}
