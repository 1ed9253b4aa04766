import { BACKUP_AGE_MAX_MS } from "../journal/backup_file.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { openBackup, refuseUsed, restoreBackup } from "../journal/restore.ts";
import { DATA_OPTIONS, EXIT_DONE, type OperatorCommand } from "./command.ts";

export const restoreCommand: OperatorCommand = {
  operands: { usage: "BACKUP", min: 1, max: 1, path: "directory" },
  description: [
    "Without --node, it is for the node that the backup was made of. Its data directory has to be " +
    "empty or not to exist yet. Every byte of the backup is checked first.",
    "The node begins a new epoch when it starts, and gets what happened since the backup from the " +
    "other nodes. Beside nodes that live, only a backup younger than 30 days is good: of older ones " +
    "deletions may be forgotten by then.",
  ],
  examples: [
    {
      command: "chat restore backups/first --dry-run --data data/nobody",
      explains: "Checks every byte, and writes nothing.",
    },
    {
      command: "chat restore backups/first --data data/restored",
      explains: "Makes a directory that chat serve --data data/restored may begin with.",
    },
  ],
  exits: [["1", "The backup is damaged, or the directory is in use."]],
  seeAlso: ["chat backup", "chat serve", "docs/OPERATIONS.md"],
  options: [...DATA_OPTIONS, "dry-run"],
  async run({ operands: [path = ""], options, output }) {
    const indexSeed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
    const backup = await openBackup(denoFiles, path, indexSeed);
    try {
      const { said } = backup;
      const node = options.text("node") ?? said.node;
      const directory = options.text("data") ?? `data/${node}`;
      if (options.has("dry-run")) await refuseUsed(denoFiles, directory);
      else await restoreBackup(denoFiles, backup, directory);
      const bytes = said.files.reduce((sum, file) => sum + file.bytes, 0);
      const { messages, accounts, digest, made } = said;
      if (Date.now() - Date.parse(made) > BACKUP_AGE_MAX_MS) {
        output.note(
          "chat: the backup is more than 30 days old: use it only if no other node is left, or what was " +
            "deleted since may be there again on this one",
        );
      }
      const what = `${path} of ${said.node}, made ${made}: files ${said.files.length}, ` +
        `bytes ${bytes}, messages ${messages}, accounts ${accounts}, digest ${digest}`;
      await output.write(
        options.has("dry-run")
          ? `could restore ${what}, into ${directory}: nothing was written\n`
          : `restored ${what}, into ${directory}: start it with chat serve --node ${node} ` +
            `--data ${directory}\n`,
      );
      return EXIT_DONE;
    } finally {
      backup.close();
    }
  },
};
