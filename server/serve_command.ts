import { parseArgs } from "@std/cli/parse-args";
import { ServerConfig } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { StorageError } from "./journal/files.ts";
import { readConfiguration } from "./operator/configuration.ts";
import { ListenError, startServer } from "./serve.ts";

export const SERVE_USAGE =
  `usage: chat serve [--node NAME] [--config FILE] [--data DIR] [--insecure]

Runs a node of this messenger. Alone, it is node "solo" on 127.0.0.1:9001 with its data in data/solo.

  --node NAME    which node of the configuration this is
  --config FILE  the configuration, servers.json unless said otherwise
  --data DIR     where the journal is kept, data/NAME unless said otherwise
  --insecure     the network between nodes is trusted: allow gRPC without TLS beyond this machine`;

/** `chat serve`: resolves to the exit code once the node has stopped. */
export async function runServe(args: readonly string[], version: string): Promise<number> {
  const log = (line: string) => console.error(`chat: ${line}`);
  const flags = parseServeArgs(args);
  if (typeof flags === "string") {
    console.error(`chat serve: ${flags}\n\n${SERVE_USAGE}`);
    return EXIT_USAGE;
  }
  if (flags.help) {
    console.log(SERVE_USAGE);
    return 0;
  }
  try {
    const config = await readConfig(flags);
    const node = config.getCurrentNode(flags.node ?? onlyNodeOf(config));
    const dataDirectory = flags.data ?? `data/${node.name}`;
    const signalled = nextSignal();
    const starting = startServer({ config, node, dataDirectory, version, log });
    const first = await Promise.race([starting, signalled]);
    if (typeof first === "string") {
      // Whatever is under way has told nobody anything.
      log(`stopping (${first}) before it has served`);
      return 0;
    }
    log(`stopping (${await Promise.race([signalled, first.failed])})`);
    await first.finish();
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) {
      log(error.message);
      return EXIT_USAGE;
    }
    if (!(error instanceof StorageError || error instanceof ListenError)) throw error;
    log(error.message);
    return EXIT_FIXABLE;
  }
}

/** The operator can fix it; wrong usage or configuration: the same as of every command. */
const EXIT_FIXABLE = 1;
const EXIT_USAGE = 2;

interface ServeFlags {
  readonly node?: string;
  readonly config?: string;
  readonly data?: string;
  readonly insecure: boolean;
  readonly help: boolean;
}

function parseServeArgs(args: readonly string[]): ServeFlags | string {
  const unknown: string[] = [];
  const parsed = parseArgs(args, {
    string: ["node", "config", "data", "_"],
    boolean: ["insecure", "help"],
    alias: { help: "h" },
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  if (unknown[0] !== undefined) return `cannot understand ${unknown[0]}`;
  const { node, config, data, insecure, help } = parsed;
  for (const [name, value] of Object.entries({ node, config, data })) {
    if (value === "") return `--${name} needs a value`;
  }
  return {
    ...(node === undefined ? {} : { node }),
    ...(config === undefined ? {} : { config }),
    ...(data === undefined ? {} : { data }),
    insecure,
    help,
  };
}

/** The configuration that the flags name; a lone node if they name none. */
async function readConfig({ config, node, insecure }: ServeFlags): Promise<ServerConfig> {
  if (config === undefined && node === undefined) return ServerConfig.solo();
  return await readConfiguration(config, insecure);
}

/** Which node this is when the flags do not say. */
function onlyNodeOf({ nodes, source }: ServerConfig): string {
  const [first, ...others] = nodes;
  if (first !== undefined && others.length === 0) return first.name;
  const names = nodes.map(({ name }) => name).join(", ");
  throw new ConfigError(source, [`it names several nodes, say which with --node: ${names}`]);
}

/** The name of the first signal that asks this process to end. */
function nextSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => resolve(signal));
    }
  });
}
