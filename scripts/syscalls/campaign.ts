import type { ChatMessage } from "../../codec/message.ts";
import { askNode } from "../../server/operator/control.ts";
import { StorageError } from "../../server/journal/files.ts";
import { describeMessage } from "../../server/requests/message.ts";
import { JournalNode } from "../../server/testing/journal_node.ts";
import { checkConversation } from "../../server/testing/people/explain.ts";
import { History, type Message } from "../../server/testing/people/history.ts";
import { ServerProcess } from "../../server/testing/server_process.ts";
import { ClosedError, WireClient } from "../../server/testing/wire_client.ts";
import { failing, type Injection, type Target, wasInjected } from "./faulty_process.ts";

export interface SyscallsOptions {
  /** Where runs put what they make. */
  readonly directory: string;
  readonly targets: readonly Target[];
  readonly injections: readonly Injection[];
  /** No call after this one of a target fails. */
  readonly nthMax: number;
  readonly log: (line: string) => void;
}

export interface SyscallsReport {
  runs: number;
  /** In which a call failed. */
  injected: number;
  /** After which the node went on: it was not the journal's. */
  wentOn: number;
  acknowledged: number;
  readonly faults: string[];
}

/** All that is written, synced, renamed and removed while a node starts and compacts twice. */
export const TARGETS: readonly Target[] = [
  ...[1, 2, 3].flatMap((number): Target[] => [
    { file: `journal-0000000${number}.jsonl`, calls: "write" },
    { file: `journal-0000000${number}.jsonl`, calls: "sync" },
  ]),
  ...[2, 3].flatMap((number): Target[] => [
    { file: `snapshot-0000000${number}.jsonl.new`, calls: "write" },
    { file: `snapshot-0000000${number}.jsonl.new`, calls: "sync" },
    { file: `snapshot-0000000${number}.jsonl.new`, calls: "rename" },
  ]),
  { file: "journal-00000001.jsonl", calls: "remove" },
  { file: "journal-00000002.jsonl", calls: "remove" },
  { file: "snapshot-00000002.jsonl", calls: "remove" },
  { file: "node.json.new", calls: "write" },
  { file: "node.json.new", calls: "sync" },
  { file: "node.json.new", calls: "rename" },
  { file: "", calls: "sync" },
];

/** The journal's own: after a failure of these the node has to end. */
const IS_FINAL = /^(journal|node)/;

/** Who writes notes to themselves. */
const USER = "alice";

/** Lets each call of each target fail once, as long as there are any, and looks at what is left. */
export async function runSyscalls(options: SyscallsOptions): Promise<SyscallsReport> {
  const report: SyscallsReport = { runs: 0, injected: 0, wentOn: 0, acknowledged: 0, faults: [] };
  for (const target of options.targets) {
    for (const injection of options.injections) {
      let nth = 1;
      while (nth <= options.nthMax && await runOnce(options, target, injection, nth, report)) nth++;
      options.log(`${nameOf(target)} ${injection}: ${nth - 1} times`);
    }
  }
  return report;
}

/** Whether the call failed that was to fail. */
async function runOnce(
  { directory: parent, log }: SyscallsOptions,
  target: Target,
  injection: Injection,
  nth: number,
  report: SyscallsReport,
): Promise<boolean> {
  const directory = await Deno.makeTempDir({ dir: parent, prefix: "run-" });
  const data = `${directory}/data`;
  const trace = `${directory}/strace.log`;
  // strace finds only what is there: a file is told by the path of its directory.
  await Deno.mkdir(data);
  const program = failing(data, target, injection, nth, trace);
  const books = await workOn(program, directory, data);
  const { code, signal } = books.status;
  // Nobody else kills it.
  const injected = signal === "SIGKILL" || wasInjected(await Deno.readTextFile(trace));
  const says = books.log.join("\n");
  const faults: string[] = [];
  const expect = (isSo: boolean, what: string) => {
    if (!isSo) faults.push(`${nameOf(target)} ${injection} ${nth}: ${what}\n${says}`);
  };
  report.runs++;
  report.acknowledged += books.history.tally.send.ok;
  if (!injected) {
    expect(code === 0 && books.isDone, `no call failed, it ended with ${code}`);
  } else {
    report.injected++;
    if (injection === "SIGKILL") expect(signal === "SIGKILL", `killed, it ended with ${code}`);
    else if (books.isDone && code === 0) {
      report.wentOn++;
      expect(!isFinal(target), "it went on");
      expect(books.refusals.some((one) => one.includes(reasonOf(injection))), "nobody was told");
    } else {
      expect(code === 1, `it ended with ${code}`);
      expect(
        /chat: Cannot /.test(says) && says.includes(reasonOf(injection)),
        "it did not say why",
      );
    }
  }
  for (const what of await checkData(data, books)) expect(false, what);
  report.faults.push(...faults);
  for (const fault of faults) log(fault);
  if (faults.length === 0) await Deno.remove(directory, { recursive: true });
  return injected;
}

interface Books {
  readonly history: History;
  /** Why compactions were refused. */
  readonly refusals: readonly string[];
  /** Everything was answered, and the node was told to end. */
  readonly isDone: boolean;
  readonly status: Deno.CommandStatus;
  readonly log: readonly string[];
}

/** Somebody writes notes to themselves while the node compacts twice. */
async function workOn(
  program: ReturnType<typeof failing>,
  directory: string,
  data: string,
): Promise<Books> {
  const config = `${directory}/servers.json`;
  const [tcp, grpc] = [{ host: "127.0.0.1", port: 0 }, { host: "127.0.0.1", port: 0 }];
  await Deno.writeTextFile(config, JSON.stringify({ nodes: [{ name: "node1", tcp, grpc }] }));
  const server = ServerProcess.launch(program, { node: "node1", config, data });
  const history = new History({ nodes: 1, safeCopies: 1, nowMs: () => performance.now() });
  const refusals: string[] = [];
  let isDone = false;
  try {
    const port = await unlessEnded(server);
    const client = await WireClient.signedIn(port, USER);
    try {
      const notes = new Notes(client, history);
      await notes.send(4);
      await notes.read(0, 1);
      await notes.remove(1);
      for (let round = 0; round < 2; round++) {
        const compacting = compact(data, refusals);
        await notes.send(3);
        await notes.remove(notes.count - 1);
        await compacting;
        await notes.send(1);
      }
      isDone = true;
    } finally {
      client.close();
    }
  } catch (error) {
    const isGone = error instanceof ClosedError || error instanceof EndedError ||
      error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.ConnectionRefused;
    if (!isGone) throw error;
  }
  const status = isDone ? await server.stop() : await server.ended;
  return { history, refusals, isDone, status, log: server.log };
}

/** A user's notes, one request after the other. */
class Notes {
  readonly #client: WireClient;
  readonly #history: History;
  readonly #messages: Message[] = [];

  constructor(client: WireClient, history: History) {
    this.#client = client;
    this.#history = history;
  }

  get count(): number {
    return this.#messages.length;
  }

  async send(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const content = `note ${this.count} ${"x".repeat(300)}`;
      const written = { sender: USER, recipient: USER, key: crypto.randomUUID(), content };
      const message = this.#history.write(written);
      this.#messages.push(message);
      const operation = this.#history.begin("send", USER, [message]);
      const payload = { to: USER, content, key: message.key };
      const reply = await this.#client.expect("sent", { kind: "send_message", payload });
      this.#history.succeed(operation, { ...reply, node: undefined });
    }
  }

  async read(...indexes: readonly number[]): Promise<void> {
    await this.#change("read", indexes);
  }

  async remove(index: number): Promise<void> {
    await this.#change("delete", [index]);
  }

  async #change(kind: "read" | "delete", indexes: readonly number[]): Promise<void> {
    const messages = indexes.flatMap((index) => this.#messages[index] ?? []);
    const operation = this.#history.begin(kind, USER, messages);
    const payload = messages.flatMap(({ id }) => id ?? []);
    const reply = await this.#client.expect("done", { kind: `${kind}_messages`, payload });
    this.#history.succeed(operation, { ...reply, node: undefined });
  }
}

class EndedError extends Error {
  override readonly name = "EndedError";
}

async function unlessEnded(server: ServerProcess): Promise<number> {
  try {
    return await server.listening;
  } catch (cause) {
    throw new EndedError("Cannot go on: the node did not start", { cause });
  }
}

/** A compaction that fails, or a node that ends, is what this is about. */
async function compact(data: string, refusals: string[]): Promise<void> {
  try {
    await askNode(data, { command: "compact" });
  } catch (error) {
    const isGone = error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.BrokenPipe;
    if (!isGone && !(error instanceof StorageError)) throw error;
    refusals.push(error.message);
  }
}

/** Starts from what is left, and compares it with what was acknowledged. */
async function checkData(data: string, { history }: Books): Promise<string[]> {
  const faults: string[] = [];
  const node = await JournalNode.open(data);
  const expect = (isSo: boolean, what: string) => {
    if (!isSo) faults.push(what);
  };
  checkConversation(history, history.between(USER, USER), listed(node), "the disk");
  for (const [fault, what] of history.findings.list()) faults.push(`${fault}: ${what.join("\n")}`);
  await node.compact();
  const { digest } = node.state;
  await node.close();
  const again = await JournalNode.open(data);
  expect(again.state.digest === digest, "another state after a compaction");
  await again.close();
  const names = await Array.fromAsync(Deno.readDir(data), ({ name }) => name);
  expect(names.filter((name) => /^(journal|snapshot)/.test(name)).length === 2, `left: ${names}`);
  return faults;
}

/** All messages that there are: everything is one conversation. */
function listed({ state }: JournalNode): ChatMessage[] {
  const { messages } = state;
  const rows = Array.from({ length: messages.length }, (_, row) => row);
  return rows.filter((row) => messages.isPresent(row)).map((row) => describeMessage(state, row));
}

/** Of the directory's syncs, some are the journal's and some a snapshot's. */
function isFinal({ file, calls }: Target): boolean {
  return calls !== "remove" && IS_FINAL.test(file);
}

function nameOf({ file, calls }: Target): string {
  return `${calls} ${file === "" ? "(the directory)" : file}`;
}

function reasonOf(injection: Injection): string {
  return injection === "ENOSPC" ? "No space left on device" : "Input/output error";
}
