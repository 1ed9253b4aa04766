/** What can be wrong with what a node has of a conversation. */
export const CONVERSATION_FAULTS = [
  /** Acknowledged, not deleted, and not there. */
  "lost",
  /** One message under two ids, or twice in one list. */
  "doubled",
  /** With another text, sender or recipient than it was sent with. */
  "altered",
  /** There after its deletion was acknowledged, or was seen. */
  "resurrected",
  "unread again",
  /** Read although nobody asked for that. */
  "read unasked",
  /** What nobody of those two has written. */
  "foreign",
] as const;

/** What can be wrong with a messenger, each of which is never to be seen. */
export const FAULTS = [
  ...CONVERSATION_FAULTS,
  /** A conversation's messages in another order on another node, or not in the order of time. */
  "disordered",
  /** Unread messages as USERS counts them, against those that are listed. */
  "miscounted",
  /** What a subscriber would show, had it only events to go by, is not what is there. */
  "missed event",
  /** The same message told twice. */
  "doubled event",
  /** A reply that no node should give. */
  "refused",
  /** On fewer than one or more than all nodes. */
  "implausible copies",
  /** Nodes that know different things long after all is well. */
  "diverged",
  /** Clients that are not answered although all nodes run. */
  "stuck",
  /** A node that ended by itself, or said that it has a bug. */
  "mishap",
] as const;
export type Fault = (typeof FAULTS)[number];

/** What was found wrong, each thing once however often it is met. */
export class Findings {
  readonly #found = new Map<Fault, Set<string>>();

  /** What is found on several nodes, or from both sides, is one. */
  report(fault: Fault, ...what: readonly string[]): void {
    if (what.length === 0) return;
    const found = this.#found.get(fault) ?? new Set();
    this.#found.set(fault, found);
    for (const one of what) found.add(one);
  }

  get isEmpty(): boolean {
    return this.#found.size === 0;
  }

  of(fault: Fault): readonly string[] {
    return [...this.#found.get(fault) ?? []];
  }

  /** Each with what it was about, for a test to compare. */
  list(): readonly (readonly [Fault, readonly string[]])[] {
    return [...this.#found].map(([fault, what]) => [fault, [...what]]);
  }
}
