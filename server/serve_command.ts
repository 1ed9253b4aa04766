import { type NodeConfig, ServerConfig } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { denoOutside } from "./deno_outside.ts";
import { StorageError } from "./journal/files.ts";
import { type Log, LOG_FORMATS, logTo } from "./log.ts";
import { LogBudget } from "./log_budget.ts";
import {
  EXIT_DONE,
  EXIT_FIXABLE,
  EXIT_USAGE,
  type OperatorCommand,
  type OperatorOptions,
} from "./operator/command.ts";
import { readConfiguration } from "./operator/configuration.ts";
import { readIdentity } from "./operator/identity_files.ts";
import { ListenError } from "./client_port.ts";
import { type RunningServer, startServer } from "./serve.ts";

/** `chat serve`: its exit code comes once the node has stopped. */
export const serveCommand: OperatorCommand = {
  description: [
    "Alone, it is node solo on 127.0.0.1:9001 with its data in data/solo, and reads no file. With " +
    "--node it is that node of servers.json, or of the file that --config names. It stays in the " +
    "foreground, and says on standard error what it does, until Ctrl+C or SIGTERM.",
    "Nodes find each other by the configuration, and each gets from the others what it lacks, also " +
    "after a crash or with an empty directory: there is nothing to be done but to start it.",
    "Its log has a line for whatever happens, also for each sign-in, each refusal and each limit that " +
    "is reached, with the address: for people, or with --log json for programs. No line holds a " +
    "password, a token or what somebody wrote.",
  ],
  examples: [
    { command: "chat serve --node node1", explains: "Node node1 of servers.json." },
    {
      command: "chat serve --node node2 --config servers.json --data data/node2",
      explains: "The same for node2, with all files named.",
    },
    {
      command: "chat serve --node node3 --log json",
      explains: "One JSON object a line on standard error, for a program that collects logs.",
    },
  ],
  exits: [
    ["0", "Stopped by a signal."],
    ["1", "Its data cannot be used, its port is taken, or its disk has failed."],
  ],
  files: [["servers.json", "The configuration, if --config does not name another."]],
  seeAlso: ["chat client", "chat status", "docs/OPERATIONS.md"],
  options: ["node", "config", "data", "insecure", "log", "help"],
  optionHelp: {
    node: "which node of the configuration this is",
    data: "where its data is kept, data/NAME unless said otherwise",
    insecure: "the network between nodes is trusted: allow gRPC without TLS beyond this machine",
  },
  async run({ options, output, version, tellEndBy }) {
    const format = LOG_FORMATS.find((one) => one === options.text("log")) ?? "text";
    const budget = new LogBudget(
      logTo(format, (line) => output.note(line), denoOutside.wallMs),
      denoOutside.timer,
    );
    const { log } = budget;
    tellEndBy((why, isBug) => log(why, { event: isBug ? "bug" : "failed" }));
    try {
      const config = await readConfig(options);
      const node = config.getCurrentNode(options.text("node") ?? onlyNodeOf(config));
      const dataDirectory = options.text("data") ?? `data/${node.name}`;
      const identity = await readIdentity(config, node, Date.now());
      const signalled = nextSignal();
      const starting = startServer({ config, node, dataDirectory, version, log, identity });
      if (identity !== undefined) renewOnHangup(starting, config, node, log);
      const first = await Promise.race([starting, signalled]);
      if (typeof first === "string") {
        // Whatever is under way has told nobody anything.
        log(`stopping (${first}) before it has served`, { event: "stopping" });
        return EXIT_DONE;
      }
      log(`stopping (${await Promise.race([signalled, first.failed])})`, { event: "stopping" });
      await first.finish();
      return EXIT_DONE;
    } catch (error) {
      // Faults of a configuration are a list, and people are shown it as one.
      if (!isFixable(error) || format === "text" && error instanceof ConfigError) throw error;
      log(error.message, { event: "failed" });
      return error instanceof ConfigError ? EXIT_USAGE : EXIT_FIXABLE;
    } finally {
      budget.flush();
    }
  },
};

/** SIGHUP says that the files of the certificates are other ones: what is wrong with them changes nothing. */
function renewOnHangup(
  starting: Promise<RunningServer>,
  config: ServerConfig,
  node: NodeConfig,
  log: Log,
): void {
  const renew = async () => {
    try {
      const identity = await readIdentity(config, node, Date.now());
      if (identity !== undefined) await (await starting).renew(identity);
      log("new connections get the certificates as they are now", {
        event: "certificates_renewed",
      });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log(`goes on with the certificates that it has: ${error.message}`, {
        event: "certificates_refused",
      });
    }
  };
  // If it does not start, that is said elsewhere.
  let renewing = starting.then(() => {}, () => {});
  Deno.addSignalListener("SIGHUP", () => {
    renewing = renewing.then(renew);
  });
}

/** Whether the operator can put it right. */
function isFixable(error: unknown): error is ConfigError | ListenError | StorageError {
  return error instanceof ConfigError || error instanceof ListenError ||
    error instanceof StorageError;
}

/** The configuration that the flags name; a lone node if they name none. */
async function readConfig(options: OperatorOptions): Promise<ServerConfig> {
  const config = options.text("config");
  if (config === undefined && !options.has("node")) return ServerConfig.solo();
  return await readConfiguration(config, options.has("insecure"));
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
