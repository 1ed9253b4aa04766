import type { NodeStatus } from "../../codec/message.ts";
import { ChatClient, formatHost, type Host, UnreachableError } from "../connection.ts";
import type { Paint } from "../text/paint.ts";
import { printable, printableJson } from "../text/printable.ts";
import { counted } from "../text/wording.ts";
import type { Call, Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { paintFor } from "./message_output.ts";
import { SERVER_OPTIONS } from "./option_table.ts";
import { hostsOf } from "./settings.ts";

export const status: Command = {
  name: "status",
  summary: "Asks each server how it is, without signing in.",
  options: [...SERVER_OPTIONS, "json"],
  run,
};

type Answer =
  & { readonly host: string }
  & (
    | { readonly status: NodeStatus }
    | { readonly error: string }
  );

async function run(call: Call): Promise<ExitCode> {
  const hosts = await hostsOf(call.options, call.shell);
  const answers = await Promise.all(hosts.map((host) => ask(call, host)));
  const found = answers.flatMap((answer) => "status" in answer ? [answer.status] : []);
  const paint = paintFor(call);
  const isJson = call.options.has("json");
  for (const answer of answers) {
    await call.shell.write(`${isJson ? answerJson(answer) : answerText(answer, paint)}\n`);
  }
  if (found.length > 1 && !isJson) await call.shell.write(`${comparison(found)}\n`);
  return found.length > 0 ? EXIT.done : EXIT.unreachable;
}

async function ask({ outside }: Call, host: Host): Promise<Answer> {
  await using client = new ChatClient({ hosts: [host], outside });
  try {
    return { host: formatHost(host), status: await client.status() };
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return { host: formatHost(host), error: error.failures[0]?.why ?? error.message };
  }
}

function answerJson(answer: Answer): string {
  if ("error" in answer) return printableJson(answer);
  const { vector, ...rest } = answer.status;
  return printableJson({ host: answer.host, ...rest, vector: Object.fromEntries(vector) });
}

function answerText(answer: Answer, paint: Paint): string {
  const { host } = answer;
  if ("error" in answer) {
    return `${host}: ${paint.strong("unreachable")}: ${printable(answer.error)}`;
  }
  const { node, version, uptimeMs, accounts, messages, usersOnline, journalBytes, digest } =
    answer.status;
  return [
    `${paint.name(printable(node))} (${host}), chat ${printable(version)}, up ${
      duration(uptimeMs)
    }`,
    `  ${counted(accounts, "account")} (${usersOnline} online), ${counted(messages, "message")}, ` +
    `journal ${(journalBytes / 1e6).toFixed(1)} MB`,
    `  digest ${printable(digest)}`,
  ].join("\n");
}

/** Nodes with the same operations have the same digest; those that are behind have another. */
function comparison(found: readonly NodeStatus[]): string {
  const digests = new Set(found.map(({ digest }) => digest));
  if (digests.size === 1) return `all ${found.length} equal`;
  const known = found.map(({ vector }) => [...vector.values()].reduce((sum, seq) => sum + seq, 0));
  const most = Math.max(...known);
  const lags = found.flatMap(({ node }, index) => {
    const lag = most - (known[index] ?? 0);
    return lag > 0 ? [`${printable(node)} by ${lag}`] : [];
  });
  return lags.length === 0 ? "not equal" : `not equal; behind: ${lags.join(", ")}`;
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
