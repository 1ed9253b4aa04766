import { type Change, takeEffect } from "./effects.ts";
import { merge } from "./merge.ts";
import type { ChatState } from "./state.ts";
import { type Entry, isStateRecord } from "./state_record.ts";

const DUPLICATE: Change = { kind: "duplicate" };

/**
 * The only code that changes state: live traffic, replay and catch-up share it. Total, and the same
 * whatever the order in which origins' operations come: each origin's own come in sequence, unless the
 * state that they led to is merged in their place.
 */
export function apply(state: ChatState, entry: Entry): Change {
  if (isStateRecord(entry)) return merge(state, entry);
  const expectedSeq = state.vector.seqOf(entry.origin) + 1;
  if (entry.seq < expectedSeq) return DUPLICATE;
  if (entry.seq > expectedSeq) return { kind: "gap", expectedSeq };
  state.vector.advance(entry.origin, entry.seq);
  return takeEffect(state, entry);
}
