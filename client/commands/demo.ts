import * as v from "valibot";
import type { ChatMessage } from "../../codec/message.ts";
import { ChatClient, formatHost, type Host, type Subscription } from "../connection.ts";
import { client } from "./client.ts";
import type { Call, Command } from "./command.ts";
import { EXIT } from "./exit_code.ts";
import { Options } from "./option_table.ts";
import type { Shell } from "./shell.ts";

/** A node that runs as a process of its own. */
export interface RunningNode {
  readonly host: Host;
  /** Resolves when the process is gone. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

/** What the demo needs to run nodes. */
export interface Nodes {
  makeScratch(): Promise<string>;
  removeScratch(path: string): Promise<void>;
  writeTextFile(path: string, text: string): Promise<void>;
  /** Starts `chat serve` with these arguments; resolves when it listens. */
  start(args: readonly string[]): Promise<RunningNode>;
}

/** For all of the demo without a terminal. */
const DEADLINE_MS = 60_000;
const GREETINGS = ["Hello Bob", "Is the node alive?", "I shall kill it now."];
const ANSWER = "Go ahead, what is stored is stored.";
const AFTERWARDS = "And here we are again.";

/** `chat demo`: a node on scratch data, and a client, or two that show what survives a `kill -9`. */
export function demo(nodes: Nodes): Command {
  return {
    name: "demo",
    summary: "Runs a node on scratch data, and a client: on a terminal for you, else to test it.",
    options: ["color", "help"],
    run: (call) => run(call, nodes),
  };
}

async function run(call: Call, nodes: Nodes): Promise<number> {
  const scratch = await nodes.makeScratch();
  const site = new DemoSite(nodes, scratch, await firstNodeName(call.shell));
  const stop = Promise.withResolvers<number>();
  const stopListening = call.shell.onTermination(() => stop.resolve(EXIT.interrupted));
  try {
    return await Promise.race([show(call, site), stop.promise]);
  } finally {
    stopListening();
    await site.end("SIGTERM");
    await nodes.removeScratch(scratch);
  }
}

async function show(call: Call, site: DemoSite): Promise<number> {
  const { shell } = call;
  const address = await site.start();
  if (!shell.stdinIsTerminal || !shell.stdoutIsTerminal) {
    return await rehearse(call, site, address);
  }
  const host = formatHost(address);
  shell.note(`One node at ${host}, its data in ${site.scratch} until you leave.`);
  shell.note(`Sign in with any name. To talk to yourself, elsewhere: chat client --host ${host}`);
  return await client.run({ ...call, options: new Options([], new Map([["host", [host]]])) });
}

/** One node whose process comes and goes while its data and address stay. */
class DemoSite {
  readonly scratch: string;
  readonly #nodes: Nodes;
  readonly #name: string;
  #port = 0;
  #running: RunningNode | undefined;
  #isOver = false;

  constructor(nodes: Nodes, scratch: string, name: string) {
    this.#nodes = nodes;
    this.scratch = scratch;
    this.#name = name;
  }

  async start(): Promise<Host> {
    const config = `${this.scratch}/servers.json`;
    await this.#nodes.writeTextFile(config, JSON.stringify(this.#config(), null, 2));
    const data = `${this.scratch}/data`;
    const args = ["--node", this.#name, "--config", config, "--data", data];
    const node = await this.#nodes.start(args);
    this.#running = node;
    this.#port = node.host.port;
    if (this.#isOver) await this.end("SIGTERM");
    return node.host;
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#isOver = signal === "SIGTERM";
    const node = this.#running;
    this.#running = undefined;
    await node?.end(signal);
  }

  #config(): unknown {
    const host = "127.0.0.1";
    const tcp = { host, port: this.#port };
    const node = { name: this.#name, tcp, grpc: { host, port: 0 }, desc: "the demo's node" };
    return { cluster: { copies: 1, copyTimeoutMs: 1000 }, nodes: [node] };
  }
}

/** Two users talk, the node is killed and started again, and all must be there. */
async function rehearse(call: Call, site: DemoSite, host: Host): Promise<number> {
  const { shell, outside } = call;
  const tell = (line: string) => shell.write(`${line}\n`);
  const hosts = [host];
  const timeouts = { giveUpMs: DEADLINE_MS };
  await using alice = new ChatClient({ hosts, outside, timeouts });
  await using bob = new ChatClient({ hosts, outside, timeouts });
  for (const [one, user] of [[alice, "alice"], [bob, "bob"]] as const) {
    await one.signIn({ user, password: outside.uuid(), create: true });
  }
  await tell(`alice and bob have signed up on ${alice.session.node}`);

  const received = messagesOf(await bob.subscribe(), "alice");
  for (const content of GREETINGS) await alice.send("bob", content);
  for (const content of GREETINGS) {
    expect((await received.next()).value?.content, content);
    await tell(`bob receives: ${content}`);
  }
  const { copies } = await bob.send("alice", ANSWER);
  await tell(`bob answers:  ${ANSWER} (stored on ${copies} node)`);

  await tell("kill -9 to the node");
  await site.end("SIGKILL");
  const sending = alice.send("bob", AFTERWARDS);
  await tell("alice writes while it is dead; the node is started again");
  await site.start();
  await sending;
  expect((await received.next()).value?.content, AFTERWARDS);
  await tell(`bob receives: ${AFTERWARDS}`);

  const all = await bob.history({ with: "alice" });
  const contents = all.map(({ content }) => content);
  expect(JSON.stringify(contents), JSON.stringify([...GREETINGS, ANSWER, AFTERWARDS]));
  await tell(`all ${all.length} messages are there, each once`);
  return EXIT.done;
}

async function* messagesOf(
  events: Subscription,
  sender: string,
): AsyncGenerator<ChatMessage, undefined> {
  for await (const { kind, payload } of events) {
    if (kind === "message" && payload.sender === sender) yield payload;
  }
}

function expect(found: string | undefined, expected: string): void {
  if (found !== expected) throw new Error(`The demo found ${found} where ${expected} belongs`);
}

/** The first node of the servers.json that is here, if there is one. */
async function firstNodeName(shell: Shell): Promise<string> {
  const text = await shell.readTextFile("servers.json").catch(() => "{}");
  const shape = v.object({ nodes: v.tupleWithRest([v.object({ name: v.string() })], v.unknown()) });
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), shape), text);
  return parsed.success ? parsed.output.nodes[0].name : "node1";
}
