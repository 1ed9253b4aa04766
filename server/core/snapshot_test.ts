import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  ACCOUNTS,
  arrivals,
  contentAndStatus,
  extent,
  fold,
  history,
  interleave,
  RUNS,
  viewOf,
  within,
} from "../testing/histories.ts";
import { model } from "../testing/model.ts";
import { TIMED_KEY_KEPT_MS, timedKey } from "../../codec/timed_key.ts";
import { counted, recount, seen, seenOf } from "../testing/observe.ts";
import { apply } from "./apply.ts";
import { isForgotten } from "./effects.ts";
import { messageIdOf } from "./message_id.ts";
import type { MessageId } from "./operation.ts";
import { recordsOf } from "./snapshot.ts";
import { ChatState } from "./state.ts";
import { NO_PLACE, type StateRecord } from "./state_record.ts";
import { VersionVector } from "./version_vector.ts";

Deno.test("records of a state, merged into an empty one, make the same state", () => {
  fc.assert(
    fc.property(history, arrivals, (history, arrivals) => {
      const state = fold(interleave(history, arrivals));
      const copy = new ChatState();
      for (const record of snapshotOf(state)) apply(copy, record);
      assertEquals(seen(copy), seen(state));
      assertEquals(copy.digest, state.digest);
      assertEquals(counted(copy), recount(copy));
      // And once more: what was merged is not lost in the next snapshot.
      const again = new ChatState();
      for (const record of snapshotOf(copy)) apply(again, record);
      assertEquals(seen(again), seen(state));
      // Nobody sees these: another node may understand them.
      assertEquals([...again.unknown], [...state.unknown]);
    }),
    RUNS,
  );
});

Deno.test("records, merged into a state that knows other things, add up to what all operations say", () => {
  const shuffled = fc.infiniteStream(fc.nat());
  fc.assert(
    fc.property(
      history,
      extent,
      extent,
      arrivals,
      shuffled,
      (history, theirs, ours, arrivals, at) => {
        const them = fold(interleave(within(history, theirs), arrivals));
        const records = snapshotOf(them);
        const coverage = records.pop() as StateRecord;
        records.sort(() => (at.next().value ?? 0) % 2 - 0.5);
        const state = fold(interleave(within(history, ours), arrivals));
        // A stream that breaks off begins anew.
        for (const record of [...records.slice(0, 3), ...records, coverage]) apply(state, record);
        for (const operation of history) apply(state, operation);
        assertEquals(seen(state), seenOf(model(history)));
        assertEquals(state.digest, fold(history).digest);
        assertEquals(counted(state), recount(state));
      },
    ),
    RUNS,
  );
});

Deno.test("records taken while operations go on, and those operations after them, make the same state", () => {
  fc.assert(
    fc.property(history, extent, arrivals, fc.nat(3), (history, first, arrivals, every) => {
      const state = fold(interleave(within(history, first), arrivals));
      const before = state.vector.copy();
      const rest = history.filter((operation) => !before.covers(operation));
      const records: StateRecord[] = [];
      const going = [...rest];
      let steps = 0;
      for (const record of recordsOf(state)) {
        if (record !== undefined) records.push(record);
        if (steps++ % (every + 1) === 0) {
          for (const one of going.splice(0, 1)) apply(state, one);
        }
      }
      const copy = new ChatState();
      for (const record of records) apply(copy, record);
      apply(copy, coverageOf(before));
      for (const operation of rest) apply(copy, operation);
      assertEquals(seen(copy), seenOf(model(history)));
      assertEquals(copy.digest, fold(history).digest);
    }),
    RUNS,
  );
});

Deno.test("a client with any cursor is brought up to date from a snapshot, too", () => {
  fc.assert(
    fc.property(history, arrivals, extent, (history, arrivals, extent) => {
      // One key is for one recipient: whoever uses it for two may be told of one that they have not.
      const fair = history.map((operation) =>
        operation.kind === "message_sent"
          ? { ...operation, recipientAccount: recipientFor(operation.id) }
          : operation
      );
      const known = within(fair, extent);
      const cursor = new VersionVector();
      for (const { origin, seq } of known) cursor.advance(origin, seq);
      const state = new ChatState();
      for (const record of snapshotOf(fold(interleave(fair, arrivals)))) apply(state, record);
      const [before, now] = [model(known), model(fair)];
      for (const id of ACCOUNTS) {
        if (now.accounts.some((account) => account.id === id && account.deleted)) continue;
        assertEquals(viewAfter(state, id, viewOf(before, id), cursor), viewOf(now, id));
      }
    }),
    RUNS,
  );
});

Deno.test("what may be forgotten is in no snapshot, and does not come back by a state or an operation", () => {
  const DAY_MS = 24 * 60 * 60 * 1000;
  const madeMs = 1_795_000_000_000;
  const key = timedKey(crypto.randomUUID(), madeMs);
  const id = messageIdOf(ALICE, key);
  const place = { timeMs: madeMs, tick: 0, origin: "node1.e1" };
  const sent = { kind: "message_sent" as const, id, sender: "a", recipient: "b", content: "x" };
  const message = { ...sent, recipientAccount: BOB, ...place, seq: 1 };
  const gone = { kind: "messages_deleted" as const, by: ALICE, ids: [id], ...place, seq: 2 };
  const [before, after] = [fold([message]), fold([message, gone])];

  const isOld = (id: MessageId) => isForgotten(id, madeMs + 31 * DAY_MS);
  const records = [...recordsOf(after, isOld)].filter((record) => record !== undefined);
  assertEquals(records, []);
  assertEquals(snapshotOf(after).length, 2);

  const state = new ChatState();
  apply(state, coverageOf(after.vector));
  assertEquals(state.digest, after.digest);
  // A node that did not hear of the deletion says what it has; a client repeats what it sent.
  for (const record of snapshotOf(before)) apply(state, record);
  const late = { timeMs: madeMs + 31 * DAY_MS, tick: 0, origin: "node2.e2", seq: 1 };
  apply(state, { ...message, ...late });
  assertEquals(state.messages.presentCount, 0);
  apply(after, { ...message, ...late });
  assertEquals([after.messages.presentCount, after.digest], [0, state.digest]);
});

Deno.test("that a message was deleted is kept while its key is young, and while its account exists", () => {
  const place = { timeMs: 1, tick: 0, origin: "node1.e1" };
  const message = { kind: "message_sent" as const, sender: "a", recipient: "b", content: "x" };
  const id = messageIdOf(ALICE, "a key that tells nothing");
  const facts = [
    { ...message, id, recipientAccount: BOB, ...place, seq: 1 },
    { kind: "messages_deleted" as const, by: ALICE, ids: [id], ...place, seq: 2 },
    { kind: "account_deleted" as const, account: ALICE, ...place, seq: 3 },
  ];
  const asked: unknown[] = [];
  for (const count of [2, 3]) {
    const ask = (...about: unknown[]) => asked.push(about) < 0;
    assertEquals(
      [...recordsOf(fold(facts.slice(0, count)), ask)].filter((one) => one).length,
      count - 1,
    );
  }
  const deletion = { origin: "node1.e1", seq: 2 };
  assertEquals(asked, [[id, deletion, false], [id, deletion, true]]);
});

Deno.test("a snapshot names the operation that deleted a message, not one that withdrew it from somebody", () => {
  const id = messageIdOf(ALICE, "a key that was used for two");
  const message = { kind: "message_sent" as const, id, sender: "a", recipient: "b", content: "x" };
  const at = (origin: string, timeMs: number) => ({ timeMs, tick: 0, origin, seq: 1 });
  const state = fold([
    { ...message, recipientAccount: BOB, ...at("n1.a", 1) },
    { kind: "messages_deleted", by: ALICE, ids: [id], ...at("n2.b", 2) },
    { ...message, recipientAccount: "carolcarol22", ...at("n3.c", 3) },
  ]);
  const [record] = snapshotOf(state).filter(({ kind }) => kind === "deleted_state");
  assert(record?.kind === "deleted_state");
  assertEquals([record.by, record.deleted.map(({ seq }) => seq)], ["n2.b", [1]]);
});

Deno.test("what was told of a message before a merge said that it is deleted is told, and over", () => {
  const id = messageIdOf(ALICE, "a key");
  const at = (origin: string, seq: number) => ({ timeMs: seq, tick: 0, origin, seq });
  const sent = { kind: "message_sent" as const, id, sender: "a", recipient: "b", content: "x" };
  const other = fold([
    { ...sent, recipientAccount: BOB, ...at("n1.a", 1) },
    { kind: "messages_deleted", by: ALICE, ids: [id], ...at("n1.a", 2) },
  ]);
  const state = fold([{ kind: "messages_read", by: BOB, ids: [id], ...at("n2.b", 1) }]);
  for (const record of snapshotOf(other)) apply(state, record);
  assertEquals([...state.early], []);
});

Deno.test("a merged account whose name another one has had tells who has lost it", () => {
  const claim = (timeMs: number) => ({
    ...{ name: "ann", generation: 1 },
    at: { timeMs, tick: 0, origin: "n1.a", seq: 1 },
  });
  const record = (account: string, timeMs: number): StateRecord => ({
    ...{ kind: "account_state", ...NO_PLACE, account, claim: claim(timeMs) },
    password: { hash: "x", version: 1, at: claim(timeMs).at },
  });
  const state = new ChatState();
  apply(state, record(BOB, 2));
  assertEquals(apply(state, record(ALICE, 1)).kind, "account_created");
});

Deno.test("a message is taken to the last moment that its key may have, and not after it", () => {
  const madeMs = 1_795_000_000_000;
  const id = messageIdOf(ALICE, timedKey(crypto.randomUUID(), madeMs));
  assertEquals(isForgotten(id, madeMs + TIMED_KEY_KEPT_MS), false);
  assertEquals(isForgotten(id, madeMs + TIMED_KEY_KEPT_MS + 1), true);
  for (const key of [crypto.randomUUID(), "a key", ...Array.from({ length: 200 }, String)]) {
    assertEquals(isForgotten(messageIdOf(ALICE, key), Number.MAX_SAFE_INTEGER), false);
  }
});

const ALICE = "alicealice22";
const BOB = "bobbobbobb22";

/** What a client shows that showed `view`, once it was told what it missed. */
function viewAfter(
  state: ChatState,
  account: string,
  view: Map<MessageId, string>,
  cursor: VersionVector,
): Map<MessageId, string> {
  for (const event of state.missed(state.accounts.get(account), cursor)) {
    const rows = event.kind === "message" ? [event.row] : event.rows;
    for (const row of rows) {
      const id = state.messages.idOf(row);
      if (event.kind === "deleted") view.delete(id);
      else if (event.kind === "message" || view.has(id)) view.set(id, contentAndStatus(state, row));
    }
  }
  return new Map([...view].sort());
}

function recipientFor(id: MessageId): string {
  return ACCOUNTS[(id.codePointAt(13) ?? 0) % ACCOUNTS.length] as string;
}

function snapshotOf(state: ChatState): StateRecord[] {
  const records = [...recordsOf(state)].filter((record) => record !== undefined);
  return [...records, coverageOf(state.vector)];
}

function coverageOf(vector: VersionVector): StateRecord {
  return {
    kind: "coverage",
    ...NO_PLACE,
    vector: new Map(vector.entries()),
    clock: { timeMs: 0, tick: 0 },
  };
}
