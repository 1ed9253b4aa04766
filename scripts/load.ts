/**
 * Measures real server processes from a process of its own, and this machine's limits in the same
 * run, so that numbers of different machines can be compared by their ratios.
 *
 *     deno task bench:load [--chat ./chat | --source] [--quick] [--scratch DIR]
 *     deno task bench:load --nodes 3 [--catch-up [--messages N]] …
 *     deno task bench:load --day [--messages N] …
 *     deno task bench:load --tls [--nodes 3] …
 *
 * `--source` runs main.ts instead of the executable, `--quick` takes seconds (for CI), `--scratch`
 * is where the data goes, on the disk that is to be measured. With `--nodes 3` it is a cluster's
 * turn, for each number of copies; with `--catch-up` that of a node which was away for N messages. With
 * `--day` it is that of a journal after N messages, most of which are deleted or read. With `--tls` nodes
 * that talk TLS and others that do not get the same load, in turn.
 */

import { parseArgs } from "@std/cli/parse-args";
import { executable, fromSource, type Program } from "../server/testing/server_process.ts";
import { measureCatchUp } from "./load/catch_up.ts";
import { measureClusters } from "./load/cluster.ts";
import { measureDay } from "./load/day.ts";
import { OneNodeRun } from "./load/one_node.ts";
import { measureTls } from "./load/tls.ts";
import { FULL, type Plan, QUICK } from "./load/round.ts";

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    boolean: ["quick", "source", "catch-up", "day", "tls"],
    string: ["chat", "scratch", "nodes", "messages"],
    default: { chat: "./chat", nodes: "1" },
  });
  const nodes = Number(flags.nodes);
  const plan = flags.quick ? QUICK : FULL;
  const messages = Number(flags.messages ?? plan.messages);
  if (!Number.isSafeInteger(messages) || !(flags["catch-up"] ? [3] : [1, 2, 3]).includes(nodes)) {
    console.error("--nodes is 1, 2 or 3, and 3 with --catch-up; --messages is a number");
    Deno.exit(2);
  }
  const program = flags.source ? fromSource : await builtProgram(flags.chat);
  const scratch = await Deno.makeTempDir({
    prefix: "chat-load-",
    ...flags.scratch !== undefined && { dir: flags.scratch },
  });
  try {
    if (flags.day) await measureDay(program, scratch, { ...plan, messages });
    else if (flags.tls) await measureTls(program, scratch, plan, nodes);
    else if (flags["catch-up"]) await measureCatchUp(program, scratch, { ...plan, messages });
    else await measureNodes(nodes, program, scratch, plan);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function measureNodes(
  nodes: number,
  program: Program,
  scratch: string,
  plan: Plan,
): Promise<void> {
  if (nodes === 1) await new OneNodeRun(program, scratch, plan).all();
  else await measureClusters(program, scratch, plan, nodes);
}

async function builtProgram(path: string): Promise<Program> {
  try {
    return executable(await Deno.realPath(path));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error(`There is no ${path}: run \`deno task build\`, or use --source.`);
    Deno.exit(1);
  }
}

if (import.meta.main) await main();
