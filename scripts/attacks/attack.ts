import type { Outcome } from "./orders.ts";
import type { Site } from "./site.ts";
import type { WeaponName } from "./weapons.ts";

/** How much of an attack there is: all of it, a tenth for a look, or a touch for the suite. */
export type Size = "full" | "quick" | "touch";

/** So many connections, guesses and the like, in each size, by what the weapon calls them. */
export type Amounts = Readonly<Record<Size, Readonly<Record<string, number>>>>;

/** One attack: what strangers do, and what must not come of it. */
export interface Attack {
  readonly name: string;
  /** What is done, as a clause without a subject. */
  readonly does: string;
  readonly weapon: WeaponName;
  /** 3 where it is about what nodes do together; there, nothing that attackers say is taken. */
  readonly nodes: 1 | 3;
  /** Whether nodes have certificates, and talk TLS with everybody. */
  readonly tls?: true;
  /** In how many processes, of which each has these amounts. */
  readonly processes: number;
  readonly amounts: Amounts;
  /** How people sign in meanwhile: by token, unless it is passwords that are attacked. */
  readonly peopleSignInBy?: "password";
  /** Goes on until all is done, however long that takes. */
  readonly hasAnEnd?: true;
  /** What the operator does at its height: what goes wrong with that. */
  meanwhile?(site: Site): Promise<string[]>;
  /** What one of the nodes may take in memory beyond what it had before, in bytes. */
  readonly growthBytesMax?: number;
  /** What was done, for people. */
  figure(outcome: Outcome, seconds: number): string;
  /** What is answered to it, besides that it is too much. Without, anything may be. */
  readonly answers?: readonly string[];
  /** What else came of it and should not have. */
  faults?(outcome: Outcome, seconds: number): string[];
}

/** Unless an attack says otherwise: what is allocated and thrown away is collected late. */
export const GROWTH_BYTES_MAX = 300_000_000;
