import type { Credentials } from "../../server/testing/wire_client.ts";
import type { NodeIdentity } from "../../server/tls/identity.ts";

/** What an attacking process is to do, and to whom. */
export interface Orders {
  readonly weapon: string;
  /** Of all nodes, for clients. */
  readonly ports: readonly number[];
  /** Of all nodes, for each other. */
  readonly peerPorts: readonly number[];
  /** Of the attackers: all have signed up, as anybody may. */
  readonly accounts: readonly Credentials[];
  readonly password: string;
  /** Where nodes talk TLS: the CA that issued their certificates, as any invite tells. */
  readonly ca?: string;
  /** A certificate in the name of a node, of another CA. */
  readonly stranger?: NodeIdentity;
  /** Among the attacking processes, from 0: each has addresses of its own. */
  readonly process: number;
  /** How many connections, guesses and the like, by what the weapon calls them. */
  readonly amounts: Readonly<Record<string, number>>;
}

/** How often something came about, by its name. */
export type Counts = Readonly<Record<string, number>>;

/** What attackers did, and how often they were answered what: by the kind of a reply, or the code of a refusal. */
export interface Outcome {
  readonly deeds: Counts;
  readonly answers: Counts;
}

/** What an attacking process says, one JSON object a line. */
export type Message =
  /** All is where it is to be: what is measured from now on is the attack at its height. */
  | { readonly kind: "in_place" }
  /** It has done all that it was to do; not all attacks come to an end by themselves. */
  | { readonly kind: "done" }
  /** The last line. */
  | { readonly kind: "report"; readonly outcome: Outcome };

/** What they came to together. */
export function sumOfOutcomes(all: readonly Outcome[]): Outcome {
  return {
    deeds: sumOfCounts(all.map(({ deeds }) => deeds)),
    answers: sumOfCounts(all.map(({ answers }) => answers)),
  };
}

function sumOfCounts(all: readonly Counts[]): Counts {
  const sum: Record<string, number> = {};
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
  }
  return sum;
}
