import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import {
  ACCOUNTS,
  arrivals,
  contentAndStatus,
  extent,
  fold,
  type History,
  history,
  idsToSeveral,
  interleave,
  repeatedAsTheyWere,
  RUNS,
  viewOf,
  within,
} from "../testing/histories.ts";
import { model } from "../testing/model.ts";
import { counted, observe, type Observed, recount } from "../testing/observe.ts";
import { apply } from "./apply.ts";
import type { MessageId, Operation } from "./operation.ts";
import { ChatState } from "./state.ts";
import { VersionVector } from "./version_vector.ts";

Deno.test("apply() makes of a set of operations what the reference model says, in any order", () => {
  fc.assert(
    fc.property(history, arrivals, (history, arrivals) => {
      assertEquals(observe(fold(interleave(history, arrivals))), model(history));
    }),
    RUNS,
  );
});

Deno.test("apply() commutes across origins: same state, same digest", () => {
  fc.assert(
    fc.property(history, arrivals, arrivals, (history, arrivals, others) => {
      const [a, b] = [fold(interleave(history, arrivals)), fold(interleave(history, others))];
      assertEquals(observe(a), observe(b));
      assertEquals(a.digest, b.digest);
    }),
    RUNS,
  );
});

Deno.test("apply() ignores repeats and changes nothing at a gap", () => {
  fc.assert(
    fc.property(history, arrivals, fc.infiniteStream(fc.nat()), (history, arrivals, strays) => {
      const state = new ChatState();
      for (const operation of interleave(history, arrivals)) {
        const stray = history[strays.next().value as number % history.length] as Operation;
        const ahead = stray.seq - state.vector.seqOf(stray.origin);
        if (ahead !== 1) {
          const before = [observe(state), state.digest];
          assertEquals(apply(state, stray).kind, ahead < 1 ? "duplicate" : "gap");
          assertEquals([observe(state), state.digest], before);
        }
        apply(state, operation);
      }
      assertEquals(observe(state), model(history));
    }),
    RUNS,
  );
});

Deno.test("merging what nodes have heard is commutative, associative and idempotent", () => {
  const node = fc.tuple(extent, arrivals);
  fc.assert(
    fc.property(history, node, node, node, (history, ...nodes) => {
      const [a, b, c] = nodes.map(([extent, arrivals]) =>
        interleave(within(history, extent), arrivals)
      ) as [History, History, History];
      assertMerged(merge(a, b), merge(b, a));
      assertMerged(merge(merge(a, b), c), merge(a, merge(b, c)));
      assertMerged(merge(a, a), a);
    }),
    RUNS,
  );
});

Deno.test("counters and digest equal a count from scratch after every step", () => {
  fc.assert(
    fc.property(history, arrivals, (history, arrivals) => {
      const state = new ChatState();
      for (const operation of interleave(history, arrivals)) {
        apply(state, operation);
        assertEquals(counted(state), recount(state));
      }
    }),
    RUNS,
  );
});

Deno.test("states that differ in what can be seen have different digests", () => {
  fc.assert(
    fc.property(history, extent, (history, extent) => {
      const [all, some] = [fold(history), fold(within(history, extent))];
      const seen = ({ vector: _, messages, ...rest }: Observed) =>
        JSON.stringify([rest, messages.filter(({ content }) => content !== null)]);
      if (seen(observe(all)) !== seen(observe(some))) assertNotEquals(all.digest, some.digest);
    }),
    RUNS,
  );
});

Deno.test("ChatState.missed() brings a client with any cursor up to date, each message once", () => {
  fc.assert(
    fc.property(history.map(repeatedAsTheyWere), arrivals, extent, (history, arrivals, extent) => {
      const known = within(history, extent);
      const moved = idsToSeveral(history);
      // One of a message's sendings that the cursor covers is enough, if they are one message to all.
      const had = new Set(
        known.flatMap((operation) =>
          operation.kind === "message_sent" && !moved.has(operation.id) ? [operation.id] : []
        ),
      );
      const cursor = new VersionVector();
      for (const { origin, seq } of known) cursor.advance(origin, seq);
      const state = fold(interleave(history, arrivals));
      const [before, now] = [model(known), model(history)];
      for (const id of ACCOUNTS) {
        if (now.accounts.some((account) => account.id === id && account.deleted)) continue;
        const view = viewOf(before, id);
        const told = new Set<MessageId>();
        for (const event of state.missed(state.accounts.get(id), cursor)) {
          if (event.kind === "message") {
            const message = state.messages.idOf(event.row);
            assert(!told.has(message), "told twice");
            told.add(message);
            view.set(message, contentAndStatus(state, event.row));
          } else {
            for (const row of event.rows) {
              const message = state.messages.idOf(row);
              if (event.kind === "deleted") view.delete(message);
              else if (view.has(message)) view.set(message, contentAndStatus(state, row));
            }
          }
        }
        assertEquals(new Map([...view].sort()), viewOf(now, id));
        const fresh = now.messages.filter((message) =>
          viewOf(now, id).has(message.id) && message.put !== undefined &&
          !had.has(message.id) && !cursor.covers(message.put.at)
        );
        assertEquals([...told].sort(), fresh.map((message) => message.id));
      }
    }),
    RUNS,
  );
});

function assertMerged(a: History, b: History): void {
  assertEquals(observe(fold(a)), observe(fold(b)));
  assertEquals(fold(a).digest, fold(b).digest);
}

/** What a node has that heard `a`, and then from a peer what that one heard. */
function merge(a: History, b: History): History {
  const state = new ChatState();
  return [...a, ...b].filter((operation) => apply(state, operation).kind !== "duplicate");
}
