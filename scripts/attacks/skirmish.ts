import type { Attack, Size } from "./attack.ts";
import { GROWTH_BYTES_MAX } from "./attack.ts";
import { AttackingProcess } from "./attacking_process.ts";
import { type Outcome, sumOfOutcomes } from "./orders.ts";
import { GUESSED, PASSWORD, type Site } from "./site.ts";
import type { Seen, Watch } from "./watch.ts";

export interface SkirmishOptions {
  readonly attack: Attack;
  readonly size: Size;
  readonly site: Site;
  readonly watch: Watch;
  /** How long the attack is at its height. */
  readonly ms: number;
}

/** What an attack came to. */
export interface Skirmish {
  readonly attack: Attack;
  readonly seconds: number;
  readonly outcome: Outcome;
  /** What people met with meanwhile. */
  readonly during: Seen;
  readonly residentBytesBefore: number;
  readonly residentBytesMax: number;
  /** What should not have come of it, whatever the clock says. */
  readonly faults: readonly string[];
}

/** What whoever does too much may be answered. */
const TOO_MUCH: readonly string[] = [
  "busy",
  "slow_down",
  "too_many_attempts",
  "too_many_connections",
];
/** How long attackers may take until all is where it is to be, or until all is done. */
const PATIENCE_MS = 120_000;

/** Attacks, and looks at what they and the nodes met with meanwhile. */
export async function skirmish(options: SkirmishOptions): Promise<Skirmish> {
  const { attack, site, watch, ms } = options;
  const residentBytesBefore = await site.residentBytes();
  const { messages, accounts } = await site.holdings();
  const startMs = performance.now();
  const processes = attackersOf(options);
  const meanwhile: string[] = [];
  const attacking = async () => {
    await inTime(Promise.all(processes.map(({ inPlace }) => inPlace)), "in place");
    await pause(ms);
    if (attack.hasAnEnd) await inTime(Promise.all(processes.map(({ done }) => done)), "done");
  };
  let during: Seen;
  let outcome: Outcome;
  try {
    during = await watch.until(attacking(), attack.peopleSignInBy ?? "token");
    meanwhile.push(...await attack.meanwhile?.(site) ?? []);
  } finally {
    outcome = sumOfOutcomes(await Promise.all(processes.map((process) => process.stop())));
  }
  const seconds = (performance.now() - startMs) / 1000;
  const residentBytesMax = await site.peakResidentBytes();
  const growth = residentBytesMax - residentBytesBefore;
  const growthMax = attack.growthBytesMax ?? GROWTH_BYTES_MAX;
  const faults = [
    ...during.faults,
    ...meanwhile,
    ...strangeAnswers(attack, outcome),
    ...attack.faults?.(outcome, seconds) ?? [],
    ...attack.nodes === 3
      ? await site.disagreements({ messages: messages + during.sends.count, accounts })
      : [],
    ...site.mishaps(),
    ...growth > growthMax
      ? [`a node grew by ${Math.round(growth / 1e6)} MB, of ${Math.round(growthMax / 1e6)}`]
      : [],
  ];
  return {
    ...{ attack, seconds, outcome, during },
    ...{ residentBytesBefore, residentBytesMax, faults },
  };
}

/** What nobody should have been answered. */
function strangeAnswers({ answers }: Attack, outcome: Outcome): string[] {
  if (answers === undefined) return [];
  const found = Object.keys(outcome.answers);
  return [
    ...found.filter((name) => !answers.includes(name) && !TOO_MUCH.includes(name))
      .map((name) => `some were answered ${name}`),
    ...found.length === 0 && answers.length > 0 ? [`nobody was answered ${answers[0]}`] : [],
  ];
}

function attackersOf({ attack, size, site }: SkirmishOptions): AttackingProcess[] {
  const { weapon, amounts } = attack;
  const isGuessing = weapon === "guesses";
  const accounts = isGuessing ? [{ name: GUESSED, token: "" }] : site.attackers;
  return Array.from(
    { length: size === "touch" ? 1 : attack.processes },
    (_, process) =>
      new AttackingProcess({
        ...{ weapon, process, accounts, password: PASSWORD, amounts: amounts[size] },
        ...{ ports: site.ports, peerPorts: site.peerPorts, ...site.certificates },
      }),
  );
}

async function inTime(work: Promise<unknown>, what: string): Promise<void> {
  const overdue = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => overdue.reject(new Error(`The attackers are not ${what} after ${PATIENCE_MS} ms`)),
    PATIENCE_MS,
  );
  await Promise.race([work, overdue.promise]).finally(() => clearTimeout(timer));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
