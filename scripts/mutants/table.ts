import { BETWEEN_NODES } from "./between_nodes.ts";
import type { Mutant } from "./mutant.ts";
import { ON_DISK } from "./on_disk.ts";
import { TOWARDS_PEOPLE } from "./towards_people.ts";

/**
 * Faults of which each has been in some system like this one: the simulation, or the suite, has to find
 * all of them. They are subtle where they can be, so that only a crash, a lost disk or a race shows them.
 */
export const MUTANTS: readonly Mutant[] = [...ON_DISK, ...BETWEEN_NODES, ...TOWARDS_PEOPLE];
