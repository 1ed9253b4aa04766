import type { Entry } from "../core/state_record.ts";
import type { Files } from "./files.ts";
import { DataDirectoryError } from "./layout.ts";
import { openData, type Position } from "./opened_data.ts";
import { describeFault, verifyData } from "./verify.ts";

export interface FoldOptions {
  readonly files: Files;
  readonly directory: string;
  /** How far the node that runs on it has got; undefined if none does: see {@linkcode openData}. */
  readonly ask?: (names: readonly string[]) => Promise<Position | undefined>;
  /** Takes in what is in the snapshot and the journal. */
  apply(entry: Entry): void;
}

/**
 * Reads all that a data directory holds, as far as it is on disk, and changes nothing: neither lock nor
 * anything else is needed, so the node may be running. Resolves with whose data it is, as far as
 * node.json says. Rejects with StorageError, also at the first fault.
 */
export async function foldDirectory(
  { files, directory, ask = () => Promise.resolve(undefined), apply }: FoldOptions,
): Promise<string | undefined> {
  const data = await openData(files, directory, ask);
  try {
    await verifyData(data, {
      onFault(fault) {
        throw new DataDirectoryError(
          `Cannot read ${directory}: found ${
            describeFault(fault)
          }. Get what is damaged from another ` +
            "node with chat log verify --repair, or restore a backup.",
        );
      },
      onEntry: ({ entry }) => apply(entry),
    });
    const { nodeFile } = data;
    return nodeFile !== undefined && "node" in nodeFile ? nodeFile.node : undefined;
  } finally {
    data.close();
  }
}
