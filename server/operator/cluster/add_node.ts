import { join } from "node:path";
import { denoFiles } from "../../journal/deno_files.ts";
import { EXIT_DONE, type OperatorCommand } from "../command.ts";
import {
  CONFIG_FILE,
  directoryOf,
  INVITE_FILE,
  masterOf,
  readMaster,
} from "./cluster_directory.ts";
import { rewriteFolders } from "./folders.ts";
import { inviteText, stepsOfNode } from "./next_steps.ts";
import { planNodes } from "./plan.ts";

export const clusterAddNodeCommand: OperatorCommand = {
  operands: { usage: "DIR NAME=HOST[:TCP[:GRPC]]", min: 2, max: 2 },
  description: [
    "DIR is what chat cluster init made, and NAME=HOST[:TCP[:GRPC]] as it takes it. The node gets a " +
    "folder in DIR, and is in DIR/servers.json, in the invite and in the folders of the others then.",
    "The other nodes refuse it until they have the new servers.json and were restarted, one at a time; " +
    "it says what is to be copied where.",
  ],
  examples: [
    { command: "chat cluster add-node lab d=127.0.0.1", explains: "A fourth one here." },
    {
      command: "chat cluster add-node ship mast=10.0.0.3:9001:50051",
      explains: "One more machine, with the ports named.",
    },
  ],
  exits: [["1", "The CA's key is missing or cannot be used, or a file could not be written."]],
  seeAlso: ["chat cluster init", "chat cluster renew", "docs/OPERATIONS.md"],
  options: ["help"],
  async run({ operands, output }) {
    const directory = directoryOf(operands);
    const [, entry = ""] = operands;
    const before = await readMaster(denoFiles, directory);
    const [added, ...more] = planNodes(entry, entry, before.config.nodes);
    if (added === undefined) throw new Error(`Cannot add ${entry}: it names no node`);
    // As the operator wrote it, with settings that are not of a node.
    const raw: { nodes: unknown[] } = JSON.parse(before.text);
    raw.nodes.push(added, ...more);
    const master = masterOf(`${JSON.stringify(raw, undefined, 2)}\n`, CONFIG_FILE);
    const nowMs = Date.now();
    const { changed, invitation } = await rewriteFolders({
      files: denoFiles,
      directory,
      master,
      isRenewed: ({ name }) => name === added.name,
      nowMs,
    });
    const others = changed.filter(({ node }) => node.name !== added.name);
    const lines = [
      `made ${join(directory, added.name)} for ${added.tcp.host}, and ` +
      `${join(directory, INVITE_FILE)} anew (${inviteText(invitation)})`,
      ...stepsOfNode(directory, master.config, added, others),
    ];
    await output.write(`${lines.join("\n")}\n`);
    return EXIT_DONE;
  },
};
