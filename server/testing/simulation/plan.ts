import { Random } from "../random.ts";
import type { DiskSpeed } from "./disk.ts";
import type { NetworkSpeed } from "./network.ts";

/** What may happen in a world, besides what people do. */
export const FAULT_KINDS = [
  /** SIGKILL. */
  "kill",
  /** Of one machine, two, or all. */
  "power cut",
  /** SIGTERM. */
  "restart",
  "pause",
  /** Between two machines, one way or both. */
  "cut",
  /** From all other nodes, one way or both. */
  "isolate",
  "reset",
  /** Between a person and a node. */
  "cut off",
  /** A person's machine sleeps. */
  "sleep",
  "compact",
  "slow disk",
  "full disk",
  "failing disk",
  "clock",
  /** An operation that only newer versions know. */
  "newer version",
  /** Somebody signs up, writes, changes the password, and may delete the account. */
  "visitor",
  /** Wiped, put back to an old copy, or replaced by another node's. */
  "lost disk",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** One thing that is done at one time: all else about it is drawn from its own seed. */
export interface Deed {
  /** What names it in a replay. */
  readonly number: number;
  readonly atMs: number;
  readonly kind: FaultKind | "act";
  readonly seed: number;
}

/** All that a seed stands for, besides the order of events. */
export interface Plan {
  readonly people: number;
  /** Whether the first of them has a second device. */
  readonly hasSecondDevice: boolean;
  readonly copies: number;
  readonly copyTimeoutMs: number;
  readonly diskSpeed: DiskSpeed;
  readonly networkSpeed: NetworkSpeed;
  /** Of calls between nodes, one in so many arrives twice; 0 is none. */
  readonly duplicateOneIn: number;
  /** How many machines may lose their disk. Of acknowledgements on no more than so many nothing is promised. */
  readonly disksLost: number;
  /** How many machines work, and reach each other, when the last fault is over. */
  readonly survivors: number;
  /** How long faults go on, in ms. */
  readonly faultsMs: number;
  /** How all nodes end at last, to show that they have on disk what they had in memory. */
  readonly ending: "kill" | "power cut" | "none";
  readonly deeds: readonly Deed[];
}

/** From a desk's disk to one that is shared with too many. */
const DISK_SPEEDS: readonly [DiskSpeed, ...DiskSpeed[]] = [
  { callUs: 60, syncUs: 400 },
  { callUs: 300, syncUs: 4_000 },
  { callUs: 2_000, syncUs: 40_000 },
];
/** From one rack to the other side of the world. */
const NETWORK_SPEEDS: readonly [NetworkSpeed, ...NetworkSpeed[]] = [
  { minUs: 30, maxUs: 200 },
  { minUs: 100, maxUs: 4_000 },
  { minUs: 2_000, maxUs: 60_000 },
];

/** The plan of a seed. */
export function planOf(seed: number): Plan {
  const random = new Random(seed);
  const faultsMs = random.between(3_000, 8_000);
  // Each world has few kinds of faults, so that rare ones are not drowned by others, and meet.
  const kinds = FAULT_KINDS.filter((kind) => random.oneIn(kind === "lost disk" ? 4 : 2));
  const faults = kinds.length === 0 ? 0 : random.below(20);
  const acts = random.between(80, 150);
  const deeds = [
    ...Array.from({ length: faults }, () => random.pick(kinds) ?? "kill"),
    ...Array.from({ length: acts }, () => "act" as const),
  ].map((kind) => ({ kind, atMs: random.below(faultsMs), seed: random.below(2 ** 32) }))
    .sort((a, b) => a.atMs - b.atMs)
    .map((deed, number) => ({ ...deed, number }));
  const disksLost = kinds.includes("lost disk") ? random.between(1, 3) : 0;
  return {
    people: random.between(2, 5),
    hasSecondDevice: random.oneIn(3),
    copies: random.between(1, 4),
    copyTimeoutMs: random.pick([100, 400, 1_000]),
    diskSpeed: random.pick(DISK_SPEEDS),
    networkSpeed: random.pick(NETWORK_SPEEDS),
    duplicateOneIn: random.pick([0, 3]),
    disksLost,
    // Who lost a disk may still have nothing when all others die.
    survivors: random.between(1 + disksLost, 4),
    faultsMs,
    ending: random.pick(["kill", "power cut", "none", "none"] as const),
    deeds,
  };
}
