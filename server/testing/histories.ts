/** Random sets of operations: what they mean, model.ts says. */

import fc from "fast-check";
import { apply } from "../core/apply.ts";
import { messageIdOf, senderOf } from "../core/message_id.ts";
import type { Fact, MessageId, Operation } from "../core/operation.ts";
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

/**
 * Who repeats a message says the same, though the name it goes to may mean another account on another
 * node.
 */
export function repeatedAsTheyWere(history: History): History {
  return history.map((operation) => {
    if (operation.kind !== "message_sent") return operation;
    return { ...operation, content: `${operation.id} to ${operation.recipientAccount}` };
  });
}

/** Every name means the same account on all nodes. */
export function toOneRecipient(history: History): History {
  const recipients = new Map<MessageId, string>();
  return history.map((operation) => {
    if (operation.kind !== "message_sent") return operation;
    const { id, recipientAccount } = operation;
    const first = recipients.get(id);
    if (first === undefined) recipients.set(id, recipientAccount);
    return { ...operation, recipientAccount: first ?? recipientAccount };
  });
}

/** Messages that went to several accounts. */
export function idsToSeveral(history: History): Set<MessageId> {
  const recipients = new Map<MessageId, string>();
  const ids = new Set<MessageId>();
  for (const operation of history) {
    if (operation.kind !== "message_sent") continue;
    const { id, recipientAccount } = operation;
    const first = recipients.get(id);
    if (first === undefined) recipients.set(id, recipientAccount);
    else if (first !== recipientAccount) ids.add(id);
  }
  return ids;
}
