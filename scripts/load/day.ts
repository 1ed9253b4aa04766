import { type Program, ServerProcess } from "../../server/testing/server_process.ts";
import { type Credentials, statusOf, WireClient } from "../../server/testing/wire_client.ts";
import { askNode } from "../../server/operator/control.ts";
import { measureMachine } from "./machine.ts";
import { PACERS, Pacers } from "./pacers.ts";
import { megabytes, print, printMachine, printQuantiles, printRound, ratio } from "./print.ts";
import { type Plan, runRound, signUpMany, UNPACED } from "./round.ts";

/** Of each ten messages of a conversation, so many are deleted, and so many of the others are read. */
const DELETED_OF_TEN = 6;
const READ_OF_TEN = 3;
/** Ids in one request to delete or read. */
const IDS_PER_REQUEST = 50;
const LISTED_MAX = 1000;
/** Clients that tidy up at once. */
const TIDY_AT_ONCE = 16;

/**
 * Measures a day of heavy use in minutes: many messages, of which most are deleted or read; what the
 * journal takes then, before and after compaction; what compaction does to clients; how long a start
 * takes after it.
 */
export async function measureDay(program: Program, directory: string, plan: Plan): Promise<void> {
  printMachine(await measureMachine(directory, plan.machineMs));
  let server = await ServerProcess.start(program, directory, 0, { limits: UNPACED });
  try {
    const users = await signUpMany(server.port, plan.accounts);
    const round = await runRound({
      servers: [server],
      users,
      clients: 64,
      inFlight: 32,
      messages: plan.messages,
    });
    printRound("64 clients, 32 in flight", round);
    const startMs = performance.now();
    await tidyAll(server.port, users);
    const { messages, journalBytes } = await statusOf(server.port);
    print(
      "messages that are there, after deleting and reading",
      `${messages.toLocaleString("en")}, in ${((performance.now() - startMs) / 1000).toFixed(0)} s`,
    );
    print("disk, snapshot and journal, before", megabytes(journalBytes));
    await measureCompaction(server, users, `${directory}/data`, plan);
    await measureExport(program, `${directory}/data`);
    await server.stop();
    const stoppedMs = performance.now();
    server = await ServerProcess.start(program, directory, 0, { limits: UNPACED });
    await statusOf(server.port);
    const seconds = (performance.now() - stoppedMs) / 1000;
    print("start to STATUS, after compaction", `${seconds.toFixed(2)} s`);
    print("memory after that start", megabytes(await server.residentBytes()));
    await measureStartOfAll(program, directory, plan);
  } catch (error) {
    console.error(server.log.slice(-20).join("\n"));
    throw error;
  } finally {
    await server.stop("SIGKILL");
  }
}

/** What clients notice of a compaction, against a time before of the same length. */
async function measureCompaction(
  server: ServerProcess,
  users: readonly Credentials[],
  data: string,
  plan: Plan,
): Promise<void> {
  const pacersOf = () => new Pacers([server.port], users, () => {});
  const before = pacersOf();
  await before.run(plan.roundMs);
  printQuantiles(`${PACERS} clients before compaction`, before.times);
  const meanwhile = pacersOf();
  const running = meanwhile.run(Infinity);
  // Looked at below; if what comes before that fails, that is to be told.
  running.catch(() => {});
  const startMs = performance.now();
  const report = await askNode(data, { command: "compact" });
  if (report === undefined) throw new Error("Cannot measure: no node runs");
  const seconds = (performance.now() - startMs) / 1000;
  meanwhile.stop();
  await running;
  printQuantiles(`${PACERS} clients meanwhile, ${seconds.toFixed(1)} s`, meanwhile.times);
  print("p99 meanwhile, against before", ratio(meanwhile.times.p99Ms / before.times.p99Ms));
  const { bytesBefore, bytesAfter } = report;
  print("compaction", `${megabytes(bytesBefore)} to ${megabytes(bytesAfter)}`);
}

async function measureExport(program: Program, data: string): Promise<void> {
  const args = [...program.args, "export", "--data", data];
  const command = new Deno.Command(program.command, { args, stdout: "piped", stderr: "inherit" });
  const child = command.spawn();
  let exported = 0;
  for await (const chunk of child.stdout) exported += chunk.length;
  if (!(await child.status).success) throw new Error("Cannot measure: the export failed");
  let stored = 0;
  for await (const { name } of Deno.readDir(data)) {
    if (name.endsWith(".jsonl")) stored += (await Deno.stat(`${data}/${name}`)).size;
  }
  print("export of what is there", megabytes(exported));
  print("disk, against the export", ratio(stored / exported));
}

/** Lets every user delete and read, a few at a time. */
async function tidyAll(port: number, users: readonly Credentials[]): Promise<void> {
  const waiting = [...users];
  const work = async () => {
    for (let user = waiting.pop(); user !== undefined; user = waiting.pop()) {
      const client = await WireClient.resumed(port, user);
      for (const friend of users) await tidy(client, user.name, friend.name);
      client.close();
    }
  };
  await Promise.all(Array.from({ length: TIDY_AT_ONCE }, work));
}

/** Deletes some of the messages that `name` sent to a friend, and reads some of theirs. */
async function tidy(client: WireClient, name: string, friend: string): Promise<void> {
  const sent: string[] = [];
  const received: string[] = [];
  let before: string | undefined;
  do {
    const payload = { with: friend, limit: LISTED_MAX, ...before !== undefined && { before } };
    const listed = await client.expect("messages", { kind: "list_messages", payload });
    for (const { id, sender } of listed) (sender === name ? sent : received).push(id);
    before = listed[0]?.id;
  } while (before !== undefined);
  // Whoever the message is of: both would take the same ones.
  const gone = sent.filter((id) => shareOf(id) < DELETED_OF_TEN);
  const read = received.filter((id) => {
    const share = shareOf(id) - DELETED_OF_TEN;
    return share >= 0 && share < READ_OF_TEN;
  });
  for (const ids of inRequests(gone)) {
    await client.expect("done", { kind: "delete_messages", payload: ids });
  }
  for (const ids of inRequests(read)) {
    await client.expect("done", { kind: "read_messages", payload: ids });
  }
}

/** 0 to 9, by the id's key, so that both sides of a conversation agree. */
function shareOf(id: string): number {
  let sum = 0;
  for (let index = 0; index < id.length; index++) sum += id.charCodeAt(index) * (index + 1);
  return sum % 10;
}

function* inRequests(ids: readonly string[]): Generator<string[]> {
  for (let at = 0; at < ids.length; at += IDS_PER_REQUEST) {
    yield ids.slice(at, at + IDS_PER_REQUEST);
  }
}

/** A start with all messages there: sent again, compacted, and not deleted. */
async function measureStartOfAll(
  program: Program,
  directory: string,
  plan: Plan,
): Promise<void> {
  const other = `${directory}/all`;
  await Deno.mkdir(other);
  let server = await ServerProcess.start(program, other, 0, { limits: UNPACED });
  try {
    const users = await signUpMany(server.port, plan.accounts);
    const { messages } = plan;
    await runRound({ servers: [server], users, clients: 64, inFlight: 32, messages });
    await askNode(`${other}/data`, { command: "compact" });
    await server.stop();
    const stoppedMs = performance.now();
    server = await ServerProcess.start(program, other, 0, { limits: UNPACED });
    const { messages: there } = await statusOf(server.port);
    const seconds = (performance.now() - stoppedMs) / 1000;
    const count = there.toLocaleString("en");
    print(`start to STATUS, ${count} messages, compacted`, `${seconds.toFixed(2)} s`);
    print("memory after that start", megabytes(await server.residentBytes()));
  } finally {
    await server.stop("SIGKILL");
  }
}
