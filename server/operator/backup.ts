import { makeBackup } from "../journal/backup.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { DATA_OPTIONS, EXIT_DONE, type OperatorCommand } from "./command.ts";

export const backupCommand: OperatorCommand = {
  operands: { usage: "DIR", min: 1, max: 1, path: "directory" },
  description: [
    "DIR is empty or does not exist yet. The node may be running: whatever it had acknowledged " +
    "before is in the backup. Only with its backup.json, which is written last, DIR is one: chat " +
    "restore makes a data directory from it, and with --dry-run only checks it.",
    "It holds all messages and the hashes of all passwords: keep it as safe as the data.",
  ],
  examples: [
    { command: "chat backup backups/first --node node1", explains: "All that data/node1 has." },
    {
      command: 'chat backup "backups/$(date +%F)" --data data/node1',
      explains: "Into a directory with the day's name, as for a backup every night.",
    },
  ],
  exits: [["1", "The data is damaged, or a file could not be read or written."]],
  seeAlso: ["chat restore", "chat export", "docs/OPERATIONS.md"],
  options: DATA_OPTIONS,
  async run({ operands: [destination = ""], options, output, version }) {
    const { node, files, messages, accounts, digest } = await makeBackup({
      files: denoFiles,
      directory: options.directory,
      destination,
      node: options.node,
      version,
      made: new Date().toISOString(),
      indexSeed: crypto.getRandomValues(new Int32Array(1))[0] ?? 0,
    });
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    await output.write(
      `made backup ${destination} of ${node}: files ${files.length}, bytes ${bytes}, ` +
        `messages ${messages}, accounts ${accounts}, digest ${digest}\n`,
    );
    return EXIT_DONE;
  },
};
