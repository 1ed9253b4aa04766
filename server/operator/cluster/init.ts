import { join } from "node:path";
import { UsageError } from "../../../command_line/usage_error.ts";
import { ServerConfig } from "../../config.ts";
import { denoFiles } from "../../journal/deno_files.ts";
import { EXIT_DONE, type OperatorCommand } from "../command.ts";
import { dateText, expiryMs } from "./authority.ts";
import { issueCertificate, makeAuthority } from "./certificates.ts";
import {
  CA_KEY_FILE,
  CONFIG_FILE,
  directoryOf,
  folderOf,
  INVITE_FILE,
  inviteOf,
} from "./cluster_directory.ts";
import { inviteText, stepsOfCluster } from "./next_steps.ts";
import { planNodes, TLS_FILES } from "./plan.ts";
import { makeWithFiles, refuseUsed } from "./written_files.ts";

export const clusterInitCommand: OperatorCommand = {
  operands: { usage: "DIR --nodes LIST", min: 1, max: 1, path: "directory" },
  description: [
    "Makes DIR, with a CA of the cluster's own and a folder for each node: servers.json, the CA's " +
    "certificate, the node's certificate and key, and a unit for systemd. With them clients and nodes " +
    "talk over TLS, and nodes know each other by their certificates. It says what to do with it all.",
    "A node is NAME=HOST[:TCP[:GRPC]]: HOST is where it listens and is called, TCP the port for " +
    "clients (9001, or the next one that is free on that host), GRPC that for the other nodes (50051, " +
    "or the next). An IPv6 address stands in brackets.",
    "DIR stays with the operator: whoever has its ca.key can be any node. Settings such as " +
    "registration and limits are for DIR/servers.json, and for chat cluster renew after that.",
  ],
  examples: [
    {
      command: "chat cluster init lab --nodes a=127.0.0.1,b=127.0.0.1,c=127.0.0.1",
      explains: "Three nodes on this machine, to try out.",
    },
    {
      command: "chat cluster init ship --nodes bridge=10.0.0.1,engine=10.0.0.2:9001:50051",
      explains: "Two machines, of one with the ports named.",
    },
  ],
  exits: [["1", "DIR is in use, or could not be written."]],
  files: [
    ["DIR/NAME", "What the machine of node NAME needs, to be copied there."],
    ["DIR/invite", "For users, as what --invite of chat client takes."],
    ["DIR/ca.key", "The key of the cluster's CA: for no machine but this."],
  ],
  seeAlso: ["chat cluster add-node", "chat cluster renew", "chat serve", "docs/OPERATIONS.md"],
  options: ["nodes", "help"],
  async run({ operands, options, output }) {
    const directory = directoryOf(operands);
    const list = options.text("nodes");
    if (list === undefined) throw new UsageError("it needs --nodes NAME=HOST,…");
    const nodes = planNodes(list, "--nodes");
    const text = `${JSON.stringify({ nodes }, undefined, 2)}\n`;
    const config = ServerConfig.parse(text, CONFIG_FILE);
    await refuseUsed(denoFiles, directory);
    const nowMs = Date.now();
    const authority = await makeAuthority(nowMs);
    const texts = new Map([
      [CONFIG_FILE, text],
      [TLS_FILES.ca, authority.certificate],
      [CA_KEY_FILE, authority.key],
      [INVITE_FILE, `${inviteOf(config, authority.certificate, undefined)}\n`],
    ]);
    const ends: string[] = [];
    for (const node of nodes) {
      const pair = await issueCertificate(authority, node, nowMs);
      ends.push(dateText(expiryMs(pair.certificate, node.name)));
      const folder = folderOf(node, { text, config }, authority.certificate, pair);
      for (const [path, content] of folder) texts.set(path, content);
    }
    await makeWithFiles(denoFiles, directory, texts);
    const caEnd = dateText(expiryMs(authority.certificate, TLS_FILES.ca));
    const rows = [
      [CONFIG_FILE, "the nodes; after a change, chat cluster renew"],
      [TLS_FILES.ca, `the certificate of the cluster's CA, valid until ${caEnd}`],
      [CA_KEY_FILE, "its key: it stays here, as whoever has it can be any node"],
      [INVITE_FILE, inviteText(undefined)],
      ...nodes.map(({ name, tcp }, index) => [
        name,
        `for ${tcp.host}: its certificate is valid until ${ends[index]}`,
      ]),
    ];
    const paths = rows.map(([name = ""]) => join(directory, name));
    const width = Math.max(...paths.map((path) => path.length)) + 2;
    const table = rows.map(([, what], index) => `  ${paths[index]?.padEnd(width)}${what}`);
    const lines = [`made ${directory}`, ...table, ...stepsOfCluster(directory, config)];
    await output.write(`${lines.join("\n")}\n`);
    return EXIT_DONE;
  },
};
