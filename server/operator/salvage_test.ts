import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { apply } from "../core/apply.ts";
import { compareProvenance, type Fact, type Operation, type Stamp } from "../core/operation.ts";
import { recordsOf } from "../core/snapshot.ts";
import { ChatState } from "../core/state.ts";
import { type Entry, NO_PLACE } from "../core/state_record.ts";
import {
  arrivals,
  extent,
  fold,
  type History,
  history,
  interleave,
  repeatedAsTheyWere,
  RUNS,
  toOneRecipient,
  within,
} from "../testing/histories.ts";
import { observe, seen } from "../testing/observe.ts";
import { Salvage } from "./salvage.ts";

const NEW_ORIGIN = "node1.new";

Deno.test("Salvage adds what only the damaged disk has, so that nothing intact is lost", () => {
  const choice = fc.infiniteStream(fc.boolean());
  fc.assert(
    fc.property(history, arrivals, extent, choice, (history, arrivals, others, choice) => {
      const fair = withoutUnknown(toOneRecipient(repeatedAsTheyWere(history)));
      const state = fold(within(fair, others));
      const intact = interleave(fair, arrivals).filter(() => choice.next().value === true);
      const salvage = salvageInto(state);
      for (const operation of intact) salvage.add(operation);
      assertHasAll(state, [...within(fair, others), ...intact]);
    }),
    RUNS,
  );
});

Deno.test("Salvage of all there is makes the same state as if nothing had been damaged", () => {
  fc.assert(
    fc.property(history, arrivals, extent, (history, arrivals, others) => {
      const fair = withoutUnknown(toOneRecipient(repeatedAsTheyWere(history)));
      const state = fold(within(fair, others));
      const salvage = salvageInto(state);
      for (const operation of interleave(fair, arrivals)) salvage.add(operation);
      assertEquals(seen(state), seen(fold(fair)));
      assertEquals(salvage.lost, []);
    }),
    RUNS,
  );
});

Deno.test("Salvage of a snapshot says again what no other node has", () => {
  fc.assert(
    fc.property(history, arrivals, extent, (history, arrivals, others) => {
      const fair = withoutUnknown(toOneRecipient(repeatedAsTheyWere(history)));
      const state = fold(within(fair, others));
      const salvage = salvageInto(state);
      const damaged = fold(interleave(fair, arrivals));
      for (const record of snapshotOf(damaged)) salvage.add(record);
      assertEquals(visible(state), visible(damaged));
      assertEquals(salvage.lost, []);
    }),
    RUNS,
  );
});

Deno.test("Salvage says which operations are lost: those before what is intact, which nobody has", () => {
  const at = { timeMs: 1, tick: 0, origin: "node1.old" };
  const read = (seq: number): Operation => ({
    kind: "messages_read",
    by: "b",
    ids: [],
    ...at,
    seq,
  });
  const salvage = salvageInto(fold([read(1), read(2)]));
  for (const entry of [read(1), read(2), "unreadable", read(5), read(6), read(9)] as const) {
    salvage.add(entry);
  }
  assertEquals(salvage.lost, [
    { origin: "node1.old", from: 3, to: 4 },
    { origin: "node1.old", from: 7, to: 8 },
  ]);
});

Deno.test("Salvage doubts what a damaged snapshot stood for as far as others do not have it", () => {
  const state = new ChatState();
  const salvage = salvageInto(state);
  const vector = new Map([["node1.old", 7]]);
  const coverage: Entry = { kind: "coverage", ...NO_PLACE, vector, clock: { timeMs: 0, tick: 0 } };
  salvage.add("unreadable");
  salvage.add(coverage);
  assertEquals(salvage.lost, [{ origin: "node1.old", from: 1, to: 7 }]);
});

/** A message keeps its time, so the order of a conversation is kept, too. */
function assertHasAll(state: ChatState, operations: readonly Operation[]): void {
  const facts = [...operations].sort(compareProvenance).map((operation, index) => ({
    ...operation,
    origin: "model.e",
    seq: index + 1,
  }));
  const wanted = new ChatState();
  for (const fact of facts) apply(wanted, fact);
  assertEquals(visible(state), visible(wanted));
}

/** Which messages there are, and what is known of them. */
function visible(state: ChatState) {
  return observe(state).messages.filter(({ content }) => content !== null)
    .map(({ id, status, content, put }) => ({
      ...{ id, status, content },
      to: put?.recipient,
      timeMs: put?.at.timeMs,
    }));
}

function salvageInto(state: ChatState): Salvage {
  let seq = 0;
  return new Salvage(
    state,
    (operation) => void apply(state, operation),
    (fact: Fact, at: Stamp = { timeMs: 1000, tick: 0 }) => {
      apply(state, { ...fact, ...at, origin: NEW_ORIGIN, seq: ++seq });
    },
  );
}

function snapshotOf(state: ChatState): Entry[] {
  const vector = new Map(state.vector.entries());
  const clock = { timeMs: 0, tick: 0 };
  return [
    ...[...recordsOf(state)].filter((record) => record !== undefined),
    { kind: "coverage", ...NO_PLACE, vector, clock },
  ];
}

/** What only newer versions know cannot be said again. */
function withoutUnknown(history: History): History {
  const seqs = new Map<string, number>();
  return history.filter(({ kind }) => kind !== "unknown").map((operation) => {
    const seq = (seqs.get(operation.origin) ?? 0) + 1;
    seqs.set(operation.origin, seq);
    return { ...operation, seq };
  });
}
