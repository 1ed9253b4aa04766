import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  ACCOUNTS,
  arrivals,
  contentAndStatus,
  extent,
  fold,
  history,
  interleave,
  model,
  ORIGINS,
  RUNS,
  viewOf,
  within,
} from "../testing/histories.ts";
import { counted, observe, type Observed, recount } from "../testing/observe.ts";
import { apply } from "./apply.ts";
import { senderOf } from "./message_id.ts";
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

function seen(state: ChatState) {
  return seenOf(observe(state));
}

/** What of a state has to be the same: not how much is known of what is gone. */
function seenOf({ messages, vector, ...rest }: Observed) {
  const gone = new Set(rest.accounts.filter(({ deleted }) => deleted).map(({ id }) => id));
  return {
    ...rest,
    messages: messages.filter(({ content }) => content !== null),
    deleted: messages.filter(({ status, id }) =>
      status === "deleted" && !gone.has(senderOf(id) ?? "")
    ).map(({ id }) => id),
    vector: vector.toSorted(([a], [b]) => ORIGINS.indexOf(a) - ORIGINS.indexOf(b)),
  };
}
