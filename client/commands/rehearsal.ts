import { ChatClient, type Clock, formatHost, type Host, type Outside } from "../connection.ts";
import { counted } from "../text/wording.ts";
import type { DemoSite } from "./demo_site.ts";
import { compareNodes, type Comparison, verdict } from "./node_comparison.ts";
import { Person } from "./rehearsal_person.ts";
import { askNode } from "./status.ts";

export interface RehearsalParts {
  readonly outside: Outside;
  /** Its nodes listen. */
  readonly site: DemoSite;
  /** Takes a line of the story. */
  readonly tell: (line: string) => Promise<void>;
}

const GREETINGS = ["Hello Bob", "Are the nodes alive?", "I shall kill two of them now."];
const ANSWER = "Go ahead, what is stored is stored.";
/** Each of them is a message by both, sent at once. */
const ROUNDS = 20;
/** The round in which two nodes are killed, with the messages under way. */
const KILL_ROUND = 5;
const VICTIMS = ["node1", "node2"];
const POLL_MS = 50;

/**
 * Two people talk by way of different nodes, two of the three are killed meanwhile and started
 * again, and in the end all must be everywhere, once. Throws if it is not so.
 */
export async function rehearse(parts: RehearsalParts): Promise<void> {
  const { outside, site, tell } = parts;
  const startMs = outside.clock.nowMs();
  for (const { name, host } of site.members) await tell(`${name} listens on ${formatHost(host)}`);
  const [first, second, third] = site.hosts;
  if (first === undefined || second === undefined || third === undefined) {
    throw new Error("The demo needs three nodes");
  }
  await using alice = await Person.signUp("alice", [first, second, third], outside);
  await using bob = await Person.signUp("bob", [second, first, third], outside);
  for (const { place, client: { session: { copies } } } of [alice, bob]) {
    await tell(`${place} has signed up${copies === undefined ? "" : ` (${storedText(copies)})`}`);
  }
  await knowEachOther(alice, bob, outside.clock);
  await greet(alice, bob, tell);
  await tell(verdict(await untilEqual(parts)));
  await talkWhileNodesDie(alice, bob, parts);
  await tell(`${VICTIMS.join(" and ")} are started again`);
  await site.start(...VICTIMS);
  await tell(`${verdict(await untilEqual(parts))} again`);
  await checkAll(alice, bob, parts);
  const tookMs = outside.clock.nowMs() - startMs;
  await tell(`nothing was lost, nothing came twice (${seconds(tookMs)})`);
}

/** Waits until the node of each knows the other: it may not be one of those that stored the account. */
async function knowEachOther(alice: Person, bob: Person, clock: Clock): Promise<void> {
  for (const [one, other] of [[alice, bob], [bob, alice]] as const) {
    await poll(clock, async () => (await one.client.users({ pattern: other.name })).length > 0);
  }
}

async function greet(
  alice: Person,
  bob: Person,
  tell: RehearsalParts["tell"],
): Promise<void> {
  for (const content of GREETINGS) {
    const { copies } = await alice.send(bob, content);
    await tell(`${alice.place} writes: ${content} (${storedText(copies)})`);
    await bob.received(content);
    await tell(`${bob.place} receives it`);
  }
  await bob.client.readMessages(alice.name);
  await alice.seesRead(GREETINGS.length);
  await tell(`${alice.place} sees that bob has read all ${GREETINGS.length}`);
  const { copies } = await bob.send(alice, ANSWER);
  await tell(`${bob.place} answers: ${ANSWER} (${storedText(copies)})`);
  await alice.received(ANSWER);
  await tell(`${alice.place} receives it`);
}

async function talkWhileNodesDie(
  alice: Person,
  bob: Person,
  { outside: { clock }, site, tell }: RehearsalParts,
): Promise<void> {
  const all: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const startMs = clock.nowMs();
    const sending = [alice.send(bob, `alice ${round}`), bob.send(alice, `bob ${round}`)];
    if (round === KILL_ROUND) {
      await tell(`kill -9 to ${VICTIMS.join(" and ")}, with messages under way`);
      await site.kill(...VICTIMS);
    }
    all.push(...(await Promise.all(sending)).map(({ copies }) => copies));
    if (round === KILL_ROUND) {
      const tookMs = clock.nowMs() - startMs;
      await tell(`${alice.place} and ${bob.place} go on, ${seconds(tookMs)} later`);
    }
  }
  const byCopies = [...Map.groupBy(all, (copies) => copies)].sort(([a], [b]) => b - a);
  for (const [copies, { length }] of byCopies) {
    await tell(`${counted(length, "message")} ${storedText(copies)} when acknowledged`);
  }
}

/** Each was told all, once; each node has all, once, and in the same order. */
async function checkAll(
  alice: Person,
  bob: Person,
  { outside, site, tell }: RehearsalParts,
): Promise<void> {
  for (const [reader, writer] of [[alice, bob], [bob, alice]] as const) {
    for (const content of writer.sent) await reader.received(content);
    expectSame(`what ${reader.name} was told`, reader.toldBy(writer), writer.sent);
  }
  const orders = new Set<string>();
  for (const { name, host } of site.members) {
    const contents = await historyAt(host, bob, outside);
    expectSame(`the history on ${name}`, contents, [...alice.sent, ...bob.sent]);
    orders.add(JSON.stringify(contents));
    await tell(`${name} has all ${contents.length} messages, each once`);
  }
  if (orders.size > 1) throw new Error("The demo found other orders of messages on other nodes");
}

async function historyAt(host: Host, bob: Person, outside: Outside): Promise<string[]> {
  await using client = new ChatClient({ hosts: [host], outside });
  const { user, token } = bob.client.session;
  await client.signIn({ user, token });
  const newestFirst = client.historyFromNewest("alice");
  return (await Array.fromAsync(newestFirst, ({ content }) => content)).reverse();
}

function expectSame(what: string, found: readonly string[], expected: readonly string[]): void {
  const [got, wanted] = [found, expected].map((contents) => JSON.stringify(contents.toSorted()));
  if (got !== wanted) throw new Error(`The demo found ${what} to be ${got} instead of ${wanted}`);
}

async function untilEqual({ outside, site }: RehearsalParts): Promise<Comparison> {
  for (;;) {
    const answers = await Promise.all(site.members.map((member) => askNode(outside, member)));
    const comparison = compareNodes(answers);
    if (comparison.diverged.length > 0) throw new Error(`The demo found: ${verdict(comparison)}`);
    if (comparison.equal === site.members.length) return comparison;
    await pause(outside.clock);
  }
}

async function poll(clock: Clock, isSo: () => Promise<boolean>): Promise<void> {
  while (!await isSo()) await pause(clock);
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.after(POLL_MS, resolve));
}

function storedText(copies: number): string {
  return `stored on ${copies} of 3 nodes`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
