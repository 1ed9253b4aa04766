import { assertEquals } from "@std/assert";
import { CLOCK_AHEAD_MAX_MS } from "../../core/hybrid_clock.ts";
import { nodeOf } from "../../core/operation.ts";
import { audit } from "../people/audit.ts";
import { model } from "../model.ts";
import { observe, seenOf } from "../observe.ts";
import { Doer } from "./deeds.ts";
import type { Milestone } from "./machine.ts";
import { type Plan, planOf } from "./plan.ts";
import type { Trace } from "./scheduler.ts";
import { ViolationError, World } from "./world.ts";

export interface SimulationReport {
  readonly seed: number;
  readonly plan: Plan;
  /** Events that happened. */
  readonly steps: number;
  /** Changes that were acknowledged. */
  readonly acknowledged: number;
  /** Simulated time, in ms. */
  readonly elapsedMs: number;
  /** Whether all operations were seen one by one, and the model agreed. */
  readonly wasModelled: boolean;
  /** How often nodes were in trouble, and got out of it. */
  readonly milestones: ReadonlyMap<Milestone, number>;
  /** What was found wrong: nothing in a sound world. */
  readonly violations: readonly string[];
  readonly trace: Trace;
}

export interface SimulationOptions {
  /** Which of the plan's deeds are done, by their numbers: all unless said otherwise. */
  readonly isDone?: (deed: number) => boolean;
  /** Another one is another order of events, with the same plan. */
  readonly salt?: number;
}

/** Within so long after the last fault every request is answered, in ms. */
const ANSWER_MS_MAX = 20_000;
/** Within so long all nodes know the same, in ms. */
const CONVERGENCE_MS_MAX = 20_000;

/**
 * Lets a world of three nodes live through what a seed stands for, and looks for what is promised
 * and not so. The same seed, with the same deeds, goes the same way to the last byte of its trace.
 */
export async function simulate(
  seed: number,
  { isDone = () => true, salt = 0 }: SimulationOptions = {},
): Promise<SimulationReport> {
  const plan = planOf(seed);
  const world = new World(plan, worldSeed(seed, salt));
  let wasModelled = false;
  const stopWatching = watchRejections(world);
  try {
    await world.begin();
    await live(world, plan.deeds.filter(({ number }) => isDone(number)));
    wasModelled = await compare(world);
    await end(world);
  } catch (error) {
    if (!(error instanceof ViolationError)) world.report(`nobody catches ${describe(error)}`);
  } finally {
    stopWatching();
  }
  const { scheduler, history, violations, milestones } = world;
  return {
    ...{ seed, plan, wasModelled, milestones, violations: [...new Set(violations)] },
    steps: scheduler.steps,
    acknowledged: history.acknowledged,
    elapsedMs: scheduler.nowMs,
    trace: scheduler.trace,
  };
}

/** Of a real node, or client, it would be the end. */
function watchRejections(world: World): () => void {
  const report = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    world.report(`nobody handles the rejection ${describe(event.reason)}`);
  };
  addEventListener("unhandledrejection", report);
  return () => removeEventListener("unhandledrejection", report);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/** Faults, then a calm with as many nodes as are left, then one with all. */
async function live(world: World, deeds: Plan["deeds"]): Promise<void> {
  const { plan, scheduler, machines, history } = world;
  const doer = new Doer(world);
  doer.schedule(deeds);
  await world.pass(plan.faultsMs);
  scheduler.note("world", `the last fault is over; ${plan.survivors} nodes are left`);
  doer.stop();
  const first = world.random.below(machines.length);
  for (const [index, machine] of machines.entries()) {
    const place = (index - first + machines.length) % machines.length;
    if (place < plan.survivors) machine.start();
    else machine.kill();
  }
  world.heal();
  await world.within(ANSWER_MS_MAX, "requests of before", () => doer.answered());
  const unknown = () => history.tally.send.unknown;
  const before = unknown();
  await world.within(
    ANSWER_MS_MAX,
    `requests to ${plan.survivors} nodes`,
    () => Promise.all(world.people.map((person) => person.act("send", world.random.fork()))),
  );
  if (unknown() > before) world.fail("stuck: a request that nobody answered in a calm");
  for (const machine of machines) {
    machine.start();
    machine.isSupervised = true;
  }
  scheduler.note("world", "all nodes are started");
  await world.within(
    ANSWER_MS_MAX,
    "messages that are sent again",
    () => Promise.all(world.people.map((person) => person.settle())),
  );
  await world.converge(CONVERGENCE_MS_MAX);
}

/** What there is against what was asked and answered. Returns whether the model could be asked. */
async function compare(world: World): Promise<boolean> {
  const { people, credentials, history, plan } = world;
  await world.within(
    ANSWER_MS_MAX,
    "what everybody is to be told",
    () => Promise.all(people.map((person) => person.upToDate())),
  );
  const mailboxes = await world.within(
    ANSWER_MS_MAX,
    "an audit",
    () =>
      audit({
        hosts: world.hostsFrom(0),
        people: credentials,
        history,
        outside: world.outsideOf("audit"),
      }),
  );
  for (const { name, view } of people) {
    const listed = [...mailboxes.get(name)?.conversations.values() ?? []].flat();
    // What was told of what a lost disk alone had is void.
    if (plan.disksLost === 0) view.compare(listed);
  }
  world.check();
  return compareWithModel(world);
}

/** Ends all nodes at once: what they read from their disks has to be the same again. */
async function end(world: World): Promise<void> {
  const { plan: { ending }, machines, scheduler } = world;
  if (ending === "none") return;
  const before = machines[0]?.node?.state.digest;
  scheduler.note("world", `all nodes end by ${ending}`);
  for (const machine of machines) {
    if (ending === "kill") machine.kill();
    else machine.losePower();
  }
  for (const machine of machines) machine.start();
  await world.converge(CONVERGENCE_MS_MAX);
  if (machines[0]?.node?.state.digest !== before) world.fail("another state after a start");
}

function compareWithModel(world: World): boolean {
  const state = world.machines[0]?.node?.state;
  if (state === undefined) world.fail("node1 is gone in a calm");
  const operations = world.witness.operationsOf(state.vector);
  if (operations === undefined) return false;
  try {
    assertEquals(seenOf(observe(state)), seenOf(model(operations)));
  } catch (error) {
    world.fail(`the model differs: ${error instanceof Error ? error.message : error}`);
  }
  for (const { origin, timeMs, kind } of operations) {
    const clock = world.machines.find(({ name }) => name === nodeOf(origin))?.clock;
    if (timeMs <= (clock?.latestMs ?? Infinity) + CLOCK_AHEAD_MAX_MS) continue;
    world.fail(`${kind} of ${origin} is stamped ${timeMs}: that clock came to ${clock?.latestMs}`);
  }
  const unknown = operations.filter(({ kind }) => kind === "unknown").length;
  for (const { name, node } of world.machines) {
    if ([...node?.state.unknown ?? []].length === unknown) continue;
    world.fail(`${name} has not kept all ${unknown} operations that only newer versions know`);
  }
  return true;
}

/** Not the plan's: to leave out a deed must not change what all others are. */
function worldSeed(seed: number, salt: number): number {
  return Math.imul(seed, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b);
}
