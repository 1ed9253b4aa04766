import { join } from "node:path";
import { denoFiles } from "../../journal/deno_files.ts";
import { EXIT_DONE, type OperatorCommand } from "../command.ts";
import { dateText, expiryMs } from "./authority.ts";
import { directoryOf, INVITE_FILE, readMaster } from "./cluster_directory.ts";
import { rewriteFolders } from "./folders.ts";
import { inviteText, stepsOfChange } from "./next_steps.ts";
import { TLS_FILES } from "./plan.ts";
import { readFileIfThere } from "./written_files.ts";

export const clusterRenewCommand: OperatorCommand = {
  operands: { usage: "DIR [NAME]", min: 1, max: 2, path: "directory" },
  description: [
    "DIR is what chat cluster init made. All nodes, or the one called NAME, get new certificates and " +
    "keys from the same CA, good for five years; a running node takes them without a restart. Nodes " +
    "and clients that have the CA's certificate need nothing new.",
    "All folders are made to be what DIR/servers.json says, and so is the invite: this is how a change " +
    "of that file gets to them. It says which files are new, and what to do with them.",
  ],
  examples: [
    { command: "chat cluster renew lab", explains: "New certificates for all." },
    { command: "chat cluster renew lab b", explains: "For one, as its key may be known." },
  ],
  exits: [["1", "The CA's key is missing or cannot be used, or a file could not be written."]],
  files: [["DIR/servers.json", "The configuration of all nodes, for the operator to change."]],
  seeAlso: ["chat cluster init", "chat cluster invite", "docs/OPERATIONS.md"],
  options: ["help"],
  async run({ operands, output }) {
    const directory = directoryOf(operands);
    const [, name] = operands;
    const master = await readMaster(denoFiles, directory);
    const only = name === undefined ? undefined : master.config.getCurrentNode(name);
    const nowMs = Date.now();
    const { changed, invitation } = await rewriteFolders({
      files: denoFiles,
      directory,
      master,
      isRenewed: (node) => only === undefined || node.name === only.name,
      nowMs,
    });
    const lines: string[] = [];
    for (const { node, files } of changed.filter((one) => one.files.includes(TLS_FILES.cert))) {
      const path = join(directory, node.name, TLS_FILES.cert);
      const end = dateText(expiryMs(await readFileIfThere(denoFiles, path) ?? "", path));
      const others = files.filter((file) => file !== TLS_FILES.cert && file !== TLS_FILES.key);
      const also = others.length === 0 ? "" : `, and ${others.join(", ")}`;
      lines.push(`renewed ${node.name}: its certificate is valid until ${end}${also}`);
    }
    lines.push(`made ${join(directory, INVITE_FILE)} anew: ${inviteText(invitation)}`);
    lines.push(...stepsOfChange(directory, master.config, changed));
    await output.write(`${lines.join("\n")}\n`);
    return EXIT_DONE;
  },
};
