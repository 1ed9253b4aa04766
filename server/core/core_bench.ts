import { apply } from "./apply.ts";
import { messageIdOf } from "./message_id.ts";
import type { Operation } from "./operation.ts";
import { ChatState } from "./state.ts";

/** Each run's figure is that of one batch: a fresh state, or one with {@linkcode MANY} messages. */
const BATCH = 10_000;
const MANY = 200_000;

const many = messages(MANY);
const batch = many.slice(0, BATCH);
const ids = batch.flatMap((operation) => operation.kind === "message_sent" ? [operation.id] : []);

Deno.bench(`apply() of ${BATCH} fresh messages, 100 accounts`, { group: "apply" }, (b) => {
  const state = new ChatState();
  b.start();
  for (const operation of batch) apply(state, operation);
  b.end();
});

Deno.bench(`apply() of ${MANY} fresh messages, 100 accounts`, { group: "apply" }, (b) => {
  const state = new ChatState();
  b.start();
  for (const operation of many) apply(state, operation);
  b.end();
});

Deno.bench(`apply() of reads of ${BATCH} messages, 1000 each`, { group: "apply" }, (b) => {
  const state = stateOf(batch);
  const reads = operationsOnIds("messages_read");
  b.start();
  for (const operation of reads) apply(state, operation);
  b.end();
});

Deno.bench(`apply() of deletes of ${BATCH} messages, 1000 each`, { group: "apply" }, (b) => {
  const state = stateOf(batch);
  const deletes = operationsOnIds("messages_deleted");
  b.start();
  for (const operation of deletes) apply(state, operation);
  b.end();
});

const full = stateOf(many);

Deno.bench(`ChatState.digest of ${MANY} messages`, () => {
  full.digest;
});

Deno.bench("MessageTable.find() of one id", () => {
  full.messages.find(ids[5000] ?? "");
});

Deno.bench("ChatState.missed() of an account's 4,000 events, all covered", () => {
  const account = full.accounts.at(1);
  for (const _ of full.missed(account, full.vector));
});

/** Among 100 accounts, in the order in which one node would stamp them. */
function messages(count: number): Operation[] {
  return Array.from({ length: count }, (_, index): Operation => ({
    kind: "message_sent",
    id: messageIdOf(accountOf(index % 100), uuidOf(index)),
    sender: "alice",
    recipient: "bob",
    recipientAccount: accountOf((index * 7 + 1) % 100),
    content: "x".repeat(100),
    timeMs: 1_700_000_000_000 + index,
    tick: 0,
    origin: "node1.e1",
    seq: index + 1,
  }));
}

function operationsOnIds(kind: "messages_read" | "messages_deleted"): Operation[] {
  return Array.from({ length: BATCH / 1000 }, (_, index): Operation => ({
    kind,
    by: accountOf(1),
    ids: ids.slice(index * 1000, (index + 1) * 1000),
    timeMs: 1_800_000_000_000,
    tick: index,
    origin: "node2.e2",
    seq: index + 1,
  }));
}

function stateOf(operations: readonly Operation[]): ChatState {
  const state = new ChatState();
  for (const operation of operations) apply(state, operation);
  return state;
}

function accountOf(number: number): string {
  return `account${String(number).padStart(5, "0")}`;
}

/** Spread over all its bits, as a random one would be. */
function uuidOf(number: number): string {
  const hex = [1, 2, 3, 4].map((lane) =>
    (Math.imul(number + 1, 0x9e3779b1 * lane) >>> 0).toString(16).padStart(8, "0")
  ).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
