import { FAULTS, Ledger } from "../crash/ledger.ts";

/** What can be wrong with a cluster, each of which is never to be seen. */
export const CLUSTER_FAULTS = [
  ...FAULTS,
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
export type ClusterFault = (typeof CLUSTER_FAULTS)[number];

/** All that clients were told, by the pair of people it is between, and what was wrong with it. */
export class Books {
  readonly faults = new Map<ClusterFault, Set<string>>();
  /** How often a change was said to be on so many nodes. */
  readonly copies = new Map<number, number>();
  /** Read and delete requests that did all that was asked. */
  changes = 0;
  /** Keys that were sent again after their acknowledgement. */
  repeats = 0;
  /** What is on fewer nodes than this may be lost, because so many disks less one may be. */
  readonly safeCopies: number;
  readonly #nodes: number;
  readonly #ledgers = new Map<string, Ledger>();

  constructor(nodes: number, safeCopies: number) {
    this.#nodes = nodes;
    this.safeCopies = safeCopies;
  }

  /** The same whoever of the two asks. */
  between(a: string, b: string): Ledger {
    const pair = a < b ? `${a} ${b}` : `${b} ${a}`;
    let ledger = this.#ledgers.get(pair);
    if (ledger === undefined) {
      ledger = new Ledger();
      this.#ledgers.set(pair, ledger);
    }
    return ledger;
  }

  get sent(): number {
    return this.#total("size");
  }

  get acknowledged(): number {
    return this.#total("acknowledged");
  }

  /** What is found on several nodes, or from both sides, is one. */
  report(fault: ClusterFault, ...what: readonly string[]): void {
    if (what.length === 0) return;
    const found = this.faults.get(fault) ?? new Set();
    this.faults.set(fault, found);
    for (const one of what) found.add(one);
  }

  noteCopies(copies: number): void {
    this.copies.set(copies, (this.copies.get(copies) ?? 0) + 1);
    if (copies < 1 || copies > this.#nodes) this.report("implausible copies", `${copies}`);
  }

  #total(what: "size" | "acknowledged"): number {
    let sum = 0;
    for (const ledger of this.#ledgers.values()) sum += ledger[what];
    return sum;
  }
}
