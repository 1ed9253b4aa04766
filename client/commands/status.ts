import type { NodeStatus } from "../../codec/message.ts";
import { printableJson } from "../../codec/printable.ts";
import {
  ChatClient,
  formatHost,
  type Outside,
  RefusedError,
  UnreachableError,
} from "../connection.ts";
import type { Call, Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { paintFor } from "./message_output.ts";
import { compareNodes, verdict } from "./node_comparison.ts";
import { type NodeAnswer, nodeText } from "./node_text.ts";
import { SERVER_OPTIONS } from "./option_table.ts";
import { type NamedHost, namedHostsOf } from "./settings.ts";

export const status: Command = {
  name: "status",
  summary: "Asks each server how it is, without signing in; exits with 3 if none answers.",
  description: [
    "For each node: its version, since when it runs, what it stores, how it gets on with the other " +
    "nodes and how far they are behind. At the end it compares them: nodes that know of the same " +
    "changes have to have the same digest, and it says DIVERGED if they have not.",
  ],
  examples: [
    { command: "chat status --config servers.json", explains: "All nodes of this configuration." },
    {
      command: "chat status --config servers.json --json | tail -n 1 | grep 'all 3 equal'",
      explains: "Exits with 0 only if all three nodes answer and have the same.",
    },
  ],
  exits: [["0", "At least one server has answered."], ["3", "None has."]],
  seeAlso: ["chat serve", "docs/OPERATIONS.md"],
  options: [...SERVER_OPTIONS, "json"],
  run,
};

/** A node that lives answers at once. */
const TIMEOUTS = { replyMs: 3_000 };

async function run(call: Call): Promise<ExitCode> {
  const { options, shell } = call;
  const hosts = await namedHostsOf(options, shell);
  const answers = await Promise.all(hosts.map((host) => askNode(call.outside, host)));
  const write = options.has("json") ? writeJson : writeText;
  await write(call, answers);
  return answers.some(({ status }) => status !== undefined) ? EXIT.done : EXIT.unreachable;
}

/** Asks one node how it is, without signing in. */
export async function askNode(
  outside: Outside,
  { host, name }: NamedHost,
): Promise<NodeAnswer> {
  const asked = { host: formatHost(host), ...name === undefined ? {} : { name } };
  await using client = new ChatClient({ hosts: [host], outside, timeouts: TIMEOUTS });
  try {
    return { ...asked, status: await client.status() };
  } catch (error) {
    if (error instanceof RefusedError) return { ...asked, error: error.sentence };
    if (!(error instanceof UnreachableError)) throw error;
    return { ...asked, error: error.failures[0]?.why ?? error.message };
  }
}

async function writeText(call: Call, answers: readonly NodeAnswer[]): Promise<void> {
  const paint = paintFor(call);
  const comparison = compareNodes(answers);
  const last = verdict(comparison);
  const line = comparison.diverged.length > 0 ? paint.strong(last) : last;
  const blocks = answers.map((answer) => nodeText(answer, paint).join("\n"));
  await call.shell.write(`${[...blocks, ...last === "" ? [] : [line]].join("\n\n")}\n`);
}

async function writeJson({ shell }: Call, answers: readonly NodeAnswer[]): Promise<void> {
  for (const { status, ...asked } of answers) {
    const told = status === undefined ? {} : plain(status);
    await shell.write(`${printableJson({ ...asked, ...told })}\n`);
  }
  const { behind, ...comparison } = compareNodes(answers);
  const summary = {
    ...comparison,
    behind: Object.fromEntries(behind),
    verdict: verdict({ ...comparison, behind }),
  };
  await shell.write(`${printableJson({ summary })}\n`);
}

function plain({ vector, ...rest }: NodeStatus): Record<string, unknown> {
  return { ...rest, vector: Object.fromEntries(vector) };
}
